"""The peer: Terraform (or OpenTofu) with the standalone Databricks provider, for the same jobs on the same workspace.

The provider is the one that the built plugin contains. It is linked once from the Go modules of toolchain/providers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.measure import Cost, cost
from quantctl import project

_MODULE = "github.com/databricks/terraform-provider-databricks"


@dataclass(frozen=True)
class Peer:
    """A folder with its own state."""

    program: str
    folder: Path
    environ: dict[str, str]

    def apply(self) -> Cost:
        """Create everything."""
        return self._run("apply", "-auto-approve", "-refresh=false")

    def plan(self) -> Cost:
        """Look for changes without reading the workspace, as a preview does."""
        return self._run("plan", "-refresh=false", "-detailed-exitcode")

    def _run(self, *words: str) -> Cost:
        return cost([self.program, *words, "-input=false", "-no-color", "-lock=false"], self.folder, self.environ)


def peer(folder: Path, workflows: int, environ: dict[str, str]) -> Peer | None:
    """None where neither program, or no provider, is there."""
    program = shutil.which("tofu") or shutil.which("terraform")
    binary = provider()
    if program is None or binary is None:
        return None
    folder.mkdir()
    (folder / "main.tf.json").write_text(json.dumps(declared(workflows), indent=1))
    settings = folder / "cli.tfrc"
    settings.write_text(
        f'provider_installation {{\n  dev_overrides {{ "databricks/databricks" = "{binary.parent}" }}\n  direct {{}}\n}}\n'
    )
    wanted = {name: value for name, value in environ.items() if not name.startswith("SNOWFLAKE_")}
    return Peer(program, folder, {**wanted, "TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1"})


def provider() -> Path | None:
    """The standalone provider: linked in the user's cache, some minutes once; None where it cannot be."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "quant" / "bench"
    binary = cache / "terraform-provider-databricks"
    if not binary.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["go", "build", "-trimpath", "-mod=readonly", "-o", str(binary), _MODULE]
        try:
            subprocess.run(command, cwd=project.root() / "toolchain" / "providers", check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return None
    return binary


def declared(workflows: int) -> dict[str, Any]:
    """The jobs of bench/world.py and their permissions, as this program declares them."""
    jobs, permissions = {}, {}
    for number in range(workflows):
        task = {"spark_python_task": {"python_file": "/Workspace/quant/src/task.py"}, "environment_key": "default"}
        jobs[f"w{number}"] = {
            "name": f"peer {number}",
            "max_concurrent_runs": 1,
            "timeout_seconds": 3600,
            "edit_mode": "UI_LOCKED",
            "schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"},
            "task": [{"task_key": "first", **task}, {"task_key": "second", "depends_on": [{"task_key": "first"}], **task}],
            "environment": [{"environment_key": "default", "spec": {"client": "3"}}],
        }
        permissions[f"w{number}"] = {
            "job_id": f"${{databricks_job.w{number}.id}}",
            "access_control": [
                {"group_name": "quant-developers", "permission_level": "CAN_MANAGE_RUN"},
                {"group_name": "quant-support", "permission_level": "CAN_VIEW"},
            ],
        }
    return {
        "terraform": {"required_providers": {"databricks": {"source": "databricks/databricks"}}},
        "resource": {"databricks_job": jobs, "databricks_permissions": permissions},
    }
