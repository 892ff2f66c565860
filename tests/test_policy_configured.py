"""What is right because the settings say so, and wrong where they do not: the policy pack beside a configuration."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rules import agreement, allowed, environments
from rules.environments import DEVELOPMENT, LIVE, STACKS

from tests.policy_shapes import BRANCH, broken, changed, configured, good, of, token

pytestmark = pytest.mark.usefixtures("configured")
_ = configured


def rules(stack: str, variant: str, changes: dict[str, Any] | None = None, **settings: Any) -> list[str]:
    """The rules that a resource breaks where the settings say so."""
    said = {key: value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()}
    environments.configure(stack, {f"quant:{key}": value for key, value in said.items()})
    return sorted({one.rule for one in broken(stack, *changed(stack, variant, changes or {}))})


RECORDERS = {"recorders": ["@quant-bot", "developers"]}


@pytest.mark.parametrize(
    ("recorders", "settings", "right"),
    [
        (["maintainers"], {}, True),
        (["@quant-bot"], {"gitlab": RECORDERS}, True),
        (["@quant-bot", "maintainers"], {"gitlab": RECORDERS}, True),
        (["@quant-bot"], {}, False),
        (["@quant-bot"], {"gitlab": {"recorders": None}}, False),
        (["@quant-bot"], {"gitlab": ["@quant-bot"]}, False),
        (["@quant-bot"], {"gitlab": "no JSON"}, False),
        (["@other"], {"gitlab": RECORDERS}, False),
        (["maintainers", "@other"], {"gitlab": RECORDERS}, False),
        (["developers"], {"gitlab": RECORDERS}, False),  # a level is no account, whatever the settings list
        ([["@quant-bot"]], {"gitlab": RECORDERS}, False),
        ([""], {"gitlab": {"recorders": [""]}}, False),
    ],
)
def test_records_are_made_by_whom_the_settings_name(recorders: list[Any], settings: dict[str, Any], right: bool) -> None:
    """Maintainers, or an account of its own."""
    for stack in (DEVELOPMENT, LIVE):
        assert rules(stack, BRANCH, {"recorders": recorders}, **settings) == ([] if right else ["one-name"])


CREDENTIAL = {"gitProvider": "gitLab", "gitUsername": "reader", "principalId": "7", "personalAccessToken": {"secret": "x"}}


@pytest.mark.parametrize(
    ("changes", "settings", "wrong"),
    [
        ({}, {"gitCredential": {"username": "reader"}}, []),
        ({}, {}, ["one-name"]),
        ({}, {"gitCredential": {"username": "other"}}, ["one-name"]),
        ({}, {"gitCredential": ["reader"]}, ["one-name"]),
        ({"gitUsername": None}, {"gitCredential": {"username": None}}, ["one-name"]),
        ({"gitUsername": None}, {"gitCredential": {}}, ["one-name"]),
        ({"principalId": None}, {"gitCredential": {"username": "reader"}}, ["one-name"]),
        ({"principalId": ""}, {"gitCredential": {"username": "reader"}}, ["one-name"]),
        ({"gitProvider": "gitHub"}, {"gitCredential": {"username": "reader"}}, ["one-name"]),
        ({"gitProvider": "gitHub"}, {"gitCredential": {"username": "reader"}, "gitProvider": "gitHub"}, []),
        ({"name": LIVE}, {"gitCredential": {"username": "reader"}}, []),
        ({"name": "git-credential-7a16112"}, {"gitCredential": {"username": "reader"}}, ["one-name"]),
        ({"personalAccessToken": "x"}, {"gitCredential": {"username": "reader"}}, ["plain-secrets"]),
        ({"personalAccessToken": None}, {"gitCredential": {"username": "reader"}}, []),
    ],
)
def test_a_git_credential_is_the_principals(changes: dict[str, Any], settings: dict[str, Any], wrong: list[str]) -> None:
    """Of the user that the settings name, and not the deployer's own."""
    assert rules(LIVE, "GitCredential", {**CREDENTIAL, **changes}, **settings) == wrong


