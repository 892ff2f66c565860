"""The access matrix: persona x environment -> folder level, job level, schema access. Lock-down lives here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from infra.settings import Environment


class SchemaAccess(StrEnum):
    """What a persona may do in the environment's Snowflake schema. Nobody but the service user writes."""

    NONE = "none"
    READ = "read"


@dataclass(frozen=True)
class Persona:
    """A kind of person: its group in Databricks and its account role in Snowflake, both from the identity provider."""

    name: str
    group: str
    role: str


@dataclass(frozen=True)
class Access:
    """Levels as Databricks spells them; None is no entry at all."""

    folder: str | None = None
    job: str | None = None
    schema: SchemaAccess = SchemaAccess.NONE


DEVELOPERS = Persona("developers", "quant-developers", "QUANT_DEVELOPERS")
REVIEWERS = Persona("reviewers", "quant-reviewers", "QUANT_REVIEWERS")
RELEASE_MANAGERS = Persona("release managers", "quant-release-managers", "QUANT_RELEASE_MANAGERS")
UAT_TESTERS = Persona("UAT testers", "quant-uat-testers", "QUANT_UAT_TESTERS")
LIMITED_RELEASE = Persona("limited-release audience", "quant-limited-release", "QUANT_LIMITED_RELEASE")
END_USERS = Persona("end users", "quant-end-users", "QUANT_END_USERS")
SUPPORT = Persona("support", "quant-support", "QUANT_SUPPORT")

_READ = SchemaAccess.READ
_WATCH = Access("CAN_READ", "CAN_VIEW", _READ)
_DATA = Access(schema=_READ)

MATRIX: dict[Environment, dict[Persona, Access]] = {
    Environment.DEV: {
        DEVELOPERS: Access("CAN_READ", "CAN_MANAGE_RUN", _READ),
        REVIEWERS: _WATCH,
        RELEASE_MANAGERS: _WATCH,
        SUPPORT: Access("CAN_READ", "CAN_VIEW"),
    },
    Environment.STAGING: {
        DEVELOPERS: _WATCH,
        REVIEWERS: _WATCH,
        RELEASE_MANAGERS: Access("CAN_READ", "CAN_MANAGE_RUN", _READ),
        UAT_TESTERS: _DATA,
        SUPPORT: _WATCH,
    },
    Environment.LIMITED: {
        DEVELOPERS: Access("CAN_READ", "CAN_VIEW"),
        RELEASE_MANAGERS: Access("CAN_READ", "CAN_MANAGE_RUN"),
        LIMITED_RELEASE: _DATA,
        SUPPORT: Access("CAN_READ", "CAN_VIEW"),
    },
    Environment.LIVE: {
        DEVELOPERS: Access("CAN_READ", "CAN_VIEW"),
        RELEASE_MANAGERS: _WATCH,
        LIMITED_RELEASE: _DATA,
        END_USERS: _DATA,
        SUPPORT: _WATCH,
    },
}


def access_of(environment: Environment) -> dict[Persona, Access]:
    """Who may do what in `environment`; a persona that is not listed may do nothing."""
    return MATRIX[environment]
