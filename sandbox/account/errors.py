"""Refusals in Snowflake's codes and words. An SQL error is HTTP 200 with success false: drivers retry a 5xx for minutes."""

from __future__ import annotations


class SqlError(Exception):
    """`code` as Snowflake numbers it, `state` the SQLSTATE."""

    def __init__(self, code: str, state: str, message: str) -> None:
        super().__init__(message)
        self.code, self.state, self.message = code, state, message


def syntax(near: str) -> SqlError:
    """001003: cannot be read."""
    return SqlError("001003", "42000", f"SQL compilation error:\nsyntax error unexpected '{near}'.")


def unsupported(statement: str) -> SqlError:
    """Not emulated here; says so and names itself, and is never silently accepted."""
    shown = " ".join(statement.split())[:120]
    return SqlError("000002", "0A000", f"Unsupported feature '{shown}' (this sandbox does not emulate it).")


def no_object(kind: str, name: str) -> SqlError:
    """002003: not there, or not for this role to know."""
    return SqlError("002003", "02000", f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized.")


def exists(name: str) -> SqlError:
    """002002: there is one of that name."""
    return SqlError("002002", "42710", f"SQL compilation error:\nObject '{name}' already exists.")


def denied(kind: str, name: str) -> SqlError:
    """003001: the role may not."""
    return SqlError(
        "003001",
        "42501",
        f"SQL access control error:\nInsufficient privileges to operate on {kind.lower()} '{name}'.",
    )


def invalid(message: str) -> SqlError:
    """001008 and its like: a value that is not allowed."""
    return SqlError("001008", "22023", f"SQL compilation error:\n{message}")
