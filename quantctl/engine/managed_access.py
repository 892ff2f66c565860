"""Managed access that the account refused to turn on: the state is made to say so, so that the next update tries again.

The Snowflake provider keeps what was wanted after a refused ALTER SCHEMA ... ENABLE MANAGED ACCESS, and never reads that
property again (pkg/resources/schema.go); every later update and refresh takes it for done. What SHOW SCHEMAS told stands in
the same state.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

from quantctl.engine.process import run
from quantctl.engine.state import put_state

Json = dict[str, Any]
SCHEMA = "snowflake:index/schema:Schema"
PROPERTY = "withManagedAccess"
_DELTA = "__pulumi_raw_state_delta"  # the bridge's own form of the outputs, which it works out itself where it is missing


def is_off(outputs: Mapping[str, Any]) -> bool:
    """Whether a schema is said to have managed access, and SHOW SCHEMAS told that it has none. Pure."""
    shown = outputs.get("showOutputs") or []
    told = [str(one.get("options") or "") for one in shown if isinstance(one, Mapping)]
    return outputs.get(PROPERTY) == "true" and bool(told) and all("MANAGED ACCESS" not in one for one in told)


def corrected(exported: Json) -> tuple[Json, list[str]]:
    """A stack's export in which such schemas have none; the names of those. Pure."""
    made, found = copy.deepcopy(exported), []
    for one in (made.get("deployment") or {}).get("resources") or []:
        if one.get("type") == SCHEMA and is_off(one.get("outputs") or {}):
            one["inputs"][PROPERTY] = one["outputs"][PROPERTY] = "false"
            one["outputs"].pop(_DELTA, None)
            found.append(str(one.get("id") or ""))
    return made, found


def correct(env: str, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Do so in a stack; says it in one line."""
    done = run(["stack", "export", "-s", env], environ, must=False)
    if done.code != 0:
        return  # there is no such stack yet; one that cannot be read is told by whoever needs it
    made, found = corrected(json.loads(done.out))
    if not found:
        return
    for name in found:
        say(f"{name} has no managed access: it was refused, and is tried again; an account administrator can turn it on")
    put_state(env, environ, made)
