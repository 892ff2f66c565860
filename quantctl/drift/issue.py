"""One issue says what the last drift run found; it is closed when all is clean again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from infra.vocabulary import Environment
from quantctl.drift.finding import By, Class, EnvironmentDrift, Finding, Fix, Verdict
from quantctl.drift.formats import MARKER, as_markdown, headline
from quantctl.errors import UserError

ISSUE = "quantctl drift"  # by which the issue is found again; the forge hides it in a comment
LABEL = "drift"


class Action(StrEnum):
    """What is done with the issue."""

    UPSERT = "upsert"
    CLOSE = "close"
    LEAVE = "leave"


@dataclass(frozen=True)
class Decision:
    """What is done with the issue, and why. `text` is its description, or the comment with which it is closed."""

    action: Action
    why: str
    title: str = ""
    text: str = ""
    marker: str = ISSUE
    labels: tuple[str, ...] = field(default=(LABEL,))


class Issues(Protocol):
    """What this needs of a forge."""

    def upsert_issue(self, marker: str, title: str, text: str, labels: Sequence[str] = ()) -> str:
        """The one open issue with the hidden marker says `text` now; answers its address."""

    def close_issue(self, marker: str, comment: str) -> str | None:
        """Close the open issue with the hidden marker; its address, or None when there is none."""


def read(text: str) -> list[EnvironmentDrift]:
    """The reports in what `quantctl drift --format json` printed.

    Raises:
        UserError: it is something else, e.g. nothing, because the run did not get that far.
    """
    try:
        environments = json.loads(text)["environments"]
        found = [
            EnvironmentDrift(one["environment"], tuple(_finding(row) for row in one["findings"])) for one in environments
        ]
    except (ValueError, KeyError, TypeError):
        raise UserError(
            "This is not what a drift run printed.",
            found=text[:60] or "nothing",
            expected="the output of `quantctl drift --format json`",
            do_next="look at what the run said on standard error; the issue stays as it is",
        ) from None
    if not found:
        raise UserError("The drift run looked at no environment: the issue stays as it is.")
    return found


def decide(reports: Sequence[EnvironmentDrift]) -> Decision:
    """Drift opens or refreshes the issue, clean closes it. Unknown never does: nobody knows whether it is fixed."""
    drifted = [each.environment for each in reports if each.of(Class.DRIFT)]
    unknown = [each.environment for each in reports if each.verdict is Verdict.UNKNOWN]
    if drifted:
        return Decision(Action.UPSERT, f"{', '.join(drifted)} drifted", f"Drift: {headline(reports)}", _body(reports))
    if unknown:
        return Decision(Action.LEAVE, f"{', '.join(unknown)} could not be read: an open issue stays as it is")
    if missing := sorted(set(Environment) - {each.environment for each in reports}):
        return Decision(Action.LEAVE, f"the run did not look at {', '.join(missing)}: an open issue stays as it is")
    return Decision(
        Action.CLOSE, "nothing differs", text=f"The last drift run found nothing that differs: {headline(reports)}."
    )


def carry_out(decision: Decision, forge: Issues) -> str:
    """Do it; answers in words what was done."""
    if decision.action is Action.UPSERT:
        return f"{decision.why}: {forge.upsert_issue(decision.marker, decision.title, decision.text, decision.labels)}"
    if decision.action is Action.CLOSE:
        closed = forge.close_issue(decision.marker, decision.text)
        return f"{decision.why}: {f'closed {closed}' if closed else 'no issue is open'}"
    return decision.why


def _body(reports: Sequence[EnvironmentDrift]) -> str:
    """The run as Markdown, without the marker: the forge puts that in front."""
    return as_markdown(reports).removeprefix(MARKER).lstrip("\n")


def _finding(row: dict[str, Any]) -> Finding:
    fix = Fix(row["fix"], By(row["fixed_by"]))
    resource, property, declared, real = (str(row[key]) for key in ("resource", "property", "declared", "real"))
    return Finding(row["environment"], Class(row["class"]), resource, property, declared, real, fix, row.get("urn", ""))
