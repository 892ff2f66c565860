"""Every logical and physical name. Logical names are in the state for ever: short, and never changed."""

from __future__ import annotations

from dataclasses import dataclass

from infra.own_names import SECRET_KEY, all_names
from infra.settings import Settings

__all__ = ["SECRET_KEY", "Names", "names_of", "qualified"]


@dataclass(frozen=True)
class Names:
    """The physical names of one environment. Snowflake names are upper case, as Snowflake returns them."""

    schema: str
    reader: str
    writer: str
    service_role: str
    service_user: str
    secret_scope: str
    secret_key: str
    resource_monitor: str
    network_policy: str
    baseline: str


def names_of(settings: Settings) -> Names:
    """The names that `settings` imply."""
    schema = settings.schema_.upper()
    names = all_names(settings.environment.value, schema, settings.own_names.model_dump(by_alias=True))
    return Names(
        schema=schema,
        reader=names["readerRole"],
        writer=names["writerRole"],
        service_role=names["serviceRole"],
        service_user=names["serviceUser"],
        secret_scope=names["secretScope"],
        secret_key=names["secretKey"],
        resource_monitor=f"{settings.warehouse.upper()}_MONITOR",
        network_policy=f"{schema}_SVC_ADDRESSES",
        baseline=f"{schema}_BASE",
    )


def qualified(database: str, name: str) -> str:
    """`"DATABASE"."NAME"`, the spelling that the Snowflake provider keeps in its state."""
    return f'"{database.upper()}"."{name}"'
