"""Each policy rule: fails on an input that breaks it, passes on one that does not. First alone, then through the engine."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rules import binding, grants, identity, lockdown, secrets
from rules.inputs import stack_of

from tests.conftest import Team
from tests.paths import ROOT

_D, _S = "databricks:index/", "snowflake:index/"
PERMISSIONS, JOB = f"{_D}permissions:Permissions", f"{_D}job:Job"
GRANT, ROLE_GRANT = (
    f"{_S}grantPrivilegesToDatabaseRole:GrantPrivilegesToDatabaseRole",
    f"{_S}grantDatabaseRole:GrantDatabaseRole",
)
SP, OTHER = "00000000-0000-4000-8000-000000000004", "00000000-0000-4000-8000-0000000000d0"
SCHEMA = '"QUANT"."QUANT_LIVE"'


def group(name: str, level: str) -> dict[str, str]:
    return {"groupName": name, "permissionLevel": level}


def principal(level: str, who: str = SP) -> dict[str, str]:
    return {"servicePrincipalName": who, "permissionLevel": level}


def tables(privileges: list[str], role: str, **more: Any) -> dict[str, Any]:
    on = {"future": {"objectTypePlural": "TABLES", "inSchema": SCHEMA}}
    return {"databaseRoleName": f'"QUANT"."{role}"', "privileges": privileges, "onSchemaObject": on, **more}


def job(**fields: Any) -> dict[str, Any]:
    task = {"taskKey": "a", "sparkPythonTask": {"pythonFile": "/Workspace/quant_live/a.py"}}
    usual = {"name": "quant_live x", "editMode": "UI_LOCKED", "runAs": {"servicePrincipalName": SP}, "tasks": [task]}
    return {key: value for key, value in {**usual, **fields}.items() if value is not None}


@dataclass(frozen=True)
class Case:
    """One rule, an input that breaks it with the words of the refusal, and one that keeps it."""

    rule: str
    kind: str
    bad: dict[str, Any]
    words: str
    good: dict[str, Any]


_REPO = {"url": "https://forge.example/p.git", "gitProvider": "gitLab", "path": "/quant_live", "branch": "quant_live"}
_OWNED = [principal("IS_OWNER", OTHER), principal("CAN_MANAGE_RUN")]
CASES = [
    Case("one-name", f"{_D}repo:Repo", {**_REPO, "branch": "quant"}, "is on branch 'quant'", _REPO),
    Case("one-name", f"{_D}repo:Repo", {**_REPO, "path": "/quant"}, "ends in /quant_live", _REPO),
    Case("one-name", f"{_D}repo:Repo", {**_REPO, "path": "/Users/a@b.c/quant"}, "personal folders", _REPO),
    Case(
        "one-name",
        f"{_S}schema:Schema",
        {"database": "QUANT", "name": "QUANT", "withManagedAccess": "true"},
        "the schema is called 'QUANT'",
        {"database": "QUANT", "name": "QUANT_LIVE", "withManagedAccess": "true"},
    ),
    Case(
        "one-name",
        f"{_S}schema:Schema",
        {"database": "QUANT", "name": "QUANT_LIVE", "withManagedAccess": "false"},
        "no managed access",
        {"database": "QUANT", "name": "QUANT_LIVE", "withManagedAccess": "true"},
    ),
    Case("one-name", f"{_D}secretScope:SecretScope", {"name": "quant"}, "scope is called 'quant'", {"name": "quant_live"}),
    Case("one-name", JOB, job(name="quant x"), "names begin with 'quant_live '", job()),
    Case(
        "locked-folder",
        PERMISSIONS,
        {"repoId": "1", "accessControls": [group("quant-developers", "CAN_EDIT")]},
        "quant-developers has CAN_EDIT",
        {"repoId": "1", "accessControls": [group("quant-developers", "CAN_READ"), principal("CAN_RUN")]},
    ),
    Case(
        "locked-folder",
        PERMISSIONS,
        {"directoryPath": "/locked", "accessControls": [{"userName": "dana@quant.example", "permissionLevel": "CAN_RUN"}]},
        "dana@quant.example has CAN_RUN",
        {"directoryPath": "/locked", "accessControls": [group("quant-support", "CAN_READ")]},
    ),
    Case(
        "locked-folder",
        PERMISSIONS,
        {"repoId": "1", "accessControls": [principal("CAN_MANAGE")]},
        "has CAN_MANAGE; in quant_live at most CAN_RUN",
        {"repoId": "1", "accessControls": [principal("CAN_RUN")]},
    ),
    Case(
        "locked-jobs",
        PERMISSIONS,
        {"jobId": "1", "accessControls": [*_OWNED, group("quant-release-managers", "CAN_MANAGE_RUN")]},
        "quant-release-managers has CAN_MANAGE_RUN",
        {"jobId": "1", "accessControls": [*_OWNED, group("quant-release-managers", "CAN_VIEW")]},
    ),
    Case("locked-jobs", JOB, job(editMode="EDITABLE"), "edit_mode is 'EDITABLE'", job()),
    Case(
        "locked-secret",
        f"{_D}secretAcl:SecretAcl",
        {"scope": "quant_live", "principal": "quant-developers", "permission": "READ"},
        "READ for 'quant-developers'",
        {"scope": "quant_live", "principal": SP, "permission": "READ"},
    ),
    Case(
        "locked-secret",
        f"{_D}secretAcl:SecretAcl",
        {"scope": "quant_live", "principal": SP, "permission": "MANAGE"},
        "found MANAGE",
        {"scope": "quant_live", "principal": SP, "permission": "READ"},
    ),
    Case("runs-as-principal", JOB, job(runAs={"userName": "dana@quant.example"}), "run_as is", job()),
    Case("runs-as-principal", JOB, job(runAs=None), "not said", job()),
    Case(
        "one-owner",
        PERMISSIONS,
        {"jobId": "1", "accessControls": [principal("CAN_VIEW")]},
        "found 0 entries with IS_OWNER",
        {"jobId": "1", "accessControls": _OWNED},
    ),
    Case("plain-grants", GRANT, tables(["ALL PRIVILEGES"], "QUANT_LIVE_WRITER"), "found ALL", tables(["SELECT"], "X")),
    Case("plain-grants", GRANT, tables(["SELECT"], "PUBLIC"), "is PUBLIC", tables(["SELECT"], "QUANT_LIVE_READER")),
    Case(
        "plain-grants",
        GRANT,
        tables(["SELECT"], "QUANT_LIVE_READER", alwaysApply=True),
        "always_apply is set",
        tables(["SELECT"], "QUANT_LIVE_READER"),
    ),
    Case(
        "one-writer",
        GRANT,
        tables(["INSERT", "SELECT"], "QUANT_LIVE_READER"),
        "INSERT to QUANT_LIVE_READER",
        tables(["INSERT", "SELECT"], "QUANT_LIVE_WRITER"),
    ),
    Case(
        "one-writer",
        ROLE_GRANT,
        {"databaseRoleName": '"QUANT"."QUANT_LIVE_WRITER"', "parentRoleName": "QUANT_DEVELOPERS"},
        "QUANT_LIVE_WRITER to QUANT_DEVELOPERS",
        {"databaseRoleName": '"QUANT"."QUANT_LIVE_WRITER"', "parentRoleName": "QUANT_LIVE_SVC"},
    ),
    Case(
        "one-writer",
        f"{_S}grantAccountRole:GrantAccountRole",
        {"roleName": "QUANT_LIVE_SVC", "userName": "DANA"},
        "QUANT_LIVE_SVC to DANA",
        {"roleName": "QUANT_LIVE_SVC", "userName": "SVC_QUANT_LIVE"},
    ),
    Case(
        "no-plain-secret",
        JOB,
        job(description="-----BEGIN PRIVATE KEY-----"),
        "description holds a private key",
        job(parameters=[{"name": "key", "default": "{{secrets/quant_live/snowflake_private_key}}"}]),
    ),
    Case(
        "no-plain-secret",
        JOB,
        job(tags={"password": "hunter2"}),
        "tags.password holds a value whose name says",
        job(tags={"team": "quant"}),
    ),
]
RULES = {
    "one-name": binding.one_name,
    "locked-folder": lockdown.folder,
    "locked-jobs": lockdown.jobs,
    "locked-secret": lockdown.secret_acl,
    "runs-as-principal": identity.run_as,
    "one-owner": identity.one_owner,
    "plain-grants": grants.plain_grants,
    "one-writer": grants.one_writer,
    "no-plain-secret": secrets.no_plain_secret,
}
by_words = pytest.mark.parametrize("case", CASES, ids=[f"{c.rule}: {c.words}"[:60] for c in CASES])


@by_words
def test_a_rule_refuses_what_breaks_it_and_nothing_else(case: Case) -> None:
    """The message says what was found; the same resource done right passes every rule."""
    said = " ".join(RULES[case.rule](case.kind, case.bad, "quant_live"))
    assert case.words in said
    for rule in RULES.values():
        assert list(rule(case.kind, case.good, "quant_live")) == []


def test_the_environments_differ() -> None:
    """In development people run jobs and jobs may run as people; production's rules are production's."""
    running = {"jobId": "1", "accessControls": [*_OWNED, group("quant-developers", "CAN_MANAGE_RUN")]}
    assert list(lockdown.jobs(PERMISSIONS, running, "quant")) == []
    assert list(identity.run_as(JOB, job(runAs={"userName": "dana@quant.example"}), "quant")) == []
    assert list(identity.run_as(JOB, job(runAs={"userName": "dana@quant.example"}), "quant_stg")) != []
    assert list(binding.one_name("pulumi:pulumi:Stack", {}, "production")) != []
    assert stack_of("urn:pulumi:quant_lr::quant::a$b::c") == "quant_lr"


def test_the_pack_knows_nothing_of_the_program() -> None:
    """Written independently: it imports nothing from infra/, quantctl/ or sandbox/."""
    for file in (ROOT / "policy").rglob("*.py"):
        assert not any(f"{word}." in line for word in ("infra", "quantctl", "sandbox") for line in imports(file))


def imports(file: Path) -> list[str]:
    return [f"{line.split()[1]}." for line in file.read_text().splitlines() if line.startswith(("from ", "import "))]


PROGRAM = """
import json, pathlib, pulumi
for number, (kind, inputs) in enumerate(json.loads(pathlib.Path("resources.json").read_text())):
    pulumi.CustomResource(kind, f"r{number}", inputs)
