"""Who has signed a report, and what they have accepted, with their reasons. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from quantctl.records.signoffs import SignOff


@dataclass(frozen=True)
class Signed:
    """The sign-offs of one report; `accepted`: finding -> by whom, and why."""

    given: Sequence[SignOff] = ()
    accepted: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def of(digest: str, sign_offs: Iterable[SignOff]) -> Signed:
    """Those that name this report."""
    given = [one for one in sign_offs if one.words.report and digest.startswith(one.words.report)]
    accepted = {id: (one.by, because) for one in given for id, because in one.words.accepted.items()}
    return Signed(given, accepted)
