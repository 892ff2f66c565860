"""Every resource of a deployed environment, imported into a state that holds nothing, is what the program declares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.naming import names_of
from quantctl.adopt import importing
from quantctl.adopt.identity import Identities, Real
from quantctl.adopt.import_file import import_file
from quantctl.engine.process import run
from quantctl.engine.state import States, put_state
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace
from tests.conftest import Team

pytestmark = pytest.mark.real


@pytest.mark.parametrize("env", ["quant", "quant_live"])
def test_an_import_of_everything_changes_nothing(
    team: Team, env: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No create, no replacement, no update, and the same protection."""
    for name, value in team.environ.items():
        monkeypatch.setenv(name, value)
    settings, state = stack_settings(env, team.environ), States(team.environ).of(env)
    empty = {**team.environ, "PULUMI_BACKEND_URL": f"file://{tmp_path}"}
    run(["stack", "init", env, "--no-select"], empty)
    folder = Workspace(team.environ).git_folder(settings.folder)
    assert folder is not None
    real = Real(jobs=state.jobs, folders={settings.folder: folder.id})
    resources = importing.would_create(env, empty)
    made = import_file(resources, Identities(settings, names_of(settings), real).of)
    assert sum(one.custom for one in resources) == sum("id" in one for one in made["resources"])
    file = tmp_path / "import.json"
    file.write_text(json.dumps(made))
    put_state(env, empty, importing.imported(env, empty, file, resources, protect=settings.is_live))
    steps = [one for one in importing.preview(env, empty)["steps"] if one["op"] not in ("same", "read")]
    assert steps == []
    protected = {one["urn"]: bool(one.get("protect")) for one in state.resources if one.get("custom")}
    imported = {one["urn"]: bool(one.get("protect")) for one in States(empty).of(env).resources if one.get("custom")}
    ours = {urn for urn in imported if "providers" not in urn}
    assert {urn: imported[urn] for urn in ours} == {urn: protected[urn] for urn in ours} and len(ours) > 30
