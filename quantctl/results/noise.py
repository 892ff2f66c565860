"""Below which size a difference is the noise of arithmetic: measured on days on which both sides ran the same code. Pure.

Sums of floats differ in their last digits from one run to the next. The days before the window on which both environments
ran the same code, with success, are a test of that which costs nothing.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from quantctl.results.figures import Figures
from quantctl.results.model import Nights

FEWEST_DAYS = 5  # of which a level is told; of fewer it is unknown, and the contract's tolerance stands alone
ROOM = 2  # the largest of a few days is not yet the largest there will be
MOST = 1e-6  # relative: what is larger is no noise of arithmetic, but other inputs


def quiet_days(nights: Nights, before: datetime.date) -> list[datetime.date]:
    """Days before the window on which both ran the same code, and succeeded."""
    found = []
    for day, (one, other) in sorted(nights.items()):
        ran = one.run and other.run and one.run.succeeded and other.run.succeeded
        if day < before and ran and one.code is not None and one.code == other.code:
            found.append(day)
    return found


def level(column: str, found: Figures, days: Iterable[datetime.date]) -> float | None:
    """The largest relative difference of a quiet day, but for the worst one of ten: one bad day is not noise.

    None where it is unknown: too few days.
    """
    largest = [
        found.days[day].effects[column].largest or 0.0
        for day in days
        if day in found.days and column in found.days[day].effects
    ]
    if len(largest) < FEWEST_DAYS:
        return None
    ordered = sorted(largest)
    return min(ordered[max(0, len(ordered) - 1 - max(1, len(ordered) // 10))], MOST)
