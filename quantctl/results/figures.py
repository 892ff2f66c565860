"""What the statement of a pair has measured: counts by day and in all, sizes of differences, numbers of checks. Pure.

What could let somebody infer a value is left out here, before anything is told: sizes of fewer than FEWEST differences.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quantctl.results.statements import ALL, CHECKS, DAY, SIZES, Statement

FEWEST = 5  # differences of which a median or a largest is told
Both = tuple[int, int]


@dataclass(frozen=True)
class Sizes:
    """Of the differences beyond the tolerance, nothing where there are none."""

    median: float
    p99: float
    largest: float


@dataclass(frozen=True)
class Effect:
    """How one column differs. `beyond`: values that differ by more than the tolerance. `nulls`: null on one side alone.

    `largest` is what noise is measured by and is never shown; `undeclared`: differ by more than a change was declared to.
    """

    beyond: int = 0
    nulls: int = 0
    undeclared: int | None = None
    absolute: Sizes | None = None
    relative: Sizes | None = None
    largest: float | None = None

    @property
    def differing(self) -> int:
        """Values that are not the same."""
        return self.beyond + self.nulls


@dataclass(frozen=True)
class Counts:
    """A pair in a day, or in the whole window. Of two numbers the first is the environment's."""

    rows: Both = (0, 0)
    only: Both = (0, 0)
    null_keys: Both = (0, 0)
    duplicate_keys: Both = (0, 0)
    both: int = 0
    compared: int = 0
    differing: int = 0
    effects: Mapping[str, Effect] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Nothing differs."""
        return not any(self.only) and not self.differing


@dataclass(frozen=True)
class Figures:
    """Everything measured of a pair. `share`: values of one key in so many were compared."""

    days: Mapping[datetime.date | None, Counts]
    whole: Counts
    checks: Mapping[str, float | None]
    rows: int
    age: int | None
    share: int = 1


def figures(asked: Statement, rows: Sequence[Sequence[Any]]) -> Figures:
    """The rows of a statement as figures.

    Raises:
        ValueError: they are not those of this statement.
    """
    days: dict[datetime.date | None, Counts] = {}
    whole, checks = Counts(), dict[str, float | None]()
    share = 0
    seen = set()
    for part, day, *values in rows:
        seen.add(part)
        if part == CHECKS:
            checks = dict(zip(asked.checks, values, strict=False))
            continue
        told = dict(zip(asked.numbers, values, strict=False))
        counts = _counts(told)
        if part == DAY:
            days[day] = counts
        else:
            whole, share = counts, _whole(told.get("share"))
    if not {ALL, CHECKS} <= seen:
        raise ValueError("the account's answer has not the parts that were asked for")
    age = checks.get("age")
    return Figures(
        days={day: days[day] for day in sorted(days, key=lambda day: day or datetime.date.min)},
        whole=whole,
        checks={name.removeprefix("check."): value for name, value in checks.items() if name.startswith("check.")},
        rows=_whole(checks.get("rows")),
        age=None if age is None else int(age),
        share=16**share,
    )


def _counts(told: Mapping[str, Any]) -> Counts:
    def both(name: str) -> Both:
        return _whole(told.get(f"{name}.0")), _whole(told.get(f"{name}.1"))

    columns = [name.removesuffix(".beyond") for name in told if name.endswith(".beyond")]
    return Counts(
        rows=both("rows"),
        only=both("only"),
        null_keys=both("null_keys"),
        duplicate_keys=both("duplicate_keys"),
        both=_whole(told.get("both")),
        compared=_whole(told.get("compared")),
        differing=_whole(told.get("differing")),
        effects={name: _effect(name, told) for name in columns},
    )


def _effect(name: str, told: Mapping[str, Any]) -> Effect:
    beyond = _whole(told[f"{name}.beyond"])
    undeclared = f"{name}.undeclared"
    largest = [told.get(f"{name}.{what}.max") for what in ("relative", "absolute")]
    return Effect(
        beyond=beyond,
        nulls=_whole(told[f"{name}.nulls"]),
        undeclared=_whole(told[undeclared]) if undeclared in told else None,
        absolute=_sizes(told, f"{name}.absolute") if beyond >= FEWEST else None,
        relative=_sizes(told, f"{name}.relative") if beyond >= FEWEST else None,
        largest=next((float(one) for one in largest if one is not None), None),
    )


def _sizes(told: Mapping[str, Any], what: str) -> Sizes | None:
    found = [told.get(f"{what}.{size}") for size in SIZES]
    return None if any(one is None for one in found) else Sizes(*(float(one) for one in found if one is not None))


def _whole(value: Any) -> int:
    return int(value or 0)
