"""Each policy rule: fails on an input that breaks it, passes on one that does not. First alone, then through the engine."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic.dynamic import serialize_provider
from rules import (
    agreement,
    branch_protection,
    grants,
    lock_down,
    managed_access,
    owners,
    plain_secrets,
    runners,
    secret_scope,
)
from rules.engine import stack_of
from rules.values import UNKNOWN, Declared, Secret

from infra.gitlab.branch_protection import BranchProtectionProvider
from tests.conftest import Team
from tests.paths import ROOT

_D, _S = "databricks:index/", "snowflake:index/"
PERMISSIONS, JOB, SECRET = f"{_D}permissions:Permissions", f"{_D}job:Job", f"{_D}secret:Secret"
GRANT, ROLE_GRANT = (
    f"{_S}grantPrivilegesToDatabaseRole:GrantPrivilegesToDatabaseRole",
    f"{_S}grantDatabaseRole:GrantDatabaseRole",
)
SP, OTHER = "00000000-0000-4000-8000-000000000004", "00000000-0000-4000-8000-0000000000d0"
SCHEMA = '"QUANT"."QUANT_LIVE"'
PEM = "-----BEGIN PRIVATE KEY-----"


def group(name: str, level: str) -> dict[str, str]:
    return {"groupName": name, "permissionLevel": level}


def principal(level: str, who: str = SP) -> dict[str, str]:
    return {"servicePrincipalName": who, "permissionLevel": level}


def tables(privileges: list[str], role: str, schema: str = SCHEMA, **more: Any) -> dict[str, Any]:
    on = {"future": {"objectTypePlural": "TABLES", "inSchema": schema}}
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
_MANAGED = {"database": "QUANT", "name": "QUANT_LIVE", "withManagedAccess": "true"}
_READS = tables(["SELECT"], "QUANT_LIVE_READER")
_WRITER = '"QUANT"."QUANT_LIVE_WRITER"'
BRANCH = "pulumi-python:dynamic/gitlab:BranchProtection"
_GUARDED = {
    "branch": "quant_live", "pushers": ["noOne"], "mergers": ["quant-release-managers"], "approvals": 1, "forcePush": False,
    "__provider": serialize_provider(BranchProtectionProvider()),
}  # fmt: skip
CASES = [
    Case("protected-branch", BRANCH, {**_GUARDED, "branch": "quant"}, "BranchProtection branch: found 'quant'", _GUARDED),
    Case("protected-branch", BRANCH, {**_GUARDED, "pushers": ["developers"]}, "pushers: found ['developers']", _GUARDED),
    Case("protected-branch", BRANCH, {**_GUARDED, "mergers": ["maintainers"]}, "mergers: found 'maintainers'", _GUARDED),
    Case("protected-branch", BRANCH, {**_GUARDED, "approvals": 0}, "approvals: found 0", _GUARDED),
    Case("protected-branch", BRANCH, {**_GUARDED, "forcePush": True}, "forcePush: found True", _GUARDED),
    Case("one-name", f"{_D}repo:Repo", {**_REPO, "branch": "quant"}, "Repo branch: found 'quant'", _REPO),
    Case("one-name", f"{_D}repo:Repo", {**_REPO, "path": "/quant"}, "Repo path, last part: found 'quant'", _REPO),
    Case("one-name", f"{_D}repo:Repo", {**_REPO, "path": "/Users/a@b.c/quant"}, "a personal folder", _REPO),
    Case("one-name", f"{_S}schema:Schema", {**_MANAGED, "name": "QUANT"}, "Schema name: found 'quant'", _MANAGED),
    Case("one-name", f"{_D}secretScope:SecretScope", {"name": "quant"}, "SecretScope name: found", {"name": "quant_live"}),
    Case("one-name", JOB, job(name="quant x"), "expected a name that starts with 'quant_live'", job()),
    Case(
        "one-name",
        PERMISSIONS,
        {"directoryPath": "/a/quant_stg", "accessControls": [group("quant-support", "CAN_READ")]},
        "the folder of quant_stg",
        {"directoryPath": "/a", "accessControls": [group("quant-support", "CAN_READ")]},
    ),
    Case(
        "managed-access",
        f"{_S}schema:Schema",
        {**_MANAGED, "withManagedAccess": "false"},
        "Schema withManagedAccess: found 'false'",
        _MANAGED,
    ),
    Case(
        "locked-down",
        PERMISSIONS,
        {"repoId": "1", "accessControls": [group("quant-developers", "CAN_EDIT")]},
        "found 'quant-developers' with 'CAN_EDIT'",
        {"repoId": "1", "accessControls": [group("quant-developers", "CAN_READ"), principal("CAN_RUN")]},
    ),
    Case(
        "locked-down",
        PERMISSIONS,
        {"directoryPath": "/locked", "accessControls": [{"userName": "dana@quant.example", "permissionLevel": "CAN_RUN"}]},
        "found 'dana@quant.example' with 'CAN_RUN'",
        {"directoryPath": "/locked", "accessControls": [group("quant-support", "CAN_READ")]},
    ),
    Case(
        "locked-down",
        PERMISSIONS,
        {"repoId": "1", "accessControls": [principal("CAN_MANAGE")]},
        "a service principal has at most CAN_READ or CAN_RUN",
        {"repoId": "1", "accessControls": [principal("CAN_RUN")]},
    ),
    Case(
        "locked-down",
        PERMISSIONS,
        {"jobId": "1", "accessControls": [*_OWNED, group("quant-release-managers", "CAN_MANAGE_RUN")]},
        "found 'quant-release-managers' with 'CAN_MANAGE_RUN'",
        {"jobId": "1", "accessControls": [*_OWNED, group("quant-release-managers", "CAN_VIEW")]},
    ),
    Case(
        "locked-down",
        PERMISSIONS,
        {"clusterId": "1", "accessControls": [group("quant-developers", "CAN_RESTART")]},
        "no lock-down level for",
        {"jobId": "1", "accessControls": _OWNED},
    ),
    Case("locked-down", JOB, job(editMode="EDITABLE"), "Job editMode: found 'EDITABLE'", job()),
    Case(
        "own-secret",
        f"{_D}secretAcl:SecretAcl",
        {"scope": "quant_live", "principal": "quant-developers", "permission": "READ"},
        "SecretAcl principal: found 'quant-developers'",
        {"scope": "quant_live", "principal": SP, "permission": "READ"},
    ),
    Case(
        "own-secret",
        f"{_D}secretAcl:SecretAcl",
        {"scope": "quant_live", "principal": SP, "permission": "MANAGE"},
        "SecretAcl permission: found 'MANAGE'",
        {"scope": "quant_live", "principal": SP, "permission": "READ"},
    ),
    Case(
        "own-secret",
        f"{_D}secretScope:SecretScope",
        {"name": "quant_live", "initialManagePrincipal": "users"},
        "it lets every user read",
        {"name": "quant_live"},
    ),
    Case("runs-as-principal", JOB, job(runAs={"userName": "dana@quant.example"}), "found userName", job()),
    Case("runs-as-principal", JOB, job(runAs=None), "Job runAs: found nothing", job()),
    Case(
        "one-owner",
        PERMISSIONS,
        {"jobId": "1", "accessControls": [principal("CAN_VIEW")]},
        "found 0 entries with IS_OWNER",
        {"jobId": "1", "accessControls": _OWNED},
    ),
    Case("grants", GRANT, tables(["ALL PRIVILEGES"], "QUANT_LIVE_WRITER"), "found ALL PRIVILEGES", tables(["SELECT"], "X")),
    Case("grants", GRANT, tables(["SELECT"], "PUBLIC"), "found PUBLIC, which is everybody", _READS),
    Case("grants", GRANT, {**_READS, "alwaysApply": True}, "alwaysApply: found true", _READS),
    Case("grants", GRANT, {**_READS, "withGrantOption": True}, "withGrantOption: found true", _READS),
    Case(
        "grants",
        GRANT,
        tables(["SELECT"], "QUANT_LIVE_READER", '"QUANT"."QUANT_STG"'),
        "found schema QUANT_STG, allowed in stack quant_live is QUANT_LIVE",
        _READS,
    ),
    Case(
        "grants",
        GRANT,
        {**_READS, "onSchemaObject": {"future": {"objectTypePlural": "TABLES", "inDatabase": "QUANT"}}},
        "holds the schemas of other environments too",
        _READS,
    ),
    Case(
        "grants",
        GRANT,
        tables(["INSERT", "SELECT"], "QUANT_LIVE_READER"),
        "found INSERT for",
        tables(["INSERT", "SELECT"], "QUANT_LIVE_WRITER"),
    ),
    Case(
        "grants",
        ROLE_GRANT,
        {"databaseRoleName": _WRITER, "parentRoleName": "QUANT_DEVELOPERS"},
        "QUANT_LIVE_WRITER is for parentRoleName QUANT_LIVE_SVC alone",
        {"databaseRoleName": _WRITER, "parentRoleName": "QUANT_LIVE_SVC"},
    ),
    Case(
        "grants",
        f"{_S}grantAccountRole:GrantAccountRole",
        {"roleName": "QUANT_LIVE_SVC", "userName": "DANA"},
        "QUANT_LIVE_SVC is for userName SVC_QUANT_LIVE alone",
        {"roleName": "QUANT_LIVE_SVC", "userName": "SVC_QUANT_LIVE"},
    ),
    Case(
        "grants",
        f"{_S}grantOwnership:GrantOwnership",
        {"accountRoleName": "QUANT_DEVELOPERS", "on": {"objectType": "SCHEMA", "objectName": SCHEMA}},
        "found a change of owner",
        {},
    ),
    Case("grants", f"{_S}execute:Execute", {"execute": "SELECT 1", "revert": "SELECT 1"}, "found SQL of its own", {}),
    Case(
        "plain-secrets",
        JOB,
        job(description=PEM),
        "Job description: found a private key",
        job(parameters=[{"name": "key", "default": "{{secrets/quant_live/snowflake_private_key}}"}]),
    ),
    Case("plain-secrets", JOB, job(tags={"password": "hunter2"}), "Job tags.password: found", job(tags={"team": "quant"})),
    Case(
        "plain-secrets",
        JOB,
        job(parameters=[{"name": "api_token", "default": "hunter2"}]),
        "Job parameters[0].default: found a plain value",
        job(parameters=[{"name": "universe", "default": "TOP50"}]),
    ),
    Case(
        "plain-secrets",
        f"{_D}repo:Repo",
        {**_REPO, "url": "https://me:hunter2@forge.example/p.git"},
        "Repo url: found a token or password",
        _REPO,
    ),
]
RULES = {
    "protected-branch": branch_protection.check,
    "one-name": agreement.check,
    "managed-access": managed_access.check,
    "locked-down": lock_down.check,
    "own-secret": secret_scope.check,
    "runs-as-principal": runners.check,
    "one-owner": owners.check,
    "grants": grants.check,
    "plain-secrets": plain_secrets.check,
}
by_words = pytest.mark.parametrize("case", CASES, ids=[f"{c.rule}: {c.words}"[:60] for c in CASES])


@by_words
def test_a_rule_refuses_what_breaks_it_and_nothing_else(case: Case) -> None:
    """The message says what was found; the same resource done right passes every rule."""
    assert case.words in " ".join(RULES[case.rule](case.kind, case.bad, "quant_live"))
    for rule in RULES.values():
        assert case.good == {} or rule(case.kind, case.good, "quant_live") == []


def test_the_environments_differ() -> None:
    """In development people run jobs and jobs may run as people; production's rules are production's."""
    running = {"jobId": "1", "accessControls": [*_OWNED, group("quant-developers", "CAN_MANAGE_RUN")]}
    assert lock_down.check(PERMISSIONS, running, "quant") == []
    assert runners.check(JOB, job(runAs={"userName": "dana@quant.example"}), "quant") == []
    assert runners.check(JOB, job(runAs={"userName": "dana@quant.example"}), "quant_stg") != []
    assert agreement.check("pulumi:pulumi:Stack", {}, "production") != []
    assert agreement.check(f"{_D}repo:Repo", {**_REPO, "path": "/Users/a@b.c/quant", "branch": "x"}, "quant") == []
    assert stack_of("urn:pulumi:quant_lr::quant::a$b::c") == "quant_lr"


def test_what_is_not_known_yet_is_judged_by_the_update() -> None:
    """A preview passes over a value that comes from a resource still to be created."""
    for kind, props in (
        (PERMISSIONS, {"jobId": UNKNOWN, "accessControls": UNKNOWN}),
        (GRANT, {"databaseRoleName": UNKNOWN, "privileges": ["INSERT"], "onSchemaObject": UNKNOWN}),
        (JOB, job(runAs=UNKNOWN, editMode=UNKNOWN, name=UNKNOWN)),
    ):
        for name, rule in RULES.items():
            assert rule(kind, props, "quant_live") == [], (name, kind)


def test_a_secret_is_marked_or_refused() -> None:
    """A key belongs into a Databricks secret, as a Pulumi secret; a plain one is refused without repeating it."""
    assert plain_secrets.check(SECRET, {"key": "k", "stringValue": Secret(PEM)}, "quant") == []
    [said] = plain_secrets.check(SECRET, {"key": "k", "stringValue": "hunter2"}, "quant")
    assert "stringValue" in said and "hunter2" not in said
    [said] = plain_secrets.check(JOB, job(description=Secret(PEM)), "quant")
    assert "belongs into the stringValue" in said


def test_rules_of_the_whole_stack() -> None:
    """A job without Permissions, two runners, and a token among the outputs are found."""

    def declared(kind: str, name: str, props: dict[str, Any], **refers: list[str]) -> Declared:
        return Declared(f"urn:pulumi:quant_live::quant::{kind}::{name}", kind, props, refers)

    owned, lonely = declared(JOB, "owned", job()), declared(JOB, "lonely", job(runAs={"servicePrincipalName": OTHER}))
    permissions = declared(PERMISSIONS, "p", {"jobId": UNKNOWN, "accessControls": _OWNED}, jobId=[owned.urn])
    [(said, urn)] = owners.check_stack([owned, lonely, permissions], "quant_live")
    assert "Job lonely" in said and urn == lonely.urn
    [(said, _)] = runners.check_stack([owned, lonely], "quant_live")
    assert "owned" in said and "lonely" in said
    assert runners.check_stack([owned], "quant_live") == []
    outputs = declared("pulumi:pulumi:Stack", "s", {"token": "dapi0123456789abcdef0123456789abcdef", "branch": "quant"})
    [(said, _)] = plain_secrets.check_stack([outputs], "quant_live")
    assert "output token" in said and "dapi" not in said


def test_the_pack_knows_nothing_of_the_program() -> None:
    """Written independently: it imports nothing from infra/, quantctl/ or sandbox/."""
    for file in (ROOT / "policy").rglob("*.py"):
        assert not any(f"{word}." in line for word in ("infra", "quantctl", "sandbox") for line in imports(file))


def imports(file: Path) -> list[str]:
    return [f"{line.split()[1]}." for line in file.read_text().splitlines() if line.startswith(("from ", "import "))]


PROGRAM = """
import json, pathlib, pulumi
def read(value):
    return pulumi.Output.secret(value["secret"]) if set(value) == {"secret"} else value
for number, (kind, inputs) in enumerate(json.loads(pathlib.Path("resources.json").read_text(), object_hook=read)):
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
    assert "hunter2" not in done.stdout


@pytest.mark.real
def test_every_rule_passes_through_the_engine(team: Team, tmp_path: Path) -> None:
    """The same resources done right: nothing is refused."""
    good = [(case.kind, case.good) for case in CASES if case.kind != JOB and case.good]
    good.append((SECRET, {"scope": "quant_live", "key": "api_token", "stringValue": {"secret": PEM}}))
    done = preview(team, tmp_path / "good", good)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[mandatory]" not in done.stdout


@pytest.mark.real
def test_the_environments_keep_every_rule(team: Team) -> None:
    """The program itself, with the plain command; the fixture's `quantctl up` has judged all four."""
    done = team.pulumi("preview", "-s", "quant_live", "--policy-pack", "policy")
    assert done.returncode == 0, done.stdout
    assert "quant@v1.0.0" in done.stdout