@pytest.mark.parametrize(
    ("addresses", "listed", "right"),
    [
        (["192.0.2.0/24"], ["192.0.2.0/24"], True),
        (["192.0.2.7", "10.0.0.0/8"], ["10.0.0.0/8", "192.0.2.7"], True),
        (["192.0.2.0/24"], [], False),
        (["192.0.2.7"], ["192.0.2.0/24"], False),
        (["10.0.0.0/7"], ["10.0.0.0/7"], False),
        (["0.0.0.0/0"], ["0.0.0.0/0"], False),
        (["2001:db8::/32"], ["2001:db8::/32"], False),
        (["home"], ["home"], False),
        ([None], [None], False),
        ([], [], False),
    ],
)
def test_a_service_user_logs_in_from_the_settings_addresses(addresses: list[Any], listed: list[Any], right: bool) -> None:
    """IPv4 addresses and ranges that are listed, none of them wider than /8."""
    policy = {"name": "QUANT_LIVE_SVC_ADDRESSES", "allowedIpLists": addresses}
    assert rules(LIVE, "NetworkPolicy", policy, allowedAddresses=listed) == ([] if right else ["one-name"])


@pytest.mark.parametrize(
    ("path", "folder", "right"),
    [
        ("/teams", "/teams/desk/quant_live", True),
        ("/teams/desk", "/Workspace/teams/desk/quant_live", True),
        ("/teams/desk/quant_live", "/teams/desk/quant_live", False),
        ("/team", "/teams/desk/quant_live", False),
        ("/", "/teams/desk/quant_live", False),
        ("/Shared", "/Shared/quant_live", False),
        ("/Users", "/Users/x/quant_live", False),
        ("/Repos", "/Repos/x/quant_live", False),
        (["/teams"], "/teams/desk/quant_live", False),
    ],
)
def test_a_directory_lies_above_the_folder(path: Any, folder: str, right: bool) -> None:
    """Never the root, nor where everybody's folders are."""
    assert rules(LIVE, "Directory", {"path": path}, folder=folder) == ([] if right else ["one-name"])


@pytest.mark.parametrize(
    ("path", "personal"),
    [
        ("/Users/dana@quant.example/quant", True),
        ("/Workspace/Users/dana@quant.example/quant", True),
        ("/Repos/dana@quant.example/quant", True),
        ("/Workspace/Repos/dana@quant.example/quant", True),
        ("/Repos/team/quant", False),
        ("/Repos", False),
        ("/XUsers/quant", False),
        ("/quant", False),
        ("/Shared/Users/quant", False),
        ("/Repos/team/dana@quant.example", False),
    ],
)
def test_a_personal_folder_is_known_by_its_path(path: str, personal: bool) -> None:
    """Below /Users, or below /Repos with a user's name."""
    assert agreement.is_personal(path) is personal


def test_a_personal_folder_is_a_developers_in_quant_alone() -> None:
    """Of the pipelines repository, at whatever branch; called as the environment."""
    mine = {"path": "/Users/dana@quant.example/quant", "branch": "my-feature"}
    assert rules(DEVELOPMENT, "Repo", mine) == []
    assert rules(DEVELOPMENT, "Repo", {**mine, "path": "/Repos/dana@quant.example/quant"}) == []
    for changes in (
        {"url": None},
        {"url": "https://forge.example/other.git"},
        {"path": "/Users/dana@quant.example/mine"},
        {"path": "/Users/dana@quant.example/a/quant"},
        {"path": "/Workspace/Users/dana@quant.example/quant"},
        {"path": "/Users/dana/quant"},
    ):
        assert rules(DEVELOPMENT, "Repo", {**mine, **changes}) == ["one-name"], changes
    assert rules(LIVE, "Repo", {"path": "/Users/dana@quant.example/quant_live"}) == ["one-name"]


