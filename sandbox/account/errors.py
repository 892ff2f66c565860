"""Refusals in Snowflake's codes and words. An SQL error is HTTP 200 with success false: drivers retry a 5xx for minutes."""

from __future__ import annotations


class SqlError(Exception):
    """`code` as Snowflake numbers it, `state` the SQLSTATE."""

    def __init__(self, code: str, state: str, message: str) -> None:
        super().__init__(message)
        self.code, self.state, self.message = code, state, message


def syntax(near: str, line: int = 1, position: int = 0) -> SqlError:
    """001003: cannot be read."""
    where = f"syntax error line {line} at position {position} unexpected '{near}'."
    return SqlError("001003", "42000", f"SQL compilation error:\n{where}")


def unsupported(statement: str) -> SqlError:
    """Not emulated here; says so and names itself, and is never silently accepted."""
    shown = " ".join(statement.split())[:120]
    return SqlError("000002", "0A000", f"Unsupported feature '{shown}' (this sandbox does not emulate it).")


def no_object(kind: str, name: str) -> SqlError:
    """002003: not there, or not for this role to know."""
    return SqlError("002003", "02000", f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized.")


def cannot_be_performed() -> SqlError:
    """002043: what SHOW ... IN and USE say of something that is not there, or not for this role to know."""
    return SqlError("002043", "02000", "SQL compilation error:\nObject does not exist, or operation cannot be performed.")


def exists(name: str) -> SqlError:
    """002002: there is one of that name."""
    return SqlError("002002", "42710", f"SQL compilation error:\nObject '{name}' already exists.")


def denied(kind: str, name: str) -> SqlError:
    """003001: the role may not."""
    return SqlError(
        "003001", "42501", f"SQL access control error:\nInsufficient privileges to operate on {kind.lower()} '{name}'"
    )


def invalid(message: str) -> SqlError:
    """001008 and its like: a value that is not allowed."""
    return SqlError("001008", "22023", f"SQL compilation error:\n{message}")


def invalid_value(value: object, key: str) -> SqlError:
    """001008: a property's value is of another type."""
    return invalid(f"invalid value [{value}] for parameter '{key}'")


def invalid_property(key: str, kind: str) -> SqlError:
    """001420: this kind of object has no such property."""
    return SqlError("001420", "22023", f"SQL compilation error:\ninvalid property '{key}' for '{kind}'")


def dependent_grant(privilege: str, name: str, role: str) -> SqlError:
    """003036: a grant that hangs on what is taken away."""
    return SqlError(
        "003036",
        "23001",
        f"SQL execution error: Dependent grant of privilege '{privilege}' on securable '{name}' to role '{role}' exists. "
        " It must be revoked first.  More than one dependent grant may exist: use 'SHOW GRANTS' command to view them.",
    )


def no_identifier(name: str, line: int = 0, position: int = 0) -> SqlError:
    """000904: no such column."""
    where = f" error line {line} at position {position}" if line else ""
    return SqlError("000904", "42000", f"SQL compilation error:{where}\ninvalid identifier '{name}'")
