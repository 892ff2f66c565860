"""From the names of tables and views in a query to what SQLite keeps, each with the privilege that it needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from sandbox.account import names
from sandbox.account.errors import no_object, unsupported
from sandbox.account.naming import full_name
from sandbox.account.privileges import Rights
from sandbox.account.session import Session
from sandbox.account.state import Object, State
from sandbox.account.types import Type, named


def data_name(item: Object) -> str:
    """The SQLite table of a Snowflake table."""
    return f"SF_DATA_{item.id}"


def columns_of(item: Object) -> dict[str, Type]:
    """The columns that a table or view was created with."""
    return {column["name"]: named(column["type"]) for column in item.props["columns"]}


@dataclass
class Sources:
    """What a statement reads: SQLite's tables with their columns."""

    state: State
    rights: Rights
    tables: dict[str, dict[str, Type]] = field(default_factory=dict)

    def bind(self, tree: exp.Expr, target: exp.Expr | None = None) -> None:
        """Put SQLite's tables and the queries of views in the place of names; `target` is bound elsewhere."""
        local = {cte.alias_or_name.upper() for cte in tree.find_all(exp.CTE)}
        for table in list(tree.find_all(exp.Table)):
            if table is target or (not table.db and table.name.upper() in local):
                continue
            extra = {key for key, value in table.args.items() if value} - {"this", "db", "catalog", "alias", "joins"}
            if extra or not isinstance(table.this, exp.Identifier):
                raise unsupported(table.sql("snowflake"))
            self._replace(table, self.item(table, "SELECT"))

    def item(self, table: exp.Expr, privilege: str) -> Object:
        """The table or view of that name, when the session has the privilege on it.

        Raises:
            SqlError: 002003 not there or not to be seen, 003001 seen but without the privilege.
        """
        name = full_name("TABLE", dotted(table), self.rights.session)
        if names.last(names.holder(name)) == "INFORMATION_SCHEMA":
            raise unsupported(name)
        self.rights.need_usage(names.holder(name))
        item = self.state.get("TABLE", name) or self.state.get("VIEW", name)
        if item is None or not self.rights.sees(item):
            raise no_object("Object", name)
        self.rights.need(privilege, item.kind, item.name)
        return item

    def _replace(self, table: exp.Table, item: Object) -> None:
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(item.last_name, quoted=True))
        joins = table.args.get("joins")
        if item.kind == "TABLE":
            self.tables.setdefault(data_name(item), columns_of(item))
            made: exp.Expr = exp.Table(this=exp.to_identifier(data_name(item), quoted=True), alias=alias)
        else:
            made = exp.Subquery(this=self._query(item), alias=alias)
        if joins:
            made.set("joins", joins)
        table.replace(made)

    def _query(self, view: Object) -> exp.Expr:
        """A view's query, run with its owner's rights and its own schema in use."""
        query = sqlglot.parse_one(view.props["query"], read="snowflake")
        assert isinstance(query, exp.Query)
        schema = view.parent
        session = Session(0, "", view.owner, "NONE", names.holder(schema), names.quoted_if_needed(names.last(schema)))
        owner = Rights(self.state, session, (view.owner_kind, view.owner))
        Sources(self.state, owner, self.tables).bind(query)
        for select, column in zip(query.selects, view.props["columns"], strict=False):
            if not isinstance(select, exp.Star):
                select.replace(exp.alias_(select.unalias().copy(), column["name"], quoted=True))
        return query


def dotted(table: exp.Expr) -> str:
    """The name of a table as the statement writes it, in our spelling."""
    parts = table.parts if isinstance(table, exp.Table) else [table]
    return names.join(part.name if part.args.get("quoted") else part.name.upper() for part in parts)
