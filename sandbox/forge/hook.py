"""git's pre-receive hook: https://git-scm.com/docs/githooks#pre-receive

The new objects are there, in quarantine, and no ref has moved: a push is taken whole or not at all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sandbox.forge import push_rules, users
from sandbox.forge.pushes import Change, refusal
from sandbox.forge.store import Store


def write(folder: Path) -> None:
    """The hook of a state folder; only pushes over HTTP run it."""
    folder.mkdir(exist_ok=True, mode=0o700)
    file = folder / "pre-receive"
    file.write_text('#!/bin/sh\nexec "$QUANT_FORGE_PYTHON" -m sandbox.forge.hook\n')
    file.chmod(0o700)


def environment(folder: Path, database: Path, username: str) -> dict[str, str]:
    """What git needs to run it for somebody ("" for nobody known)."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": str(folder),
        "QUANT_FORGE_PYTHON": sys.executable,
        "QUANT_FORGE_DATABASE": str(database),
        "QUANT_FORGE_USER": username,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def main() -> int:
    store = Store(Path(os.environ["QUANT_FORGE_DATABASE"]))
    who = users.by_name(store, os.environ["QUANT_FORGE_USER"])
    for line in sys.stdin:
        change = Change(*line.rstrip("\n").split(" ", 2))
        if why := refusal(store, who, change, _rewrites) or push_rules.refusal(store, who, _committers(change)):
            print(f"GitLab: {why}", file=sys.stderr)
            return 1
    return 0


def _committers(change: Change) -> set[str]:
    """Of the commits that a push brings; none where it brings none, and none of tags."""
    if change.deletes or not change.ref.startswith("refs/heads/"):
        return set()
    command = ["git", "log", "--format=%ce", change.new, "--not", "--all"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def _rewrites(change: Change) -> bool:
    return subprocess.run(["git", "merge-base", "--is-ancestor", change.old, change.new], check=False).returncode != 0


if __name__ == "__main__":
    sys.exit(main())
