"""What the SDKs cost to import: as their packages do it, and as infra/sdk/ does."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from quantctl import project

_WHOLE = "import pulumi_databricks, pulumi_snowflake, databricks.sdk"
_LEAN = "import infra.sdk.databricks, infra.sdk.snowflake"


def import_seconds() -> dict[str, float]:
    """Seconds of a fresh interpreter, the median of five, with compiled modules on the disk."""
    return {
        "import pulumi alone": _median("import pulumi"),
        "import pulumi and the whole SDKs": _median("import pulumi\n" + _WHOLE),
        "import pulumi and what is used (infra/sdk/)": _median("import pulumi\n" + _LEAN),
    }


def _median(code: str) -> float:
    found = []
    for _ in range(6):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", code], cwd=project.root(), check=True)
        found.append(time.monotonic() - began)
    return statistics.median(found[1:])  # the first one compiles