"""


def preview(team: Team, folder: Path, resources: list[tuple[str, dict[str, Any]]]) -> subprocess.CompletedProcess[str]:
    """A program that declares `resources` in a stack quant_live, previewed with the policy pack."""
    folder.mkdir()
    virtualenv = ROOT / ".venv"
    (folder / "Pulumi.yaml").write_text(f"name: cases\nruntime: {{name: python, options: {{virtualenv: {virtualenv}}}}}\n")
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "resources.json").write_text(json.dumps(resources))
    backend = folder / "backend"
    backend.mkdir()
    environ = {**team.environ, "PULUMI_BACKEND_URL": f"file://{backend}"}
    subprocess.run(["pulumi", "stack", "init", "quant_live"], cwd=folder, env=environ, check=True, capture_output=True)
    command = ["pulumi", "preview", "-s", "quant_live", "--policy-pack", str(ROOT / "policy"), "--non-interactive"]
    return subprocess.run(
        [*command, "--color", "never"], cwd=folder, env=environ, capture_output=True, text=True, timeout=180, check=False
    )


@pytest.mark.real
def test_every_rule_fails_through_the_engine(team: Team, tmp_path: Path) -> None:
    """The real engine and providers: each broken input is refused with its rule's name and words."""
    done = preview(team, tmp_path / "bad", [(case.kind, case.bad) for case in CASES])
    assert done.returncode != 0
    for case in CASES:
        assert f" {case.rule} " in done.stdout, (case.rule, done.stdout)
        assert case.words in " ".join(done.stdout.split()), (case.words, done.stdout)
    assert " owned-jobs " in done.stdout


@pytest.mark.real
def test_every_rule_passes_through_the_engine(team: Team, tmp_path: Path) -> None:
    """The same resources done right: nothing is refused."""
    good = [(case.kind, case.good) for case in CASES if case.kind != JOB]
    done = preview(team, tmp_path / "good", good)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[mandatory]" not in done.stdout


@pytest.mark.real
@pytest.mark.parametrize("stack", ["quant", "quant_stg", "quant_lr", "quant_live"])
def test_the_environments_keep_every_rule(team: Team, stack: str) -> None:
    """The program itself, with the plain command."""
    done = team.pulumi("preview", "-s", stack, "--policy-pack", "policy")
    assert done.returncode == 0, done.stdout
    assert "quant@v1.0.0" in done.stdout
