"""What a look finds, made up for tests of what is decided from it."""

from __future__ import annotations

from typing import Any

from quantctl.adopt.model import Folder, Look, Schema, Scope, User


def folder(env: str, **changed: Any) -> Folder:
    """A clean Git folder at its branch's head."""
    said: dict[str, Any] = {"id": 1, "path": f"/pipelines/{env}", "branch": env, "commit": "a" * 40, "head": "a" * 40}
    said |= {"acl": [], "parent": 7, "parent_acl": [], "edited": [], "code_differs": []}
    return Folder(**{**said, **changed})


def looked(env: str, **changed: Any) -> Look:
    """An environment in which everything is as it should be for an adoption, and without jobs."""
    name = env.upper()
    said: dict[str, Any] = {
        "environment": env,
        "at": "2026-01-05T09:00:00+00:00",
        "deployer": "00000000-0000-4000-8000-0000000000d0",
        "folder": folder(env),
        "jobs": [],
        "scope": Scope(name=env, acls={}, secrets={"snowflake_private_key": 1}),
        "schema_": Schema(name=name, owner="ACCOUNTADMIN", transient=False, managed=False, retention=1, comment=""),
        "user": User(name=f"SVC_{name}", owner="ACCOUNTADMIN", role=f"{name}_RW", roles=[f"{name}_RW"], keys=[]),
        "role_owner": "ACCOUNTADMIN",
        "tables": [],
        "grants": [],
        "groups": {},
        "roles": {},
        "roles_there": [f"{name}_RW"],
        "database_roles": [],
        "holds": [],
        "locked": "",
    }
    return Look(**{**said, **changed})
