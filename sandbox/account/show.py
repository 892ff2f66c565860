"""SHOW of objects: which, and in which order. What a row holds is told by `show_rows`, grants by `show_grants`.

https://docs.snowflake.com/en/sql-reference/sql/show
"""

from __future__ import annotations

from sandbox.account import names, parameters, show_grants, show_keys
from sandbox.account.errors import cannot_be_performed, no_object, unsupported
from sandbox.account.kinds import IN_DATABASE, IN_SCHEMA, KINDS
from sandbox.account.like import matches
from sandbox.account.naming import full_name, plural_next
from sandbox.account.privileges import Rights
from sandbox.account.reader import Reader
from sandbox.account.show_rows import columns_of, is_shown, row_of
from sandbox.account.state import Object, State
from sandbox.account.wire import TEXT, TIME, Result

_REPLICATION = (
    "region_group", "snowflake_region", "created_on", "account_name", "name", "comment", "is_primary", "primary",
    "replication_allowed_to_accounts", "failover_allowed_to_accounts", "organization_name", "account_locator",
)  # fmt: skip


_NO_OBJECT = 0  # its number
_TERSE = ("created_on", "name", "kind", "database_name", "schema_name")
_OBJECTS = (
    "created_on", "name", "database_name", "schema_name", "kind", "comment", "cluster_by", "rows", "bytes", "owner",
    "retention_time", "owner_role_type", "budget", "is_hybrid", "is_dynamic", "is_iceberg",
)  # fmt: skip


def show(state: State, rights: Rights, reader: Reader) -> Result:
    """SHOW ...; SHOW is read."""
    if reader.take("PARAMETERS"):
        return parameters.show(state, rights, reader)
    if reader.take("FUTURE", "GRANTS"):
        return show_grants.future(state, rights, reader)
    if reader.take("GRANTS"):
        return show_grants.current(state, rights, reader)
    if reader.take("REPLICATION", "DATABASES"):
        return _replicated(reader)
    for which in ("PRIMARY", "UNIQUE", "IMPORTED"):
        if reader.take(which, "KEYS"):
            return show_keys.show(state, rights, reader, which)
    terse = reader.take("TERSE")
    if reader.take("OBJECTS"):
        return _objects(state, rights, reader, "TABLE", also="VIEW", columns=_TERSE if terse else _OBJECTS)
    kind = plural_next(reader)
    if kind is None or not is_shown(kind):
        raise unsupported(reader.sql)
    return _objects(state, rights, reader, kind, columns=_TERSE if terse else ())


def _replicated(reader: Reader) -> Result:
    """No database is replicated here: the columns and no rows, which is what the provider's Database reads.

    https://docs.snowflake.com/en/sql-reference/sql/show-replication-databases
    """
    if reader.take("LIKE"):
        reader.string()
    if reader.take("WITH", "PRIMARY"):
        reader.name()
    reader.end()
    return Result([(name, TIME if name == "created_on" else TEXT) for name in _REPLICATION])


def _objects(
    state: State, rights: Rights, reader: Reader, kind: str, *, also: str = "", columns: tuple[str, ...] = ()
) -> Result:
    if reader.take("HISTORY"):
        raise unsupported(f"SHOW {KINDS[kind].plural} HISTORY")
    like = reader.string() if reader.take("LIKE") else None
    within = _within(state, rights, reader, kind)
    starts = reader.string() if reader.take("STARTS", "WITH") else ""
    limit = int(reader.kind("number").text) if reader.take("LIMIT") else None
    after = reader.string() if limit is not None and reader.take("FROM") else ""
    reader.end()
    found = [
        item
        for item in sorted(_all(state, rights, (kind, also), within), key=lambda each: names.split(each.name))
        if (item.id == _NO_OBJECT or rights.sees(item))
        and (like is None or matches(like, item.last_name))
        and item.last_name.startswith(starts)
        and item.last_name > after
    ]
    told = columns_of(kind, columns)
    return Result(told, [row_of(state, rights, item, told) for item in found[:limit]])


def _all(state: State, rights: Rights, kinds: tuple[str, ...], within: str) -> list[Object]:
    mine = state.all(state.temporary(rights.session.id), within)
    found = [item for item in mine if ("VIEW" if "query" in item.props else "TABLE") in kinds]
    if "SCHEMA" in kinds:
        found += information_schemas(state, rights, within)
    return found + [item for kind in kinds for item in state.all(kind, within)]


def information_schemas(state: State, rights: Rights, within: str) -> list[Object]:
    """INFORMATION_SCHEMA of one database or of all that may be used: nobody's own, and not kept."""
    props = {"COMMENT": "Views describing the contents of schemas in this database"}
    return [
        Object(_NO_OBJECT, "SCHEMA", f"{each.name}.INFORMATION_SCHEMA", "", each.created, props, "")
        for each in state.all("DATABASE")
        if within in ("", each.name) and rights.uses("DATABASE", each.name)
    ]


def _within(state: State, rights: Rights, reader: Reader, kind: str) -> str:
    """The qualified name of the database or schema to look in; empty for the whole account."""
    session = rights.session
    if not reader.take("IN"):
        if kind in IN_DATABASE and session.database:
            deep = kind in IN_SCHEMA and session.schema
            return f"{session.database}.{session.schema}" if deep else session.database
        return ""
    if reader.take("ACCOUNT"):
        return ""
    if any(reader.take(word) for word in ("CLASS", "APPLICATION", "FAILOVER", "REPLICATION")):
        raise unsupported(reader.sql)
    if kind not in IN_DATABASE:
        raise reader.unexpected()
    holder = next((word for word in ("DATABASE", "SCHEMA") if reader.take(word)), "")
    if holder == "SCHEMA" and kind not in IN_SCHEMA:
        raise reader.unexpected()
    written = reader.name()
    holder = holder or ("DATABASE" if len(names.split(written)) == 1 else "SCHEMA")
    name = full_name(holder, written, session)
    item = state.get(holder, name)
    if item is None or not rights.sees(item):
        # Told otherwise for database roles, as the provider's own tests have it.
        raise no_object("Database", name) if kind == "DATABASE ROLE" else cannot_be_performed()
    return name
