"""A status for programs. Pure."""

from __future__ import annotations

import datetime
from typing import Any

from quantctl.promotion.gates import Unknown
from quantctl.records.deployments import Record
from quantctl.status import conclusions
from quantctl.status.model import EdgeStatus, EnvironmentStatus, Status


def as_json(status: Status) -> dict[str, Any]:
    """Everything; {"cannot_tell": why} stands where something could not be read."""
    return {
        "at": status.at.isoformat(),
        "clock": status.clock,
        "remote": status.remote,
        "host": status.host,
        "days": status.days,
        "environments": [_environment_json(one) for one in status.environments],
        "edges": [_edge_json(one) for one in status.edges],
        "attention": conclusions.attention(status),
        "steps": [{"command": step.command, "why": step.why} for step in conclusions.steps(status)],
        "cannot_tell": [{"why": why, "what": what} for why, what in conclusions.unread(status).items()],
    }


def _environment_json(one: EnvironmentStatus) -> dict[str, Any]:
    return {
        "name": one.name.value,
        "stage": one.stage,
        "head": _known(one.head),
        "deployed": _known(one.deployed),
        "undeployed": _known(one.undeployed),
        "workflows": _known(one.workflows),
        "drift": {"verdict": one.drift.verdict.value, "findings": list(one.drift.findings), "full": one.drift.full},
        "sign_offs": _known(one.sign_offs),
        "last_deployment": _known(one.last),
        "interrupted": _known(one.interrupted),
        "until": _known(one.until),
    }


def _edge_json(one: EdgeStatus) -> dict[str, Any]:
    return {
        "source": one.edge.source.value,
        "target": one.edge.target.value,
        "way": one.way.value,
        "commits": _known(one.commits),
        "foreign": one.foreign,
        "gates": [{"name": g.name, "verdict": g.verdict.value, "evidence": g.evidence} for g in one.gates],
    }


def _known(fact: Any) -> Any:
    if isinstance(fact, Unknown):
        return {"cannot_tell": fact.why}
    if isinstance(fact, Record):
        return fact.as_json()
    if isinstance(fact, list | tuple):
        return [_known(one) for one in fact]
    if isinstance(fact, datetime.date):
        return fact.isoformat()
    return {key: _known(value) for key, value in fact.__dict__.items()} if hasattr(fact, "__dataclass_fields__") else fact
