"""The account and the real provider: every resource of ours, through the real engine, made, changed and destroyed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from quantctl.laptop.exports import process_environment
from sandbox.state import State
from tests.account_sandbox import Account, running
from tests.paths import ROOT

pytestmark = pytest.mark.real

PROGRAM = """
import json, pathlib, pulumi
made = {}
for name, kind, inputs, after in json.loads(pathlib.Path("resources.json").read_text()):
    options = pulumi.ResourceOptions(depends_on=[made[each] for each in after])
    token = f"snowflake:index/{kind[0].lower()}{kind[1:]}:{kind}"
    made[name] = pulumi.CustomResource(token, name, inputs, options)
"""
SETTINGS = """
name: account
runtime: {{name: python, options: {{virtualenv: {virtualenv}}}}}
"""
# What there is, told by the account itself; a time or a number that only counts is left out.
SHOWN = (
    "DATABASES",
    "SCHEMAS IN ACCOUNT",
    "ROLES",
    "USERS",
    "WAREHOUSES",
    "RESOURCE MONITORS",
    "NETWORK POLICIES",
    "SHARES",
)
_COUNTED = ("created_on", "resumed_on", "updated_on", "uuid", "is_current", "is_inherited")


def resources(keys: tuple[str, str], *, changed: bool) -> list[tuple[str, str, dict[str, Any], list[str]]]:
    """One of each, in its main forms; changed: everything that can change in place is another."""

    def either(before: Any, after: Any) -> Any:
        return after if changed else before

    database, schema, reader = '"DESK"', '"DESK"."RISK"', '"DESK"."READER"'
    objects = {"objectTypePlural": "TABLES", "inSchema": schema}
    in_database = {"objectTypePlural": "VIEWS", "inDatabase": database}
    everything: list[tuple[str, str, dict[str, Any], list[str]]] = [
        ("database", "Database", {"name": "DESK", "comment": either("a", "b"), "dataRetentionTimeInDays": either(1, 3)}, []),
        (
            "schema", "Schema",
            {
                "name": "RISK", "database": "DESK", "withManagedAccess": either("true", "false"),
                "comment": either("it's", 'a "quoted" \\ one'), "dataRetentionTimeInDays": either(1, 2),
            },
            ["database"],
        ),
        ("account-role", "AccountRole", {"name": "DESK_ROLE", "comment": either("a", "b")}, []),
        ("parent-role", "AccountRole", {"name": "DESK_PARENT"}, []),
        ("owner-role", "AccountRole", {"name": "DESK_OWNER"}, []),
        ("reader", "DatabaseRole", {"name": "READER", "database": "DESK", "comment": either("a", "b")}, ["database"]),
        ("writer", "DatabaseRole", {"name": "WRITER", "database": "DESK"}, ["database"]),
        ("monitor", "ResourceMonitor", {
            "name": "DESK_MONITOR", "creditQuota": either(10, 20), "notifyTriggers": either([50, 80], [70]),
            "suspendTrigger": either(90, 95), "suspendImmediateTrigger": 99,
        }, []),
        ("warehouse", "Warehouse", {
            "name": "DESK_WH", "warehouseSize": either("XSMALL", "MEDIUM"), "autoSuspend": either(60, 120),
            "autoResume": "true", "initiallySuspended": True, "resourceMonitor": "DESK_MONITOR",
            "statementTimeoutInSeconds": either(900, 1800), "comment": either("a", "b"),
        }, ["monitor"]),
        ("policy", "NetworkPolicy", {
            "name": "DESK_ADDRESSES", "allowedIpLists": either(["10.0.0.0/8", "127.0.0.1"], ["10.1.0.0/16"]),
            "comment": either("a", "b"),
        }, []),
        ("service-user", "ServiceUser", {
            "name": "SVC_DESK", "rsaPublicKey": either(keys[0], keys[1]), **either({}, {"rsaPublicKey2": keys[0]}),
            "defaultRole": "DESK_ROLE", "defaultWarehouse": "DESK_WH", "defaultNamespace": "DESK.RISK",
            "networkPolicy": "DESK_ADDRESSES", "comment": either("a", "b"), "statementTimeoutInSeconds": either(60, 90),
        }, ["policy", "warehouse", "schema", "account-role"]),
        ("user", "User", {
            "name": "DESK_PERSON", "password": either("Correct-Horse-1", "Battery-Staple-2"), "firstName": either("A", "B"),
            "email": "desk@quant.example", "disabled": either("false", "true"), "mustChangePassword": "false",
        }, []),
        ("role-to-role", "GrantAccountRole", {"roleName": "DESK_ROLE", "parentRoleName": "DESK_PARENT"},
         ["account-role", "parent-role"]),
        ("owner-to-admin", "GrantAccountRole", {"roleName": "DESK_OWNER", "parentRoleName": "ACCOUNTADMIN"}, ["owner-role"]),
        ("role-to-user", "GrantAccountRole", {"roleName": "DESK_ROLE", "userName": "SVC_DESK"},
         ["account-role", "service-user"]),
        ("reader-to-role", "GrantDatabaseRole", {"databaseRoleName": reader, "parentRoleName": "DESK_ROLE"},
         ["reader", "account-role"]),
        ("reader-to-writer", "GrantDatabaseRole",
         {"databaseRoleName": reader, "parentDatabaseRoleName": '"DESK"."WRITER"'}, ["reader", "writer"]),
        ("database-to-share", "GrantPrivilegesToShare",
         {"toShare": "DESK_SHARE", "privileges": ["USAGE"], "onDatabase": "DESK"}, ["database"]),
        ("schema-to-share", "GrantPrivilegesToShare",
         {"toShare": "DESK_SHARE", "privileges": ["USAGE"], "onSchema": schema}, ["database-to-share", "schema"]),
        ("ownership", "GrantOwnership", {
            "accountRoleName": "DESK_OWNER", "outboundPrivileges": "COPY",
            "on": {"objectType": "SCHEMA", "objectName": '"DESK"."OWNED"'},
        }, ["owner-to-admin", "owned"]),
        ("owned", "Schema", {"name": "OWNED", "database": "DESK"}, ["database"]),
        ("future-ownership", "GrantOwnership", {
            "accountRoleName": "DESK_OWNER", "on": {"future": {"objectTypePlural": "TABLES", "inSchema": '"DESK"."OWNED"'}},
        }, ["owner-to-admin", "owned"]),
    ]  # fmt: skip
    to_role: dict[str, tuple[list[str], dict[str, Any]]] = {
        "account": (either(["CREATE DATABASE"], ["CREATE ROLE", "MONITOR USAGE"]), {"onAccount": True}),
        "database": (
            either(["USAGE"], ["MONITOR", "USAGE"]),
            {"onAccountObject": {"objectType": "DATABASE", "objectName": "DESK"}},
        ),
        "warehouse": (
            either(["OPERATE", "USAGE"], ["USAGE"]),
            {"onAccountObject": {"objectType": "WAREHOUSE", "objectName": "DESK_WH"}},
        ),
        "one-schema": (either(["USAGE"], ["CREATE TABLE", "USAGE"]), {"onSchema": {"schemaName": schema}}),
        "all-schemas": (["USAGE"], {"onSchema": {"allSchemasInDatabase": "DESK"}}),
        "future-schemas": (either(["USAGE"], ["MODIFY", "USAGE"]), {"onSchema": {"futureSchemasInDatabase": "DESK"}}),
        "table": (
            either(["SELECT"], ["INSERT", "SELECT"]),
            {"onSchemaObject": {"objectType": "TABLE", "objectName": '"QUANT"."PUBLIC"."KEPT"'}},
        ),
        "all-tables": (either(["SELECT"], ["INSERT", "SELECT"]), {"onSchemaObject": {"all": objects}}),
        "future-tables": (either(["SELECT"], ["INSERT", "SELECT"]), {"onSchemaObject": {"future": objects}}),
        "future-views": (["SELECT"], {"onSchemaObject": {"future": in_database}}),
    }
    after = ["schema", "account-role", "warehouse", "owned"]
    for name, (privileges, on) in to_role.items():
        inputs = {"accountRoleName": "DESK_ROLE", "privileges": privileges, **on}
        everything.append((f"role-{name}", "GrantPrivilegesToAccountRole", inputs, after))
    passes_on = {"accountRoleName": "DESK_PARENT", "withGrantOption": True, "onSchema": {"schemaName": schema}}
    everything.append(
        (
            "parent-passes-on",
            "GrantPrivilegesToAccountRole",
            {**passes_on, "privileges": ["MONITOR"]},
            [*after, "parent-role"],
        )
    )
    to_reader: dict[str, tuple[list[str], dict[str, Any]]] = {
        "database": (["MONITOR"], {"onDatabase": "DESK"}),
        "schema": (either(["USAGE"], ["CREATE VIEW", "USAGE"]), {"onSchema": {"schemaName": schema}}),
        "all-tables": (["SELECT"], {"onSchemaObject": {"all": objects}}),
        "future-tables": (either(["SELECT", "INSERT"], ["SELECT"]), {"onSchemaObject": {"future": objects}}),
    }
    for name, (privileges, on) in to_reader.items():
        inputs = {"databaseRoleName": reader, "privileges": privileges, **on}
        everything.append((f"reader-{name}", "GrantPrivilegesToDatabaseRole", inputs, ["schema", "reader"]))
    return sorted(everything, key=lambda each: each[0] == "ownership")


@dataclass
class Stack:
    """A Pulumi project of the test's own, as account administrator."""

    folder: Path
    environ: dict[str, str]

    def declare(self, declared: list[tuple[str, str, dict[str, Any], list[str]]]) -> None:
        """Write the program's resources, each after those that it names."""
        ordered: list[tuple[str, str, dict[str, Any], list[str]]] = []
        while len(ordered) < len(declared):
            there = {each[0] for each in ordered}
            ordered += [each for each in declared if each[0] not in there and set(each[3]) <= there]
        (self.folder / "resources.json").write_text(json.dumps(ordered))

    def pulumi(self, *words: str) -> str:
        """A command that must succeed."""
        done = subprocess.run(
            ["pulumi", *words, "--non-interactive", "--color", "never"],
            cwd=self.folder, env=self.environ, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def settled(self) -> None:
        """Neither the program nor the account has a difference."""
        self.pulumi("preview", "--refresh", "-s", "desk", "--expect-no-changes", "--diff")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running(State(tmp_path_factory.mktemp("provider") / "state")) as made:
        made.sql("CREATE TABLE QUANT.PUBLIC.KEPT (N NUMBER)")
        made.sql("CREATE SHARE DESK_SHARE")  # the provider's own share is a preview feature
        yield made


@pytest.fixture
def stack(account: Account, tmp_path: Path) -> Stack:
    (tmp_path / "backend").mkdir()
    (tmp_path / "Pulumi.yaml").write_text(SETTINGS.format(virtualenv=ROOT / ".venv"))
    (tmp_path / "__main__.py").write_text(PROGRAM)
    environ = process_environment(account.state) | {
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}",
        "SNOWFLAKE_USER": "ADA",
        "SNOWFLAKE_ROLE": "ACCOUNTADMIN",
        "SNOWFLAKE_PRIVATE_KEY": account.state.key_file("ada").read_text(),
    }
    made = Stack(tmp_path, environ)
    made.pulumi("stack", "init", "desk")
    return made


