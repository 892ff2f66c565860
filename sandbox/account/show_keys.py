"""SHOW PRIMARY, UNIQUE and IMPORTED KEYS: keys are kept and not enforced; foreign keys are not emulated.

https://docs.snowflake.com/en/sql-reference/sql/show-primary-keys
"""

from __future__ import annotations

from typing import Any

from sandbox.account import names
from sandbox.account.errors import cannot_be_performed
from sandbox.account.naming import full_name
from sandbox.account.privileges import Rights
from sandbox.account.reader import Reader
from sandbox.account.state import Object, State
from sandbox.account.wire import INTEGER, TEXT, TIME, Result

_KEYS = "created_on database_name schema_name table_name column_name key_sequence constraint_name rely comment"
_FOREIGN = (
    "created_on pk_database_name pk_schema_name pk_table_name pk_column_name fk_database_name fk_schema_name fk_table_name"
    " fk_column_name key_sequence update_rule delete_rule fk_name pk_name deferrability rely comment"
)


def show(state: State, rights: Rights, reader: Reader, which: str) -> Result:
    """SHOW <which> KEYS [IN [TABLE | SCHEMA | DATABASE | ACCOUNT] <name>]; read up to IN."""
    items = _within(state, rights, reader)
    reader.end()
    columns = (_FOREIGN if which == "IMPORTED" else _KEYS).split()
    told = [(name, TIME if name == "created_on" else INTEGER if name == "key_sequence" else TEXT) for name in columns]
    rows: list[list[Any]] = []
    for item in items if which != "IMPORTED" else []:
        keys = [column for column in item.props["columns"] if column.get(which.lower())]
        for at, column in enumerate(keys, 1):
            name = f"SYS_CONSTRAINT_{item.id}_{which}"
            rows.append([item.created, *names.split(item.name), column["name"], at, name, "false", None])
    return Result(told, rows)


def _within(state: State, rights: Rights, reader: Reader) -> list[Object]:
    if not reader.take("IN") or reader.take("ACCOUNT"):
        return [item for item in state.all("TABLE") if rights.sees(item)]
    kind = next((word for word in ("TABLE", "SCHEMA", "DATABASE") if reader.take(word)), "TABLE")
    name = full_name(kind, reader.name(), rights.session)
    found = state.relation(name, rights.session.id) if kind == "TABLE" else state.get(kind, name)
    if found is None or not rights.sees(found):
        raise cannot_be_performed()
    return [found] if kind == "TABLE" else [item for item in state.all("TABLE", name) if rights.sees(item)]
