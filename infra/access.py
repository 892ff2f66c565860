"""The access matrix: persona x environment -> folder level, job level, schema access. Lock-down lives here.

A stack may narrow its row, never widen it. What is not listed is nothing at all. docs/access.md is made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from infra.errors import UserError
from infra.vocabulary import Environment, FolderLevel, JobLevel, Persona, SchemaAccess


@dataclass(frozen=True)
class Access:
    """What one persona may do in one environment."""

    folder: FolderLevel = FolderLevel.NONE
    job: JobLevel = JobLevel.NONE
    schema: SchemaAccess = SchemaAccess.NONE

    @property
    def in_databricks(self) -> bool:
        """Whether the persona's group is needed."""
        return (self.folder, self.job) != (FolderLevel.NONE, JobLevel.NONE)


@dataclass(frozen=True)
class Narrowed:
    """What a stack file says of one persona; None leaves the matrix as it is."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  # read by pydantic, which makes these of a stack file

    folder: FolderLevel | None = None
    job: JobLevel | None = None
    schema: SchemaAccess | None = None


_LOOK = Access(FolderLevel.READ, JobLevel.VIEW)
_WATCH = Access(FolderLevel.READ, JobLevel.VIEW, SchemaAccess.READ)
_RUN = Access(FolderLevel.READ, JobLevel.RUN, SchemaAccess.READ)
_DATA = Access(schema=SchemaAccess.READ)

MATRIX: dict[Environment, dict[Persona, Access]] = {
    Environment.DEV: {
        Persona.DEVELOPERS: _RUN,
        Persona.REVIEWERS: _WATCH,
        Persona.RELEASE_MANAGERS: _WATCH,
        Persona.SUPPORT: _LOOK,
        Persona.COMPARERS: _DATA,
    },
    Environment.STAGING: {
        Persona.DEVELOPERS: _WATCH,
        Persona.REVIEWERS: _WATCH,
        Persona.RELEASE_MANAGERS: _RUN,
        Persona.UAT_TESTERS: _DATA,
        Persona.SUPPORT: _WATCH,
        Persona.COMPARERS: _DATA,
    },
    Environment.LIMITED: {
        Persona.DEVELOPERS: _LOOK,
        Persona.RELEASE_MANAGERS: Access(FolderLevel.READ, JobLevel.RUN),
        Persona.LIMITED_RELEASE: _DATA,
        Persona.SUPPORT: _LOOK,
        Persona.COMPARERS: _DATA,
    },
    Environment.LIVE: {
        Persona.DEVELOPERS: _LOOK,
        Persona.RELEASE_MANAGERS: _WATCH,
        Persona.LIMITED_RELEASE: _DATA,
        Persona.END_USERS: _DATA,
        Persona.SUPPORT: _WATCH,
        Persona.COMPARERS: _DATA,
    },
}

# What the identities of an environment may do, in every environment alike; no stack file changes it.
SERVICE_PRINCIPAL = Access(FolderLevel.RUN, JobLevel.RUN, SchemaAccess.WRITE)
DEPLOYER = Access(FolderLevel.MANAGE, JobLevel.OWNER, SchemaAccess.OWN)  # the folder by being a workspace administrator


def access_of(environment: Environment, narrowed: Mapping[Persona, Narrowed]) -> dict[Persona, Access]:
    """Who may do what in `environment`, once its stack file has narrowed the matrix.

    Raises:
        UserError: something would be widened; names file, key, what was found and what is allowed.
    """
    problems: list[str] = []

    def least(persona: Persona, what: str, matrix: StrEnum, wanted: StrEnum | None) -> StrEnum:
        order = list(type(matrix))
        if wanted is None or order.index(wanted) <= order.index(matrix):
            return matrix if wanted is None else wanted
        allowed = ", ".join(order[: order.index(matrix) + 1])
        problems.append(
            f"Pulumi.{environment}.yaml: quant:access.{persona}.{what}: found {wanted.value!r}, allowed are {allowed}:"
            f" a stack narrows the access matrix of {environment} and never widens it (docs/access.md)."
        )
        return matrix

    row: dict[Persona, Access] = {}
    for persona in Persona:
        usual, own = MATRIX[environment].get(persona, Access()), narrowed.get(persona, Narrowed())
        row[persona] = Access(
            FolderLevel(least(persona, "folder", usual.folder, own.folder)),
            JobLevel(least(persona, "job", usual.job, own.job)),
            SchemaAccess(least(persona, "schema", usual.schema, own.schema)),
        )
    if problems:
        raise UserError("\n".join(problems))
    return {persona: access for persona, access in row.items() if access != Access()}


def table() -> list[tuple[str, ...]]:
    """The matrix as rows of words: a heading, then a row for each persona and for the environment's own identities."""
    rows = [("persona", *(environment.value for environment in Environment))]
    for persona in Persona:
        cells = (MATRIX[environment].get(persona, Access()) for environment in Environment)
        rows.append((persona.value, *(_words(access) for access in cells)))
    for identity, access in (("servicePrincipal", SERVICE_PRINCIPAL), ("deployer", DEPLOYER)):
        rows.append((identity, *(_words(access) for _ in Environment)))
    return rows


def _words(access: Access) -> str:
    said = [
        f"folder {access.folder}" if access.folder != FolderLevel.NONE else "",
        f"jobs {access.job}" if access.job != JobLevel.NONE else "",
        f"schema {access.schema}" if access.schema != SchemaAccess.NONE else "",
    ]
    return ", ".join(filter(None, said)) or "-"
