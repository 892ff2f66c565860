"""Names of an environment that are not the usual ones, because a team had them before; and what is usual. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from infra.named_values import Identifier, Part, ScopeName

SECRET_KEY = "snowflake_private_key"
# Names of one kind are told apart in the whole account or workspace, so no two environments share one.
_KINDS = (("serviceRole",), ("serviceUser",), ("readerRole", "writerRole"), ("secretScope",))


class OwnNames(Part):
    """What is called otherwise than usual; a name that is not said follows from the schema and the environment."""

    service_role: Identifier | None = Field(default=None, description="account role of the jobs; else SCHEMA_SVC")
    service_user: Identifier | None = Field(default=None, description="Snowflake user of the jobs; else SVC_SCHEMA")
    reader_role: Identifier | None = Field(default=None, description="database role that reads; else SCHEMA_READER")
    writer_role: Identifier | None = Field(default=None, description="database role that writes; else SCHEMA_WRITER")
    secret_scope: ScopeName | None = Field(default=None, description="Databricks secret scope; else the environment's name")
    secret_key: ScopeName | None = Field(default=None, description=f"key of the scope; else {SECRET_KEY}")


def all_names(environment: str, schema: str, own: Mapping[str, str | None]) -> dict[str, str]:
    """Every name of an environment by its setting; Snowflake's in upper case, as Snowflake returns them."""
    schema = schema.upper()
    usual = {
        "serviceRole": f"{schema}_SVC",
        "serviceUser": f"SVC_{schema}",
        "readerRole": f"{schema}_READER",
        "writerRole": f"{schema}_WRITER",
    }
    names = {key: (own.get(key) or name).upper() for key, name in usual.items()}
    return {
        **names,
        "secretScope": own.get("secretScope") or environment,
        "secretKey": own.get("secretKey") or SECRET_KEY,
    }


def in_common(mine: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Setting and name of what two environments share."""
    for kind in _KINDS:
        taken = {theirs[key].lower() for key in kind}
        yield from ((key, mine[key]) for key in kind if mine[key].lower() in taken)


def names_in(environment: str, config: Mapping[str, Any]) -> dict[str, str]:
    """The names that a stack's configuration says, before it is judged; what is no text there is refused elsewhere."""
    schema, own = config.get("quant:schema"), config.get("quant:names")
    if isinstance(own, str):
        try:
            own = json.loads(own)
        except ValueError:
            own = {}
    said = {key: value for key, value in own.items() if isinstance(value, str)} if isinstance(own, Mapping) else {}
    return all_names(environment, schema if isinstance(schema, str) and schema else environment, said)
