"""CURRENT_ROLE() and its like, put into a query as what they are in this session.

https://docs.snowflake.com/en/sql-reference/functions-context
"""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlglot import exp

from sandbox import clock
from sandbox.account import names
from sandbox.account.privileges import Rights
from sandbox.account.session import Session
from sandbox.identities import SNOWFLAKE_ACCOUNT, SNOWFLAKE_ORGANIZATION

VERSION = "9.0.0"


def _plain(name: str | None) -> str | None:
    return names.last(name) if name else None


def _role(written: str) -> str:
    """A role's name as a text has it: as it is, or in the double quotes of an identifier."""
    return names.join(names.split(written) if written.startswith('"') else [written])


_CONTEXT: dict[str, Callable[[Session], str | None]] = {
    "CURRENT_USER": lambda s: _plain(s.user),
    "CURRENT_ROLE": lambda s: _plain(s.role),
    "CURRENT_DATABASE": lambda s: _plain(s.database),
    "CURRENT_SCHEMA": lambda s: _plain(s.schema),
    "CURRENT_WAREHOUSE": lambda s: _plain(s.warehouse),
    "CURRENT_SESSION": lambda s: str(s.id),
    "CURRENT_ACCOUNT": lambda s: SNOWFLAKE_ACCOUNT,
    "CURRENT_ACCOUNT_NAME": lambda s: SNOWFLAKE_ACCOUNT,
    "CURRENT_ORGANIZATION_NAME": lambda s: SNOWFLAKE_ORGANIZATION,
    "CURRENT_REGION": lambda s: "SANDBOX_LOCAL",
    "CURRENT_VERSION": lambda s: VERSION,
}
# What tools ask of an account before they begin; here no change waits in a bundle. The first is not documented: SnowDDL
# reads the version and the edition of it.
_SYSTEM = {
    "SYSTEM$BOOTSTRAP_DATA_REQUEST": {"serverVersion": VERSION, "accountInfo": {"serviceLevelName": "ENTERPRISE"}},
    "SYSTEM$SHOW_ACTIVE_BEHAVIOR_CHANGE_BUNDLES": [],
}


def put_in(tree: exp.Expr, rights: Rights) -> exp.Expr:
    """The tree with literals; the clock is read once a statement."""
    now = clock.today()

    def literal(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.CurrentDate):
            return exp.cast(exp.Literal.string(now.date().isoformat()), "DATE")
        if isinstance(node, exp.CurrentTimestamp):
            return exp.cast(exp.Literal.string(now.isoformat(" ")), exp.DataType.Type.TIMESTAMPLTZ)
        if not isinstance(node, exp.Func):
            return node
        name = (node.name if isinstance(node, exp.Anonymous) else node.sql("snowflake").removesuffix("()")).upper()
        if name == "IS_ROLE_IN_SESSION" and len(node.expressions) == 1:
            return exp.convert(("ROLE", _role(node.expressions[0].name)) in rights.roles)
        if name == "CURRENT_SECONDARY_ROLES":
            chosen = "ALL" if rights.session.secondary == "ALL" else ""
            told = {"roles": ",".join(names.last(role) for role in rights.secondary), "value": chosen}
            return exp.Literal.string(json.dumps(told, separators=(",", ":")))
        if isinstance(node, exp.Anonymous) and name in _SYSTEM:
            return exp.Literal.string(json.dumps(_SYSTEM[name]))
        if name not in _CONTEXT:
            return node
        value = _CONTEXT[name](rights.session)
        return exp.null() if value is None else exp.Literal.string(value)

    return tree.transform(literal, copy=False)