def test_a_components_type_is_ours_and_has_no_properties_of_its_own() -> None:
    """The four packages of components, whatever they are called."""
    for kind in ("quant:index:Environment", "quant:databricks:GitFolder", "quant:gitlab:Branch", "quant:snowflake:Schema"):
        assert broken(LIVE, kind, {"anything": 1}) == []
    assert [one.rule for one in broken(LIVE, "quant:other:Thing", {})] == ["known-type"]


def test_names_of_the_team_are_the_environments_own() -> None:
    """quant:names says what is called otherwise, in any spelling of Snowflake's."""
    names = {
        "serviceRole": "desk_rw",
        "readerRole": "desk_r",
        "writerRole": "desk_w",
        "serviceUser": "desk",
        "secretScope": "desk",
    }
    assert rules(LIVE, "AccountRole", {"name": "DESK_RW"}, names=names) == []
    assert rules(LIVE, "AccountRole", {}, names=names) == ["one-name"]
    assert rules(LIVE, "AccountRole", {"name": "QUANT_SUPPORT"}, names=names) == []
    assert (
        rules(LIVE, "DatabaseRole", {"name": "DESK_R"}, names=names)
        == []
        == rules(LIVE, "DatabaseRole", {"name": "DESK_W"}, names=names)
    )
    assert rules(LIVE, "DatabaseRole", {"name": "QUANT_LIVE_WRITER"}, names=names) == ["one-name"]
    assert rules(LIVE, "SecretScope", {"name": "desk"}, names=names) == []
    assert rules(LIVE, "SecretScope", {}, names=names) == ["one-name"]
    user = {"name": "DESK", "defaultRole": "desk_rw"}
    assert rules(LIVE, "ServiceUser", {**user, "loginName": "DESK"}, names=names) == []
    assert rules(LIVE, "ServiceUser", {**user, "loginName": "SVC_QUANT_LR"}, names=names) == ["one-name"]
    assert rules(LIVE, "Secret", {"scope": "desk", "key": "other_key"}, names={**names, "secretKey": "own_key"}) == []
    for key in ("own_key", "snowflake_private_key", "snowflake_public_key"):
        assert rules(LIVE, "Secret", {"scope": "desk", "key": key}, names={**names, "secretKey": "own_key"}) == [
            "own-secret"
        ]
    assert rules(LIVE, "SecretScope", {}, names=["desk"]) == [] == rules(LIVE, "SecretScope", {}, names={"secretScope": 5})


def test_the_place_in_gitlab_is_the_shell_s_or_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell wins; without either, no branch is the environment's own."""
    elsewhere = {"gitlab": {"url": "https://other.example/", "project": "other/pipelines"}}
    assert rules(LIVE, BRANCH, {}, **elsewhere) == []
    monkeypatch.delenv("QUANT_GITLAB_URL")
    monkeypatch.delenv("QUANT_GITLAB_PROJECT")
    there = {"url": "https://other.example", "project": "other/pipelines"}
    assert rules(LIVE, BRANCH, there, **elsewhere) == [] and rules(LIVE, BRANCH, {}, **elsewhere) == ["one-name"]
    for said in ({}, {"gitlab": ["x"]}, {"gitlab": "no JSON"}):
        assert rules(LIVE, BRANCH, there, **said) == ["one-name"]


def test_a_number_may_be_the_least_and_the_most() -> None:
    """Days of history, shares of a quota."""
    for days, wrong in ((0, ["managed-access"]), (1, []), (90, []), (91, ["managed-access"])):
        assert rules(LIVE, "Schema", {"dataRetentionTimeInDays": days}) == wrong
    assert rules(DEVELOPMENT, "Schema", {"dataRetentionTimeInDays": 0}) == []
    for share, wrong in ((1, []), (100, []), (0, ["one-name"]), (101, ["one-name"])):
        assert rules(LIVE, "ResourceMonitor", {"notifyTriggers": [share]}) == wrong


