"""A rollback, verified by results: are they what they were when the same tree was deployed before? Pure.

A rollback is a new commit with the tree of an earlier deployment. The report that was recorded of that one says which tables
were the same as the other environment's, and how much the others differed.
"""

from __future__ import annotations

from dataclasses import dataclass

from quantctl.results import words
from quantctl.results.report import SHORT, Report, TableTold

_ROOM = 2.0  # a share may be so many times what it was: other days have other values
_LEAST = 0.05  # of the keys, which is never more than it was


@dataclass(frozen=True)
class AsBefore:
    """Table -> what is not as it was; empty where everything is."""

    then: Report
    other: dict[str, str]

    def __str__(self) -> str:
        named = f"report {self.then.digest[:SHORT]} of {self.then.commits[0][:SHORT]}, whose tree this is"
        if not self.other:
            return f"As before: every table stands to {self.then.against} as in {named}."
        return "\n".join([f"Not as in {named}:", *(f"  {table}: {why}" for table, why in self.other.items())])


def as_before(now: Report, then: Report) -> AsBefore:
    """How the tables stand, beside how they stood."""
    before = {one.table: one for one in then.tables}
    other = {}
    for one in now.tables:
        if (was := before.get(one.table)) is None:
            other[one.table] = "it was not in that report"
        elif why := _differs(one, now, was, then):
            other[one.table] = why
    other |= dict.fromkeys(before.keys() - {one.table for one in now.tables}, "it is in that report and not in this one")
    return AsBefore(then, dict(sorted(other.items())))


def _differs(one: TableTold, now: Report, was: TableTold, then: Report) -> str:
    if not one.numbers or not was.numbers:
        return "unknown: its rows could not be paired" if one.numbers != was.numbers or not one.numbers else ""
    if one.schema_differs != was.schema_differs:
        return "other columns differ"
    for name, it in one.columns.items():
        here = it.differing / one.compared if one.compared else 0.0
        old = was.columns.get(name)
        there = old.differing / was.compared if old is not None and was.compared else 0.0
        if here > max(there * _ROOM, _LEAST):
            return f"{here:.0%} of {name} differ, {there:.0%} did"
    state, old_state = words.state(one, now), words.state(was, then)
    return f"{state}, was {old_state}" if state == words.BAD and old_state != words.BAD else ""
