"""From the names of tables, views and sequences in a query to what DuckDB keeps, each with the privilege that it needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from sandbox.account import information_schema, names
from sandbox.account.errors import no_object, unsupported
from sandbox.account.naming import full_name
from sandbox.account.privileges import Rights
from sandbox.account.session import Session
from sandbox.account.state import Object, State
from sandbox.account.values import Type, named


def data_name(item: Object) -> str:
    """The DuckDB table of a Snowflake table."""
    return f"SF_DATA_{item.id}"


def sequence_name(item: Object) -> str:
    """The DuckDB sequence of a Snowflake sequence."""
    return f"SF_SEQUENCE_{item.id}"


def columns_of(item: Object) -> dict[str, Type]:
    """The columns that a table or view was created with."""
    return {column["name"]: named(column["type"]) for column in item.props["columns"]}


@dataclass
class Sources:
    """What a statement reads: DuckDB's tables with their columns."""

    state: State
    rights: Rights
    tables: dict[str, dict[str, Type]] = field(default_factory=dict)

    def bind(self, tree: exp.Expr, target: exp.Expr | None = None) -> None:
        """Put DuckDB's tables and the queries of views in the place of names; `target` is bound elsewhere."""
        local = {cte.alias_or_name.upper() for cte in tree.find_all(exp.CTE)}
        for column in list(tree.find_all(exp.Column)):
            if column.table and column.name.upper() == "NEXTVAL":
                self._next_value(column)
        for table in list(tree.find_all(exp.Table)):
            if table is target or (not table.db and table.name.upper() in local):
                continue
            extra = {key for key, value in table.args.items() if value} - {
                "this",
                "db",
                "catalog",
                "alias",
                "joins",
                "pivots",
                "laterals",
            }
            if extra or not isinstance(table.this, exp.Identifier):
                raise unsupported(table.sql("snowflake"))
            self._replace(table)

    def item(self, table: exp.Expr, privilege: str) -> Object:
        """The table or view of that name, when the session has the privilege on it.

        Raises:
            SqlError: 002003 not there or not to be seen, 003001 seen but without the privilege.
        """
        return self.named(full_name("TABLE", dotted(table), self.rights.session), privilege)

    def there(self, table: exp.Expr) -> bool:
        """Whether a table or view of that name is there at all: what IF EXISTS asks."""
        session = self.rights.session
        return self.state.relation(full_name("TABLE", dotted(table), session), session.id) is not None

    def named(self, name: str, privilege: str) -> Object:
        """The same, by its full name."""
        if names.last(names.holder(name)) == "INFORMATION_SCHEMA":
            raise unsupported(name)
        self.rights.need_usage(names.holder(name))
        item = self.state.relation(name, self.rights.session.id)
        if item is None or not self.rights.sees(item):
            raise no_object("Object", name)
        self.rights.need(privilege, item.kind, item.name)
        return item

    def _next_value(self, column: exp.Column) -> None:
        name = full_name("SEQUENCE", names.join(_plain(part) for part in column.parts[:-1]), self.rights.session)
        item = self.state.get("SEQUENCE", name)
        if item is None or not self.rights.sees(item):
            raise no_object("Sequence", name)
        self.rights.need_usage(item.parent)
        self.rights.need("USAGE", item.kind, item.name)
        call = exp.Anonymous(this="NEXTVAL", expressions=[exp.Literal.string(sequence_name(item))])
        column.replace(exp.cast(call, "BIGINT"))

    def _replace(self, table: exp.Table) -> None:
        name = full_name("TABLE", dotted(table), self.rights.session)
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(names.last(name), quoted=True))
        if names.last(names.holder(name)) == "INFORMATION_SCHEMA":
            made: exp.Expr = exp.Subquery(this=information_schema.query(self.state, self.rights, name), alias=alias)
        elif "query" not in (item := self.named(name, "SELECT")).props:
            self.tables.setdefault(data_name(item), columns_of(item))
            made = exp.Table(this=exp.to_identifier(data_name(item), quoted=True), alias=alias)
        else:
            made = exp.Subquery(this=self._query(item), alias=alias)
        for key in ("joins", "pivots", "laterals"):
            if table.args.get(key):
                made.set(key, table.args[key])
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
    return names.join(_plain(part) for part in (table.parts if isinstance(table, exp.Table) else [table]))


def _plain(part: exp.Expr) -> str:
    return part.name if part.args.get("quoted") else part.name.upper()
