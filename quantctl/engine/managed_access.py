"""Managed access that the account refused to turn on: the state is made to say so, so that the next update tries again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from infra.managed_access import PROPERTY, is_off
from quantctl.engine.state import put_state

Json = dict[str, Any]
SCHEMA = "snowflake:index/schema:Schema"
_DELTA = "__pulumi_raw_state_delta"  # the bridge's own form of the outputs, which it works out itself where it is missing


def refused(deployment: Mapping[str, Any]) -> list[Json]:
    """The schemas of a state that are said to have managed access, and have none. Pure."""
    return [
        one for one in deployment.get("resources") or [] if one.get("type") == SCHEMA and is_off(one.get("outputs") or {})
    ]


def corrected(exported: Json) -> tuple[Json, list[str]]:
    """A stack's export in which such schemas have none; the names of those. Pure."""
    made, found = copy.deepcopy(exported), []
    for one in refused(made.get("deployment") or {}):
        one["inputs"][PROPERTY] = one["outputs"][PROPERTY] = "false"
        one["outputs"].pop(_DELTA, None)
        found.append(str(one.get("id") or ""))
    return made, found


def correct(env: str, exported: Json, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Do so in a stack, which holds what was exported; says it in one line."""
    made, found = corrected(exported)
    for name in found:
        say(f"{name} has no managed access: it was refused, and is tried again; an account administrator can turn it on")
    if found:
        put_state(env, environ, made)
