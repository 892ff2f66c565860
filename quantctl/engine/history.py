"""How the last update of a stack ended, as the backend's history has it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantctl.engine.process import run

_ENTRIES = 20  # of the history that are read
_PARTIAL = ("pulumi.flag.target", "pulumi.flag.target-replace", "pulumi.flag.exclude")


@dataclass(frozen=True)
class LastUpdate:
    """Updates that failed and that no later one has made good: when the last began, and when the first of them did.

    `began` is whether any came as far as a resource. Times are the engine's, in UTC.
    """

    at: str
    began: bool
    since: str = ""


def last_failure(env: str, environ: Mapping[str, str], seconds: float | None = None) -> LastUpdate | str | None:
    """The update that failed and was not made good since; None when there is none, a text why it is unknown."""
    done = run(
        ["stack", "history", "--json", "--page-size", str(_ENTRIES), "--page", "1", "-s", env],
        environ,
        must=False,
        seconds=seconds,
    )
    try:
        return failure_of(json.loads(done.out)) if done.code == 0 else done.reason
    except (ValueError, KeyError, TypeError, AttributeError):
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
    began = any(one.get("resourceChanges") for one in failures)
    return LastUpdate(str(failures[0].get("startTime", ""))[:16], began, str(failures[-1].get("startTime", "")))