def told(account: Account) -> dict[str, list[dict[str, Any]]]:
    """The whole account, as SHOW tells it, with the grants on everything."""
    found = {what: account.shown(f"SHOW {what}") for what in SHOWN}
    found["grants"] = [
        row
        for on in ("ACCOUNT", "DATABASE QUANT", "SCHEMA QUANT.PUBLIC", "TABLE QUANT.PUBLIC.KEPT", "WAREHOUSE QUANT_WH")
        for row in account.shown(f"SHOW GRANTS ON {on}")
    ]
    return {
        what: [{key: value for key, value in row.items() if key not in _COUNTED} for row in rows]
        for what, rows in found.items()
    }


def test_every_resource_is_made_changed_and_destroyed(account: Account, stack: Stack) -> None:
    """After each up neither a preview nor a refresh finds a difference; after destroy the account is as it was."""
    before = told(account)
    keys = (account.state.public_key("dana"), account.state.public_key("ravi"))
    for changed in (False, True):
        stack.declare(resources(keys, changed=changed))
        stack.pulumi("up", "-s", "desk", "--yes", "--skip-preview")
        stack.settled()
        described = {row[0]: row[1] for row in account.sql("DESCRIBE USER SVC_DESK")}
        assert described["RSA_PUBLIC_KEY"] == keys[changed]
        [warehouse] = account.shown("SHOW WAREHOUSES LIKE 'DESK_WH'")
        assert warehouse["size"] == ("Medium" if changed else "X-Small")
        [schema] = account.shown("SHOW SCHEMAS LIKE 'RISK' IN DATABASE DESK")
        assert (schema["options"], schema["retention_time"]) == (("", "2") if changed else ("MANAGED ACCESS", "1"))
        on_schema = {
            row["privilege"] for row in account.shown("SHOW GRANTS ON SCHEMA DESK.RISK") if row["grantee_name"] == "READER"
        }
        assert on_schema == ({"USAGE", "CREATE VIEW"} if changed else {"USAGE"})
    history = json.loads(stack.pulumi("stack", "history", "-s", "desk", "--json"))
    assert [set(update["resourceChanges"]) for update in reversed(history)] == [{"create"}, {"update", "same"}]
    stack.pulumi("destroy", "-s", "desk", "--yes", "--skip-preview")
    assert told(account) == before
