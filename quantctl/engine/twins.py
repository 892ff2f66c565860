"""What exists and is in no state: an update whose answer was lost made it, or somebody else did. Pure.

Databricks takes any number of jobs of one name, so a repeated or lost `jobs/create` leaves a second one; everything else
has a name or a path that is taken, and the next create is refused for ever.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

_CLOCKS = datetime.timedelta(minutes=2)  # by which the engine's clock and the other system's may differ


@dataclass(frozen=True)
class There:
    """An object as it is. `made` and `by` are None where its system does not say when and by whom it was made.

    `like` is whether what can be seen of it is what is declared; `ran` whether a job has ever run.
    """

    id: str
    made: datetime.datetime | None = None
    by: str | None = None
    like: bool = True
    ran: bool = False

    def __str__(self) -> str:
        who = f", made by {self.by}" if self.by else ""
        when = f" at {self.made:%Y-%m-%d %H:%M} UTC" if self.made else ""
        return f"{self.id}{who}{when}{', has run' if self.ran else ''}"


@dataclass(frozen=True)
class Update:
    """The update that may have made it: who it is, and since when none has ended well; None when the last one did."""

    me: frozenset[str]
    since: datetime.datetime | None

    def made(self, one: There) -> bool:
        """Whether it is surely ours: like what is declared, made by us, and since the last update that ended well."""
        if self.since is None or not one.like:
            return False
        if one.by is not None and one.by.lower() not in self.me:
            return False
        return one.made is None or one.made >= self.since - _CLOCKS


@dataclass(frozen=True)
class Verdict:
    """What is done about what is there: `take` it into the state, `remove` what never ran; or `stop`, with the reason."""

    take: str = ""
    remove: tuple[str, ...] = ()
    stop: str = ""
    tell: str = ""


def planned(name: str, there: Sequence[There], update: Update, *, unique: bool) -> Verdict:
    """What to do about objects that are where one is about to be created; `unique`: another create would be refused."""
    ours = [one for one in there if update.made(one)]
    others = [one for one in there if one not in ours]
    if others and unique:
        return Verdict(stop=f"{name} is there already and in nobody's state: {_listed(others)}")
    told = f"{name}: another one of that name is nobody's of ours: {_listed(others)}" if others else ""
    ran = [one for one in ours if one.ran]
    if len(ran) > 1:
        return Verdict(stop=f"{name} is there {len(ran)} times, and each has run: {_listed(ran)}", tell=told)
    kept = (ran or ours)[:1]
    spare = tuple(one.id for one in ours if one not in kept)
    return Verdict(kept[0].id if kept else "", spare, tell=told)


def beside(name: str, there: Sequence[There], update: Update) -> Verdict:
    """What to do about objects of the name of one that is in the state: a repeated request made them."""
    ours = [one for one in there if update.made(one)]
    others = [one for one in there if one not in ours]
    ran = [one for one in ours if one.ran]
    told = f"{name}: another one of that name is in nobody's state: {_listed(others)}" if others else ""
    stop = f"{name} exists twice, and the one that is in nobody's state has run: {_listed(ran)}" if ran else ""
    return Verdict(remove=tuple(one.id for one in ours if not one.ran), stop=stop, tell=told)


def _listed(found: Sequence[There]) -> str:
    return "; ".join(map(str, found))
