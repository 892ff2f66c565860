"""Runs by workflow and day. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from infra.outside.workspace import Run
from quantctl.status.model import Day, Workflow


def first_day(now: datetime.datetime, days: int) -> datetime.datetime:
    """Midnight (UTC) of the first of the last `days` days, today among them."""
    return datetime.datetime.combine(now.date() - datetime.timedelta(days - 1), datetime.time(), datetime.UTC)


def by_day(
    runs: Mapping[str, Sequence[Run]], active: Mapping[str, Sequence[int]], now: datetime.datetime, days: int
) -> list[Workflow]:
    """One row a workflow. A run that began earlier and has not ended is shown on the first day."""
    dates = [first_day(now, days).date() + datetime.timedelta(number) for number in range(days)]
    return [_row(name, runs[name], active.get(name, ()), dates) for name in sorted(runs)]


def _row(name: str, runs: Sequence[Run], active: Sequence[int], dates: Sequence[datetime.date]) -> Workflow:
    counts = {date: {"succeeded": 0, "failed": 0, "active": 0, "other": 0} for date in dates}
    for run in runs:
        date = run.started.date()
        if date in counts:
            kind = "succeeded" if run.succeeded else "failed" if run.failed else "other" if run.result else "active"
            counts[date][kind] += 1
    counts[dates[0]]["active"] += len(set(active) - {run.run_id for run in runs})
    return Workflow(name, [Day(date, **counts[date]) for date in dates])
