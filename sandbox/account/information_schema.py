"""INFORMATION_SCHEMA: the views that SQLAlchemy, dbt and people read, from the account's own objects.

https://docs.snowflake.com/en/sql-reference/info-schema
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlglot import exp

from sandbox.account import names
from sandbox.account.errors import no_object
from sandbox.account.privileges import Rights
from sandbox.account.show import information_schemas
from sandbox.account.state import Object, State
from sandbox.account.values import named

_SCHEMATA = "CATALOG_NAME SCHEMA_NAME SCHEMA_OWNER IS_TRANSIENT IS_MANAGED_ACCESS CREATED COMMENT"
_TABLES = (
    "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER TABLE_TYPE IS_TRANSIENT IS_TEMPORARY CREATED LAST_ALTERED COMMENT"
)
_VIEWS = "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME TABLE_OWNER VIEW_DEFINITION IS_SECURE CREATED LAST_ALTERED COMMENT"
_COLUMNS = (
    "TABLE_CATALOG TABLE_SCHEMA TABLE_NAME COLUMN_NAME ORDINAL_POSITION COLUMN_DEFAULT IS_NULLABLE DATA_TYPE DATA_TYPE_ALIAS"
    " CHARACTER_MAXIMUM_LENGTH NUMERIC_PRECISION NUMERIC_SCALE DATETIME_PRECISION"
    " COLLATION_NAME IS_IDENTITY IDENTITY_GENERATION IDENTITY_START IDENTITY_INCREMENT"
    " IDENTITY_MAXIMUM IDENTITY_MINIMUM IDENTITY_CYCLE IDENTITY_ORDERED"
    " COMMENT"
)
_SEQUENCES = "SEQUENCE_CATALOG SEQUENCE_SCHEMA SEQUENCE_NAME SEQUENCE_OWNER START_VALUE INCREMENT CREATED COMMENT"
_SHOWN = {"TABLES": _TABLES, "VIEWS": _VIEWS, "COLUMNS": _COLUMNS, "SCHEMATA": _SCHEMATA, "SEQUENCES": _SEQUENCES}
_NUMBERS = {
    "ORDINAL_POSITION", "CHARACTER_MAXIMUM_LENGTH", "NUMERIC_PRECISION", "NUMERIC_SCALE", "DATETIME_PRECISION",
    "START_VALUE", "INCREMENT",
}  # fmt: skip
_TIMES = {"CREATED", "LAST_ALTERED"}


def query(state: State, rights: Rights, name: str) -> exp.Expr:
    """A query that gives the rows of one view, with what the session may see.

    Raises:
        SqlError: 002003 no such view, or one that is not emulated.
    """
    view, database = names.last(name), names.database_of(name)
    if view not in _SHOWN or not rights.uses("DATABASE", database):
        raise no_object("Object", name)
    columns = _SHOWN[view].split()
    rows = [dict(zip(columns, row, strict=True)) for row in _ROWS[view](state, rights, database)]
    lines = [exp.Tuple(expressions=[_literal(row[column]) for column in columns]) for row in rows]
    nothing = exp.Tuple(expressions=[exp.null() for _ in columns])
    heads = exp.TableAlias(
        this=exp.to_identifier("ROWS"), columns=[exp.to_identifier(column, quoted=True) for column in columns]
    )
    told = [
        exp.alias_(exp.cast(exp.column(column, quoted=True), _type(column), dialect="snowflake"), column, quoted=True)
        for column in columns
    ]
    made = exp.select(*told).from_(exp.Values(expressions=lines or [nothing], alias=heads))
    return made if lines else made.where(exp.false())


def _type(column: str) -> str:
    return "NUMBER" if column in _NUMBERS else "TIMESTAMP_LTZ" if column in _TIMES else "VARCHAR"


def _literal(value: Any) -> exp.Expr:
    if value is None:
        return exp.null()
    if isinstance(value, float):
        value = datetime.fromtimestamp(value, UTC).isoformat(" ")
    return exp.Literal.string(str(value))


def _seen(state: State, rights: Rights, kinds: tuple[str, ...], database: str) -> Iterator[tuple[Object, list[str]]]:
    for kind in kinds:
        for item in state.all(kind, database):
            if rights.sees(item):
                yield item, names.split(item.name)


def _relations(state: State, rights: Rights, database: str) -> Iterator[tuple[Object, list[str]]]:
    yield from _seen(state, rights, (state.temporary(rights.session.id), "TABLE", "VIEW"), database)


def _schemata(state: State, rights: Rights, database: str) -> Iterator[list[Any]]:
    listed = [(each, names.split(each.name)) for each in information_schemas(state, rights, database)]
    for item, parts in [*_seen(state, rights, ("SCHEMA",), database), *listed]:
        transient, managed = ("YES" if item.props.get(word) else "NO" for word in ("TRANSIENT", "MANAGED ACCESS"))
        yield [*parts, names.last(item.owner) or None, transient, managed, item.created, item.props.get("COMMENT")]


def _tables(state: State, rights: Rights, database: str) -> Iterator[list[Any]]:
    for item, parts in _relations(state, rights, database):
        kind = item.props.get("kind", "TABLE")
        shown = "VIEW" if item.kind == "VIEW" else "LOCAL TEMPORARY" if kind == "TEMPORARY" else "BASE TABLE"
        flags = ["YES" if kind == each else "NO" for each in ("TRANSIENT", "TEMPORARY")]
        yield [*parts, names.last(item.owner), shown, *flags, item.created, item.created, item.props.get("COMMENT")]


def _views(state: State, rights: Rights, database: str) -> Iterator[list[Any]]:
    for item, parts in _seen(state, rights, ("VIEW",), database):
        told = [item.props.get("text"), "NO", item.created, item.created, item.props.get("COMMENT")]
        yield [*parts, names.last(item.owner), *told]


def _columns(state: State, rights: Rights, database: str) -> Iterator[list[Any]]:
    for item, parts in _relations(state, rights, database):
        for at, column in enumerate(item.props["columns"], 1):
            kind = named(column["type"])
            shown = {"fixed": "NUMBER", "real": "FLOAT"}.get(kind.family, kind.family.upper())
            sizes = (kind.length or None, *((kind.precision, kind.scale) if kind.family == "fixed" else (None, None)))
            clock = kind.scale if kind.family.startswith("time") else None
            null, identity = ("YES" if column.get("null") else "NO"), ("YES" if column.get("identity") else "NO")
            told = [column["name"], at, column.get("default"), null, shown, shown, *sizes, clock, None, identity, None]
            yield [*parts, *told, column.get("start"), column.get("increment"), *[None] * 4, column.get("comment")]


def _sequences(state: State, rights: Rights, database: str) -> Iterator[list[Any]]:
    for item, parts in _seen(state, rights, ("SEQUENCE",), database):
        told = [item.props.get("START", "1"), item.props.get("INCREMENT", "1"), item.created, item.props.get("COMMENT")]
        yield [*parts, names.last(item.owner), *told]


_ROWS = {"TABLES": _tables, "VIEWS": _views, "COLUMNS": _columns, "SCHEMATA": _schemata, "SEQUENCES": _sequences}
