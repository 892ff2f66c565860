"""From what a statement writes to kinds and full names."""

from __future__ import annotations

from sandbox.account import names
from sandbox.account.errors import SqlError, syntax
from sandbox.account.kinds import KINDS
from sandbox.account.reader import Reader
from sandbox.account.session import Session

# Longest first: DATABASE ROLE before DATABASE.
_IN_ORDER = sorted(KINDS, key=lambda kind: -len(kind.split()))


def kind_next(reader: Reader) -> str | None:
    """The object kind that comes next, taken."""
    return next((kind for kind in _IN_ORDER if reader.take(*kind.split())), None)


def plural_next(reader: Reader) -> str | None:
    """The kind whose plural comes next, taken."""
    return next((kind for kind in _IN_ORDER if reader.take(*KINDS[kind].plural.split())), None)


def full_name(kind: str, written: str, session: Session) -> str:
    """The name with the session's database and schema where they are left out.

    Raises:
        SqlError: 090105 when the session has none in use.
    """
    parts, depth = names.split(written), KINDS[kind].depth
    if len(parts) > depth:
        raise syntax(".")
    database = _in_use("database", session.database) if depth > len(parts) else []
    if depth == 3 and len(parts) == 1:
        parts = [*_in_use("schema", session.schema), *parts]
    return names.join([*database, *parts])


def _in_use(what: str, name: str | None) -> list[str]:
    if not name:
        # https://docs.snowflake.com/en/sql-reference/sql/use-database
        message = f"Cannot perform operation. This session does not have a current {what}."
        raise SqlError("090105", "22000", f"{message} Call 'USE {what.upper()}', or use a qualified name.")
    return names.split(name)
