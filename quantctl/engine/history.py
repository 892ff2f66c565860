"""How the last update of a stack ended, as the backend's history has it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantctl.engine.state import States
from quantctl.errors import UserError

_PARTIAL = ("pulumi.flag.target", "pulumi.flag.target-replace", "pulumi.flag.exclude")


@dataclass(frozen=True)
class LastUpdate:
    """Updates that failed and that no later one has made good: when the last began, and when the first of them did.

    `began` is whether any may have changed something. Times are the engine's, in UTC.
    """

    at: str
    began: bool
    since: str = ""


def last_failure(env: str, states: States) -> LastUpdate | str | None:
    """The update that failed and was not made good since; None when there is none, a text why it is unknown."""
    try:
        return failure_of(states.history(env))
    except UserError as error:
        return str(error)
    except (KeyError, TypeError, AttributeError):
        return "the history of the stack was not understood"


def failure_of(entries: Sequence[Mapping[str, Any]]) -> LastUpdate | None:
    """The same from the history's entries, the newest first. Pure.

    An update of some resources makes good what failed before it of some resources, and not a whole update.
    """
    partly, failures = False, []
    for one in entries:
        if one["kind"] not in ("update", "destroy") or one.get("result") == "in-progress":
            continue
        whole = not any(flag in (one.get("environment") or {}) for flag in _PARTIAL)
        failed = one.get("result") != "succeeded"
        if failed and not (partly and not whole):
            failures.append(one)
        if whole and not failed:
            break
        partly = partly or not failed
    if not failures:
        return None
    began = any(_began(one) for one in failures)
    return LastUpdate(str(failures[0].get("startTime", ""))[:16], began, str(failures[-1].get("startTime", "")))


def _began(failed: Mapping[str, Any]) -> bool:
    """Whether it came as far as a resource beside the stack itself; of a step that failed the engine counts nothing."""
    return failed["kind"] == "destroy" or sum(map(int, (failed.get("resourceChanges") or {}).values())) > 1


def last_change(entries: Sequence[Mapping[str, Any]]) -> datetime.datetime | None:
    """When an update last changed something: its end, in UTC; from the history's entries, the newest first. Pure."""
    for one in entries:
        changes: Mapping[str, int] = one.get("resourceChanges") or {}
        if one.get("kind") == "update" and any(number for what, number in changes.items() if what != "same"):
            ended = str(one["endTime"]).replace("Z", "+00:00")
            return datetime.datetime.fromisoformat(ended).astimezone(datetime.UTC)
    return None
