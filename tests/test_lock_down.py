"""quant_live below a folder that somebody managed before: nobody reaches production through its parent."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.iam import AccessControlRequest, PermissionLevel

from quantctl.laptop import exports as environment
from quantctl.laptop.up import ensure_stack
from sandbox import control, identities, sample
from sandbox.state import State
from tests.paths import ROOT

pytestmark = pytest.mark.real
STACK = "quant_live"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """An empty workspace and account, with the sample remote."""
    made = State(tmp_path / "state")
    made.prepare()
    sample.create(made.remote)
    control.start(made)
    yield made
    control.stop(made)


def client(state: State, name: str) -> WorkspaceClient:
    endpoints = state.endpoints()
    assert endpoints is not None
    return WorkspaceClient(host=endpoints.databricks_host, token=state.tokens()[name])


def test_production_is_locked_from_above(state: State, tmp_path: Path) -> None:
    """A developer who managed the parent can neither edit in it nor in production, nor put something beside it."""
    admin, dana = client(state, identities.DEPLOYER_ID), client(state, "dana@quant.example")
    admin.workspace.mkdirs("/teams/locked")
    parent = admin.workspace.get_status("/teams/locked").object_id
    manage = AccessControlRequest(user_name="dana@quant.example", permission_level=PermissionLevel.CAN_MANAGE)
    admin.permissions.update("directories", str(parent), access_control_list=[manage])
    dana.workspace.mkdirs("/teams/locked/hers")

    file = yaml.safe_load((ROOT / f"Pulumi.{STACK}.yaml").read_text())
    file["config"]["quant:folder"] = f"/Workspace/teams/locked/{STACK}"
    file["config"]["quant:publicKey"] = state.public_key("dana")  # no job runs here
    config = tmp_path / "live.yaml"
    config.write_text(yaml.safe_dump(file))
    environ = environment.process_environment(state)
    ensure_stack(state, STACK, environ)

    def pulumi(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *words, "-s", STACK, "--config-file", str(config), "--non-interactive", "--color", "never"]
        return subprocess.run(command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=False)

    done = pulumi("up", "--yes", "--skip-preview", "--policy-pack", "policy")
    assert done.returncode == 0, done.stdout + done.stderr
    assert pulumi("preview", "--refresh", "--expect-no-changes").returncode == 0
    assert dana.workspace.download(f"/teams/locked/{STACK}/src/risk_model.py").read()
    for path in (f"/teams/locked/{STACK}/src/risk_model.py", f"/teams/locked/{STACK}/new.py"):
        with pytest.raises(DatabricksError, match="does not have CAN_"):
            dana.workspace.upload(path, b"x", overwrite=True)
    with pytest.raises(DatabricksError):
        dana.workspace.mkdirs("/teams/locked/more")
    with pytest.raises(DatabricksError):
        dana.permissions.update("directories", str(parent), access_control_list=[manage])
    # The principal of production runs its own folder and nothing that lies beside it.
    found = admin.permissions.get("directories", str(parent)).access_control_list or []
    assert identities.SERVICE_PRINCIPALS[STACK] not in [entry.service_principal_name for entry in found]
