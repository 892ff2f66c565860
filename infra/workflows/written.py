"""A job as its author wrote it, whatever kind of file it stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.workflows.document import Map
from infra.workflows.places import From
from infra.workflows.problems import Mark


@dataclass(frozen=True)
class Written:
    """One job. `key` is its logical name; `job` has the Jobs API's keys; `overrides` are by environment; it is not in those
    of `absent`.
    """

    key: str
    mark: Mark
    job: Map
    start: From
    overrides: Mapping[str, Map] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    lenient: bool = False
