"""A pulumi that the user put on PATH."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from pathlib import Path

from toolchain import cache

_OLDEST = (3, 187)


def on_path() -> tuple[Path, str] | None:
    """The first pulumi on PATH and its version, when it is new enough and not our own (which `quantctl env` puts there)."""
    found = shutil.which("pulumi")
    if found is None or cache.is_ours(Path(found)):
        return None
    told = version_of(Path(found))
    numbers = re.match(r"v?(\d+)\.(\d+)", told)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < _OLDEST:
        return None
    return Path(found), told


def version_of(pulumi: Path) -> str:
    """What a pulumi says of itself; '' where it does not run. Asked once a process, which costs 0.1 s."""
    try:
        return _told(pulumi, pulumi.stat().st_mtime_ns)
    except OSError:
        return ""


@functools.cache
def _told(pulumi: Path, written: int) -> str:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [str(pulumi), "version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=20,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()
