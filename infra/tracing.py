"""The engine's own trace writes secrets in plain text from verbosity 9 on: then nothing is declared.

It logs every property that it marshals (pulumi/pulumi, sdk/go/common/resource/plugin/rpc.go), secret or not; up to 8 it
does not.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from infra.errors import UserError

_HIGHEST = 8
_GENERATIONS = 6  # this program, its language host, the engine, and room for wrappers


def refuse_to_be_traced() -> None:
    """Raise UserError when the engine above this process writes a trace that would hold secrets."""
    pid = os.getpid()
    for _ in range(_GENERATIONS):
        parent, words = _process(pid)
        if (level := verbosity(words)) > _HIGHEST:
            raise UserError(
                f"the engine runs with -v={level}: from 9 on it writes every secret into its log in plain text. Run it with"
                f" -v={_HIGHEST} or less; nothing was declared."
            )
        if parent <= 1:
            return
        pid = parent


def verbosity(words: Sequence[str]) -> int:
    """The level that a command line of pulumi asks for, 0 for any other."""
    if not words or not Path(words[0]).name.startswith("pulumi"):
        return 0
    found = re.findall(r"(?:^|\0)--?v(?:erbose)?[=\0]?(\d+)", "\0".join(words))
    return int(found[-1]) if found else 0


def _process(pid: int) -> tuple[int, list[str]]:
    """Parent and command line; (0, []) for a process that cannot be looked at."""
    try:
        if Path("/proc/self/cmdline").exists():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]), words
        shown = subprocess.run(["ps", "-o", "ppid=,command=", "-p", str(pid)], capture_output=True, text=True, check=True)
        parent, _, command = shown.stdout.strip().partition(" ")
        return int(parent), command.split()
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return 0, []
