"""`pulumi up` of a stack, and what it leaves: counts and outputs.

The tracked stack files carry their salt: the engine leaves them alone.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantctl.engine.lock.locks import from_message, refusal
from quantctl.engine.process import policy, run
from quantctl.engine.said import reason, way_out
from quantctl.errors import UserError

_SUMMARY = re.compile(r"^\s+\D{0,4}(\d+) (created|updated|deleted|replaced|unchanged|refreshed|to \w+)\b", re.M)
_STEP = re.compile(r"^ *[-+~]+ +\S+:\S+ .*(creating|updating|deleting|replacing|refreshing|created|updated|deleted)")


@dataclass(frozen=True)
class Result:
    """What an update did: how many resources were created, updated, unchanged ..."""

    environment: str
    counts: dict[str, int]

    @property
    def changed(self) -> int:
        """How many resources were changed."""
        return sum(number for what, number in self.counts.items() if what != "unchanged")


def up(
    env: str, environ: Mapping[str, str], progress: Callable[[str], None], options: Sequence[str] = ("--skip-preview",)
) -> Result:
    """`pulumi up` of one stack; each step is told to `progress`. quantctl.promotion.deploy.make_ready comes before.

    Raises:
        UserError: it failed, or the stack is locked; then it says by whom.
    """

    def step(line: str) -> None:
        if _STEP.match(line):
            progress(line.strip())

    done = run(["up", "--yes", *options, "-s", env, *policy()], environ, must=False, each=step)
    if done.code != 0:
        if held := from_message(env, done.out + done.err):
            raise refusal(env, held, datetime.datetime.now(datetime.UTC))
        engine = "\n".join(f"    {line}" for line in done.said.splitlines())
        raise UserError(
            f"The update of {env} failed: {reason(done.reason)}\n  the engine said:\n{engine}",
            do_next=f"{way_out(env, done.said)} By hand: pulumi up -s {env}",
        )
    summary = done.out[done.out.rfind("Resources:") :]
    return Result(env, {what: int(number) for number, what in _SUMMARY.findall(summary)})


def outputs(env: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """The stack's outputs."""
    loaded: dict[str, Any] = json.loads(run(["stack", "output", "--json", "-s", env], environ).out)
    return loaded
