"""Resources as a stack rightly declares them, one of each type; a violation is one of them with something changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.dynamic.dynamic import serialize_provider
from rules import environments, judge

from infra.gitlab.branch_protection import BranchProtectionProvider

REMOTE = "https://forge.example/pipelines.git"
GITLAB = "https://gitlab.example"
DEPLOYER = "00000000-0000-4000-8000-0000000000d0"
PRINCIPALS = {
    stack: f"00000000-0000-4000-8000-00000000000{number}" for number, stack in enumerate(environments.STACKS, start=1)
}
PEM = "-----BEGIN PRIVATE KEY-----"

Props = dict[str, Any]


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The committed stack files, and what a shell says besides."""
    for name, value in (("QUANT_REMOTE", REMOTE), ("QUANT_GITLAB_URL", GITLAB), ("QUANT_GITLAB_PROJECT", "quant/pipelines")):
        monkeypatch.setenv(name, value)
    environments.named.cache_clear()
    yield
    environments._given.clear()
    environments.named.cache_clear()


def stack_file(where: Path, stack: str, **changed: str) -> None:
    """A stack file with what is the stack's own."""
    values = {
        "servicePrincipal": PRINCIPALS[stack],
        "folder": f"/{stack}",
        "schema": stack,
        "branch": stack,
        "deployer": DEPLOYER,
        **changed,
    }
    (where / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": {f"quant:{k}": v for k, v in values.items()}}))


def token(name: str) -> str:
    """`SecretAcl` as `databricks:index/secretAcl:SecretAcl`; what is no resource of the two packages, as it is."""
    if ":" in name:
        return name
    package = "databricks" if name in _DATABRICKS else "snowflake"
    return f"{package}:index/{name[0].lower()}{name[1:]}:{name}"


_DATABRICKS = {
    "Directory", "GitCredential", "Group", "Job", "Permissions", "Repo", "Secret", "SecretAcl", "SecretScope",
    "WorkspaceFile",
    "AccessControlRuleSet", "OboToken", "Grants", "Notebook", "Cluster", "Token", "ClusterPolicy", "Pipeline",
    "InstancePool",
    "GlobalInitScript", "GroupMember", "ServicePrincipalRole", "MwsPermissionAssignment", "SqlPermissions", "Entitlements",
}  # fmt: skip
BRANCH = "pulumi-python:dynamic/gitlab:BranchProtection"


def called(case: Any) -> str:
    """The name of a test, without a backslash: bench/mutants.py."""
    return str(case).replace("\\", "/")[:80]


def group(name: str, level: str) -> dict[str, str]:
    return {"groupName": name, "permissionLevel": level}


def principal(who: str, level: str) -> dict[str, str]:
    return {"servicePrincipalName": who, "permissionLevel": level}


def good(stack: str) -> dict[str, Props]:
    """Type (with a word for the variant) -> properties that every rule lets pass in `stack`."""
    own, schema = PRINCIPALS[stack], stack.upper()
    folder_entries = [group("quant-developers", "CAN_READ"), group("quant-support", "CAN_READ"), principal(own, "CAN_RUN")]
    job_entries = [group("quant-developers", "CAN_VIEW"), principal(own, "CAN_MANAGE_RUN"), principal(DEPLOYER, "IS_OWNER")]
    tables = {"objectTypePlural": "TABLES", "inSchema": f'"QUANT"."{schema}"'}
    reader, writer = f'"QUANT"."{schema}_READER"', f'"QUANT"."{schema}_WRITER"'
    return {
        "Repo": {"url": REMOTE, "gitProvider": "gitLab", "path": f"/{stack}", "branch": stack, "commitHash": "a" * 40},
        "Permissions": {"repoId": "1", "accessControls": folder_entries},
        "Permissions of a job": {"jobId": "1", "accessControls": job_entries},
        "SecretScope": {"name": stack},
        "Secret": {"scope": stack, "key": "api", "stringValue": {"secret": "hidden"}},
        "SecretAcl": {"scope": stack, "principal": own, "permission": "READ"},
        "Group": {"displayName": "quant-developers"},
        "Job": job(stack),
        "Schema": {
            "database": "QUANT", "name": schema, "withManagedAccess": "true", "isTransient": "false",
            "dataRetentionTimeInDays": 14, "comment": "outputs",
        },
        "DatabaseRole": {"database": "QUANT", "name": f"{schema}_READER"},
        "AccountRole": {"name": f"{schema}_SVC"},
        "GrantAccountRole": {"roleName": f"{schema}_SVC", "userName": f"SVC_{schema}"},
        "GrantDatabaseRole": {"databaseRoleName": reader, "parentRoleName": "QUANT_LIMITED_RELEASE"
                              if stack == "quant_lr" else "QUANT_RELEASE_MANAGERS"},
        "GrantDatabaseRole of the writer": {"databaseRoleName": writer, "parentRoleName": f"{schema}_SVC"},
        "GrantPrivilegesToDatabaseRole": {
            "databaseRoleName": reader, "privileges": ["SELECT"], "onSchemaObject": {"future": tables},
        },
        "GrantPrivilegesToDatabaseRole on the schema": {
            "databaseRoleName": reader, "privileges": ["USAGE"], "onSchema": {"schemaName": tables["inSchema"]},
        },
        "GrantPrivilegesToDatabaseRole to the writer": {
            "databaseRoleName": writer, "privileges": ["INSERT", "SELECT"], "onSchemaObject": {"all": tables},
        },
        "GrantPrivilegesToAccountRole": {
            "accountRoleName": f"{schema}_SVC", "privileges": ["USAGE"],
            "onAccountObject": {"objectType": "WAREHOUSE", "objectName": "QUANT_WH"},
        },
        "ServiceUser": {
            "name": f"SVC_{schema}", "rsaPublicKey": "MIIB", "defaultRole": f"{schema}_SVC", "defaultWarehouse": "QUANT_WH",
            "defaultNamespace": f"QUANT.{schema}",
        },
        "Warehouse": {"name": "QUANT_WH", "warehouseSize": "XSMALL", "autoSuspend": 60,
        "resourceMonitor": "QUANT_WH_MONITOR"},
        "ResourceMonitor": {"name": "QUANT_WH_MONITOR", "creditQuota": 10, "notifyTriggers": [80], "suspendTrigger": 100},
        BRANCH: {
            "url": GITLAB, "project": "quant/pipelines", "branch": stack, "pushers": ["noOne"],
            "mergers": ["quant-release-managers"], "approvals": 1, "forcePush": False,
            "approvers": ["quant-release-managers", "quant-reviewers"], "recorders": ["maintainers"],
            "__provider": serialize_provider(BranchProtectionProvider()),
        },
    }  # fmt: skip


def job(stack: str, **changed: Any) -> Props:
    """A job with one Python task; None takes a key away."""
    usual = {
        "name": f"{stack} report",
        "editMode": "UI_LOCKED",
        "runAs": {"servicePrincipalName": PRINCIPALS[stack]},
        "tasks": [{"taskKey": "a", "sparkPythonTask": {"pythonFile": f"/Workspace/{stack}/src/a.py"}}],
        "parameters": [{"name": "snowflake_schema", "default": stack.upper()}],
    }
    return {key: value for key, value in {**usual, **changed}.items() if value is not None}


def of(stack: str, variant: str) -> tuple[str, Props]:
    """The type and the right properties of a variant; without any, of a type that the pack does not know."""
    return token(variant.partition(" ")[0]), good(stack).get(variant, {})


def changed(stack: str, variant: str, changes: Props) -> tuple[str, Props]:
    """A variant with some properties changed; None takes one away."""
    kind, props = of(stack, variant)
    return kind, {key: value for key, value in {**props, **changes}.items() if value is not None}


def broken(stack: str, kind: str, props: Props, *, is_protected: bool = True, name: str = "x") -> list[judge.Violation]:
    """What the rules find."""
    from rules.values import Secret

    def marked(value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) == {"secret"}:
                return Secret(value["secret"])
            return {key: marked(one) for key, one in value.items() if not key.startswith("__")}
        return [marked(one) for one in value] if isinstance(value, list) else value

    urn = f"urn:pulumi:{stack}::quant::{kind}::{name}"
    return list(judge.of_resource(urn, kind, marked(props), is_protected=is_protected))
