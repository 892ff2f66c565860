"""Identifiers: a bare word is upper case, a quoted one is kept; a qualified name is text that can be split again.

https://docs.snowflake.com/en/sql-reference/identifiers-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_BARE = re.compile(r"[A-Z_][A-Z0-9_$]*")
_PART = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')


def quoted_if_needed(part: str) -> str:
    """One identifier as Snowflake shows it inside a qualified name."""
    return part if _BARE.fullmatch(part) else '"' + part.replace('"', '""') + '"'


def join(parts: Iterable[str]) -> str:
    """The qualified name of plain identifiers, outermost first."""
    return ".".join(quoted_if_needed(part) for part in parts)


def split(name: str) -> list[str]:
    """The plain identifiers of a qualified name."""
    return [quoted.replace('""', '"') if quoted or not bare else bare for quoted, bare in _PART.findall(name)]


def last(name: str) -> str:
    """The plain identifier without what holds it."""
    return split(name)[-1] if name else ""


def holder(name: str) -> str:
    """The qualified name of what holds it: the schema of a table, the database of a schema; empty for the account."""
    return join(split(name)[:-1])


def database_of(name: str) -> str:
    """The qualified name of the database, which is its first part."""
    return join(split(name)[:1])
