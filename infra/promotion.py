"""The edges along which a change is promoted, and the gates that stand on each. Pure.

The gates of an edge are data: what stands here is taken where the project settings (`quant:gates`) do not say otherwise.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field, StringConstraints

from infra.named_values import Part
from infra.vocabulary import Environment

_EDGE = r"^(quant -> quant_stg|quant_stg -> quant_lr|quant_stg -> quant_live|quant_lr -> quant_live)$"
Stakeholder = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][\w -]{0,40}$")]
EdgeName = Annotated[str, StringConstraints(pattern=_EDGE)]


@dataclass(frozen=True)
class Edge:
    """One step of a change: from an environment to the next."""

    source: Environment
    target: Environment

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"


@dataclass(frozen=True)
class Gates:
    """What has to hold before a change moves along an edge; GateChanges says what each is."""

    soak_days: float
    successful_runs: int
    failed_runs: int
    approvals: int
    sign_off: bool
    release_manager: bool
    results_days: int = 0
    stakeholders: tuple[str, ...] = ()


class GateChanges(Part):
    """What the project settings say of one edge; what is not said stays as it is."""

    soak_days: float | None = Field(default=None, ge=0, le=90, description="days each workflow has run in the source")
    successful_runs: int | None = Field(default=None, ge=0, description="of each workflow in that time, at least")
    failed_runs: int | None = Field(default=None, ge=0, description="of each workflow in that time, at most")
    approvals: int | None = Field(default=None, ge=0, description="by people who have written nothing of what moves")
    sign_off: bool | None = Field(default=None, description="a UAT sign-off for exactly the commit that moves is needed")
    release_manager: bool | None = Field(default=None, description="only a release manager promotes")
    results_days: int | None = Field(
        default=None, ge=0, le=60, description="days of a recorded report of results, run by this code; 0: none is asked for"
    )
    stakeholders: list[Stakeholder] | None = Field(
        default=None, description="for whom a sign-off is needed, each by another"
    )


class Freeze(Part):
    """A time in which nothing is promoted into some environments."""

    environments: list[Environment] = Field(min_length=1, description="into which nothing is promoted")
    start: datetime.date = Field(description="first day, UTC")
    end: datetime.date = Field(description="last day, UTC")
    why: str = Field(min_length=1, description="what whoever is stopped is told")


# Soak days, successful and failed runs, approvals, sign-off, release manager.
EDGES: dict[Edge, Gates] = {
    Edge(Environment.DEV, Environment.STAGING): Gates(3, 3, 0, 1, sign_off=False, release_manager=False),
    Edge(Environment.STAGING, Environment.LIMITED): Gates(1, 1, 0, 1, sign_off=True, release_manager=False, results_days=1),
    Edge(Environment.STAGING, Environment.LIVE): Gates(3, 3, 0, 2, sign_off=True, release_manager=True, results_days=3),
    Edge(Environment.LIMITED, Environment.LIVE): Gates(3, 3, 0, 1, sign_off=False, release_manager=True, results_days=3),
}


def gates_of(edge: Edge, changes: dict[str, GateChanges]) -> Gates:
    """The gates of an edge, as the project settings change them."""
    changed = changes.get(str(edge))
    said = changed.model_dump(exclude_none=True) if changed else {}
    if "stakeholders" in said:
        said["stakeholders"] = tuple(said["stakeholders"])
    return replace(EDGES[edge], **said)
