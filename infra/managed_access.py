"""Whether a schema's managed access was refused, as the engine's state tells it. Pure.

The Snowflake provider keeps what was wanted after a refused ALTER SCHEMA ... ENABLE MANAGED ACCESS, and never reads that
property again (pkg/resources/schema.go); every later update and refresh takes it for done. What SHOW SCHEMAS told stands
beside it in the same state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROPERTY = "withManagedAccess"


def is_off(outputs: Mapping[str, Any]) -> bool:
    """Whether a schema is said to have managed access, and SHOW SCHEMAS told that it has none."""
    shown = outputs.get("showOutputs") or []
    told = [str(one.get("options") or "") for one in shown if isinstance(one, Mapping)]
    return outputs.get(PROPERTY) == "true" and bool(told) and all("MANAGED ACCESS" not in one for one in told)
