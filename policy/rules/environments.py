"""The four environments by name, and the Snowflake names that follow from it. Pure."""

from __future__ import annotations

import re

DEVELOPMENT = "quant"
LIVE = "quant_live"
STACKS = (DEVELOPMENT, "quant_stg", "quant_lr", LIVE)


def schema_of(stack: str) -> str:
    """The schema of an environment, as Snowflake spells it."""
    return stack.upper()


def writer_of(stack: str) -> str:
    """The database role that may write the schema."""
    return f"{schema_of(stack)}_WRITER"


def service_role_of(stack: str) -> str:
    """The account role that holds the writer."""
    return f"{schema_of(stack)}_SVC"


def service_user_of(stack: str) -> str:
    """The user that the jobs log in as."""
    return f"SVC_{schema_of(stack)}"


def identifier_parts(identifier: str) -> list[str]:
    """`"QUANT".quant_live` as ["QUANT", "QUANT_LIVE"]: what is not quoted is upper case in Snowflake."""
    found = re.findall(r'"((?:[^"]|"")*)"|([^."]+)', identifier)
    return [quoted.replace('""', '"') or bare.strip().upper() for quoted, bare in found]
