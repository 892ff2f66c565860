"""A status as a team might see it, for the tests of what is shown."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from infra.promotion import EDGES
from infra.vocabulary import Environment
from quantctl.forge.model import Verdict
from quantctl.promotion.gates import Gate, Unknown
from quantctl.records.deployments import Record
from quantctl.records.repository import Commit
from quantctl.records.signoffs import SignOff
from quantctl.status.model import Day, Deployed, Drift, DriftVerdict, EdgeStatus, EnvironmentStatus, Status, Workflow

NOW = datetime.datetime(2026, 11, 24, 11, 40, tzinfo=datetime.UTC)
DEV, STAGING, LIMITED, LIVE = Environment
CLEAN = Drift(DriftVerdict.CLEAN)
_IDS = {DEV: "3f2a9c1b", STAGING: "b81d7e02", LIMITED: "77ac01d9", LIVE: "0c5e44fa"}


def commit(id: str, subject: str, author: str = "Dana Developer", days: float = 1.0) -> Commit:
    """A commit of so many days ago."""
    at = int((NOW - datetime.timedelta(days)).timestamp())
    return Commit(id.ljust(40, "0"), author, "dana@quant.example", at, subject)


def flow(name: str, marks: str) -> Workflow:
    """A workflow from a mark a day, the oldest first: s(ucceeded), f(ailed), a(ctive), o(ther), or none."""
    kinds = {"s": "succeeded", "f": "failed", "a": "active", "o": "other"}
    first = NOW.date() - datetime.timedelta(len(marks) - 1)
    days = [
        Day(first + datetime.timedelta(i), **({kinds[mark]: 1} if mark in kinds else {})) for i, mark in enumerate(marks)
    ]
    return Workflow(name, days)


def record(env: Environment, id: str, days: float, source: str | None = None) -> Record:
    """A deployment of so many days ago."""
    how = "promotion" if source else "deployment"
    at = NOW - datetime.timedelta(days)
    return Record("deployment", env.value, at, id.ljust(40, "0"), None, "Rita Release", how, source)


def environment(
    env: Environment,
    undeployed: Sequence[Commit] = (),
    workflows: Sequence[Workflow] = (),
    drift: Drift = CLEAN,
    sign_offs: Sequence[SignOff] = (),
) -> EnvironmentStatus:
    """An environment that is deployed; its branch's head is the newest of what is not deployed, if there is any."""
    here = commit(_IDS[env], "Weigh factors by liquidity", days=4)
    head = undeployed[0] if undeployed else here
    last = record(env, _IDS[env], 3.2, None if env is DEV else "quant")
    deployed = Deployed(here.id, env.value, here.subject)
    return EnvironmentStatus(env, head, deployed, list(undeployed), list(workflows), drift, list(sign_offs), last)


def sign_off(env: Environment, id: str, note: str = "Numbers agree with the desk's.") -> SignOff:
    """Somebody's word of two days ago."""
    at = int((NOW - datetime.timedelta(2)).timestamp())
    full = id.ljust(40, "0")
    return SignOff(env.value, full, "Uma Tester", note, "Rita <rita@quant.example>", at, f"signoff/{env}/{full}/uma")


def gates(**verdicts: Verdict) -> list[Gate]:
    """Every gate: yes, but for those that are named."""
    told = {
        "fast-forward": "the source is 3 commits ahead of the target and holds all of it.",
        "soak": "4 workflows ran at least 3.4 of 3 days, each with at least 4 successful runs of 3 and at most 0 failed.",
        "approvals": "1 of 1: rita@quant.example (tag approval/quant_stg/3f2a9c1b/rita@quant.example).",
        "sign-off": "for b81d7e02: by Uma Tester: 'Numbers agree with the desk's.'",
        "release-manager": "Rita Release is in the group quant-release-managers of the workspace.",
        "no-active-runs": "no run is active in the target.",
        "no-freeze": "no freeze on 2026-11-24.",
    }
    asked = {name.replace("_", "-"): verdict for name, verdict in verdicts.items()}
    return [Gate(name, asked.get(name, Verdict.YES), text) for name, text in told.items()]


def team_status() -> Status:
    """Something of everything: ready and stopped, runs that failed, drift, and a reading that failed."""
    names = ("factor_returns", "positions_snapshot", "risk_model", "signal_report")
    waiting = [commit("aa11bb22", "Tighten the risk limits of the overnight book", days=0.2)]
    stale = commit("91c2d3e4", "Positions: tell what is stale", "Mei Ling", 2)
    moving = [commit(_IDS[DEV], "Weigh factors by liquidity"), stale]
    edited = Drift(DriftVerdict.DRIFT, ["local edits: src/risk_model.py", "0c5e44fa was deployed by no recorded deployment"])
    marks = {
        DEV: ("sssssss", "ssss.sa", "sssssss", ".s.s.ss"),
        STAGING: ("sssssss", "sssssss", "ssfssss", ".s.s.so"),
        LIMITED: ("....sss", "....sss", "....sss", "......."),
        LIVE: ("sssssss", "sssssss", "sssssss", ".s.s.ss"),
    }
    flows = {env: [flow(name, row) for name, row in zip(names, rows, strict=True)] for env, rows in marks.items()}
    environments = [
        environment(DEV, waiting, flows[DEV], Drift(DriftVerdict.WAITING)),
        environment(STAGING, workflows=flows[STAGING], sign_offs=[sign_off(STAGING, _IDS[STAGING])]),
        environment(LIMITED, workflows=flows[LIMITED]),
        environment(LIVE, workflows=flows[LIVE], drift=edited),
    ]
    ways = dict(zip(EDGES, (
        (moving, gates(approvals=Verdict.NO, soak=Verdict.NO)),
        (moving, gates()),
        (moving, gates(release_manager=Verdict.UNKNOWN)),
        ([], gates(fast_forward=Verdict.NO)),
    ), strict=True))  # fmt: skip
    edges = [EdgeStatus(edge, commits, found) for edge, (commits, found) in ways.items()]
    remote, host = "https://git.quant.example/pipelines.git", "https://dbc.quant.example"
    return Status(NOW, "the workspace", remote, host, 7, environments, edges)


def unread(env: Environment, why: str) -> EnvironmentStatus:
    """An environment of which nothing could be read."""
    nothing = Unknown(why)
    drift = Drift(DriftVerdict.UNKNOWN, [why])
    return EnvironmentStatus(env, nothing, nothing, nothing, nothing, drift, nothing, nothing)
