"""Who may use and who may manage a service principal: rule sets. https://docs.databricks.com/api/workspace/accountaccesscontrolproxy

A job runs as a service principal only for those with its user role, also for administrators:
https://learn.microsoft.com/azure/databricks/admin/workspace-settings/restrict-workspace-admins
"""

from __future__ import annotations

import json
import re
import sqlite3

from sandbox.workspace import fields
from sandbox.workspace.auth import Identity, identity
from sandbox.workspace.call import Call, Json
from sandbox.workspace.errors import ApiError, denied, invalid, missing
from sandbox.workspace.store import Store

USER, MANAGER = "roles/servicePrincipal.user", "roles/servicePrincipal.manager"
_NAME = re.compile(r"accounts/[^/]+/servicePrincipals/([^/]+)(?:/ruleSets/default)?")


def may_use(store: Store, who: Identity, application: str) -> bool:
    """Whether somebody has the user role on a service principal, by name or by group; everybody may be themselves."""
    return who.name == application or _has(store, who, application, USER)


def grant(store: Store, application: str, principal: str, role: str) -> None:
    """One more rule, for what is there from the beginning and for who makes a service principal."""
    _write(store, application, [*_rules(_row(store, application)), {"principals": [principal], "role": role}])


def principal_name(who: Identity) -> str:
    """How rule sets name somebody."""
    return f"{'users' if who.kind == 'user' else 'servicePrincipals'}/{who.name}"


def get(call: Call) -> Json:
    """GET /api/2.0/preview/accounts/access-control/rule-sets?name=&etag="""
    application = _managed(call, call.text("name"))
    return _answer(call.store, call.text("name"), application)


def replace(call: Call) -> Json:
    """PUT /api/2.0/preview/accounts/access-control/rule-sets: all rules; 409 where they have changed since the etag"""
    name, given = call.text("name"), call.mapping("rule_set")
    application = _managed(call, name)
    rules = [_rule(call.store, rule) for rule in fields.mappings("grant_rules", given.get("grant_rules"))]
    with call.store.together():
        etag = fields.text("etag", given.get("etag") or "")
        if etag and etag != _etag(_row(call.store, application)):
            raise ApiError(409, "RESOURCE_CONFLICT", "Conflict with another RuleSet operation")
        _write(call.store, application, rules)
    return _answer(call.store, name, application)


def assignable(call: Call) -> Json:
    """GET /api/2.0/preview/accounts/access-control/assignable-roles?resource="""
    _application(call.store, call.text("resource"))
    return {"roles": [{"name": role} for role in (MANAGER, USER)]}


def _has(store: Store, who: Identity, application: str, role: str) -> bool:
    names = {principal_name(who), *(f"groups/{group}" for group in who.groups)}
    return any(rule["role"] == role and names & set(rule["principals"]) for rule in _rules(_row(store, application)))


def _application(store: Store, name: str) -> str:
    """The service principal that a rule set is of."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise invalid(f"{name!r}: this sandbox does not emulate rule sets but those of service principals.")
    who = identity(store, found[1])
    if who is None or who.kind != "service_principal":
        raise missing(f"Service principal {found[1]} does not exist.")
    return who.name


def _managed(call: Call, name: str) -> str:
    application = _application(call.store, name)
    if not call.who.is_admin and not _has(call.store, call.who, application, MANAGER):
        raise denied(f"{call.who.name} does not have the role {MANAGER} on {application}.")
    return application


def _rule(store: Store, rule: Json) -> Json:
    role = fields.text("role", rule.get("role"))
    if role not in (USER, MANAGER):
        raise invalid(f"Role {role!r} is not one of {USER}, {MANAGER}.")
    principals = [fields.text("principals", one) for one in fields.items("principals", rule.get("principals") or [])]
    for principal in principals:
        kind, _, name = principal.partition("/")
        if kind == "groups":
            known = store.row("select 1 from ws_group where name = ?", name) is not None
        else:
            who = identity(store, name)
            known = who is not None and principal_name(who).partition("/")[0] == kind
        if not known:
            raise missing(f"Principal {principal} does not exist.")
    return {"principals": principals, "role": role}


def _row(store: Store, application: str) -> sqlite3.Row | None:
    return store.row("select * from ws_rule_set where principal = ?", application)


def _rules(row: sqlite3.Row | None) -> list[Json]:
    return list(json.loads(row["rules"])) if row else []


def _etag(row: sqlite3.Row | None) -> str:
    return f"v{row['version'] if row else 0}="


def _write(store: Store, application: str, rules: list[Json]) -> None:
    with store.together():
        row = _row(store, application)
        version = (row["version"] if row else 0) + 1
        store.write("insert or replace into ws_rule_set values (?, ?, ?)", application, version, json.dumps(rules))


def _answer(store: Store, name: str, application: str) -> Json:
    row = _row(store, application)
    return {"name": name, "etag": _etag(row), "grant_rules": _rules(row)}