def test_the_principal_is_known_in_any_spelling() -> None:
    """Its application id has letters."""
    ours = "00000000-0000-4000-8000-0000000000Ab"
    for principal, wrong in ((ours.swapcase(), []), (ours.replace("Ab", "ac"), ["own-secret"])):
        assert rules(LIVE, "SecretAcl", {"principal": principal}, servicePrincipal=ours) == wrong
        run_as = {"runAs": {"servicePrincipalName": principal}}
        assert rules(LIVE, "Job", run_as, servicePrincipal=ours) == (["runs-as-principal"] if wrong else [])


def test_personas_are_called_as_the_settings_say() -> None:
    """Their groups and roles, with the levels that the matrix gives them; the usual name is then nobody's."""
    personas = {"support": {"group": "helpers", "role": "helpers"}}
    access = {"accessControls": [{"groupName": "helpers", "permissionLevel": "CAN_READ"}]}
    assert rules(LIVE, "Permissions", access, personas=personas) == []
    assert rules(LIVE, "Permissions", access) == ["locked-down"]
    assert rules(LIVE, "Group", {"displayName": "helpers"}, personas=personas) == []
    assert rules(LIVE, "Group", {"displayName": "quant-support"}, personas=personas) == ["one-name"]
    assert rules(LIVE, "GrantDatabaseRole", {"parentRoleName": "HELPERS"}, personas=personas) == []
    assert rules(LIVE, "GrantDatabaseRole", {"parentRoleName": "QUANT_SUPPORT"}, personas=personas) == ["grants"]
    for odd in ("no JSON", ["support"], {"support": "helpers"}):
        assert rules(LIVE, "Group", {"displayName": "quant-support"}, personas=odd) == []


def test_a_limited_release_has_a_baseline_where_the_settings_say_so() -> None:
    """A second schema, of quant_lr alone."""
    base, with_one = {"name": "QUANT_LR_BASE"}, {"limitedRelease": {"baseline": True}}
    assert rules("quant_lr", "Schema", base, **with_one) == [] == rules("quant_lr", "Schema", {}, **with_one)
    for said in ({}, {"limitedRelease": {"baseline": "true"}}, {"limitedRelease": ["baseline"]}):
        assert rules("quant_lr", "Schema", base, **said) == ["one-name"]
    assert rules(LIVE, "Schema", {"name": "QUANT_LIVE_BASE"}, **with_one) == ["one-name"]
    environments.configure("quant_lr", {"quant:limitedRelease": '{"baseline": true}'})
    [told] = broken("quant_lr", *changed("quant_lr", "Schema", {"name": "QUANT_X"}))
    assert "expected 'QUANT_LR' or 'QUANT_LR_BASE', that of quant_lr." in told.message


