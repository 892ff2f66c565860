"""The variables that make an engine run cheaper, each with its figure: docs/decisions/0014-engine-variables.md."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

# Engine and plugins live for seconds: collect less often than Go does (100). `off` is slower and takes 2 GB a process.
# https://go.dev/doc/gc-guide#GOGC
ALWAYS = {"GOGC": "400"}
# One state at the end instead of one after each step: a killed update has then created what no state knows, so only where
# both are made again. https://github.com/pulumi/pulumi/issues/10668
FIRST_DEPLOYMENT = {"PULUMI_SKIP_CHECKPOINTS": "true"}
_WHY = "A file in place of the folder: the engine writes no automatic log here (quantctl/engine/tuning.py).\n"


def tuned(environ: Mapping[str, str]) -> dict[str, str]:
    """For every engine run; what the shell says itself stays."""
    return ALWAYS | dict(environ)


def without_log(home: Path) -> None:
    """No automatic log in an engine's home that is ours: half of the engine's time. The engine has no switch for it.

    A home that cannot be written is left as it is.
    """
    logs = home / "logs"
    try:
        if not logs.is_file():
            shutil.rmtree(logs, ignore_errors=True)
            home.mkdir(parents=True, exist_ok=True)
            logs.write_text(_WHY)
    except OSError:
        return