def test_release_managers_merge_by_their_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its path in GitLab where the settings name it."""
    merged = {"mergers": ["team/rm"], "approvers": ["team/rm"]}
    assert rules(LIVE, BRANCH, merged, gitlab={"releaseManagers": "team/rm"}) == []
    assert "protected-branch" in rules(LIVE, BRANCH, merged) and "one-name" in rules(LIVE, BRANCH, merged)
    assert (
        rules(LIVE, BRANCH, {}, gitlab={"releaseManagers": ""})
        == []
        == rules(LIVE, BRANCH, {}, gitlab={"releaseManagers": 5})
    )
    environments.configure(LIVE, {"quant:gitlab": '{"releaseManagers": "team/rm"}'})
    listed = allowed.parse({"references": {LIVE: {"groups": ["team/board"]}}}, "allowed.yaml")
    monkeypatch.setattr(environments, "_listed", lambda: listed)
    environments.named.cache_clear()
    [told] = broken(LIVE, *changed(LIVE, BRANCH, {"mergers": ["developers", "team/board"], "approvers": ["team/board"]}))
    assert told.message.endswith("certain members merge, expected team/board, team/rm. Name their group.")
    for level in ("developers", "maintainers", "noOne", "quant-developers"):
        assert rules(DEVELOPMENT, BRANCH, {"mergers": [level], "pushers": [level]}) == []
        assert rules(DEVELOPMENT, BRANCH, {"approvers": [level]}) == ([] if level == "quant-developers" else ["one-name"])


@pytest.mark.parametrize("stack", STACKS)
def test_every_kind_of_grant_that_roles_need_passes(stack: str) -> None:
    """For the reader and the writer, on what is there and on what comes; nothing of it for the other role's objects."""
    reads = {
        kind: ["SELECT"]
        for kind in ("DYNAMIC TABLES", "EXTERNAL TABLES", "ICEBERG TABLES", "MATERIALIZED VIEWS", "TABLES", "VIEWS")
    }
    writes = {
        **reads,
        "FILE FORMATS": ["USAGE"],
        "SEQUENCES": ["USAGE"],
        "STAGES": ["READ", "WRITE"],
        "TABLES": ["DELETE", "INSERT", "SELECT", "TRUNCATE", "UPDATE"],
    }
    schema = f'"QUANT"."{stack.upper()}"'
    for variant, granted in (
        ("GrantPrivilegesToDatabaseRole", reads),
        ("GrantPrivilegesToDatabaseRole to the writer", writes),
    ):
        for kind in (*writes, "PROCEDURES", "FUNCTIONS", "TASKS", "PIPES", "STREAMS"):
            for scope in ("all", "future"):
                place = {"onSchemaObject": {scope: {"objectTypePlural": kind, "inSchema": schema}}}
                for privilege in (
                    "SELECT",
                    "USAGE",
                    "READ",
                    "WRITE",
                    "DELETE",
                    "INSERT",
                    "TRUNCATE",
                    "UPDATE",
                    "REFERENCES",
                    "OPERATE",
                ):
                    wrong = privilege not in granted.get(kind, [])
                    assert rules(stack, variant, {**place, "privileges": [privilege]}) == (["grants"] if wrong else []), (
                        kind,
                        privilege,
                    )
    creates = ["FILE FORMAT", "SEQUENCE", "STAGE", "TABLE", "TEMPORARY TABLE", "VIEW"]
    on = {"onSchemaObject": None, "onSchema": {"schemaName": schema}}
    for privilege in (
        "USAGE",
        *(f"CREATE {kind}" for kind in (*creates, "PROCEDURE", "TASK", "PIPE")),
        "MODIFY",
        "OWNERSHIP",
        "MONITOR",
    ):
        for variant in ("GrantPrivilegesToDatabaseRole", "GrantPrivilegesToDatabaseRole to the writer"):
            right = privilege == "USAGE" or ("writer" in variant and privilege.removeprefix("CREATE ") in creates)
            assert rules(stack, variant, {**on, "privileges": [privilege]}) == ([] if right else ["grants"]), (
                variant,
                privilege,
            )
    for variant in ("GrantPrivilegesToDatabaseRole", "GrantPrivilegesToDatabaseRole to the writer"):
        database = {"onSchemaObject": None, "onDatabase": "quant"}
        assert rules(stack, variant, {**database, "privileges": ["USAGE"]}) == []
        assert rules(stack, variant, {**database, "privileges": ["CREATE SCHEMA"]}) == ["grants"]
    on_database = {"onAccountObject": {"objectType": "DATABASE", "objectName": '"QUANT"'}}
    assert rules(stack, "GrantPrivilegesToAccountRole", on_database) == []


def test_the_shapes_are_of_every_type_that_has_a_name() -> None:
    """A type that gets a rule of names gets a right example."""
    kinds = {token(variant.partition(" ")[0]).rpartition(":")[2] for variant in good(LIVE)}
    here = {"Directory", "GitCredential", "NetworkPolicy"}
    assert {one.rpartition(":")[2] for one in agreement.NAMES} == (kinds | here) & {
        one.rpartition(":")[2] for one in agreement.NAMES
    }
    assert of(LIVE, "Job")[0] == token("Job")
