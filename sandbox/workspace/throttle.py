"""429 above a rate, where a switch says so: https://learn.microsoft.com/azure/databricks/resources/limits"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from pathlib import Path

from sandbox import switches

RETRY_AFTER = 1  # seconds
# Requests a second of the whole workspace; the writes of permissions are second-hand.
_RATES = {
    ("POST", "jobs/create"): 20,
    ("POST", "jobs/run-now"): 20,
    ("POST", "jobs/runs/submit"): 20,
    ("GET", "jobs/runs/get"): 100,
    ("PUT", "permissions"): 30,
    ("PATCH", "permissions"): 30,
}


class Throttle:
    """What was asked in the last second, by endpoint family; used by one thread."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], deque[float]] = defaultdict(deque)

    def refuses(self, state: Path, method: str, path: str) -> bool:
        """Whether this request comes too soon, by the switches of a state folder."""
        now_set = switches.read(state)
        if now_set.throttled:
            switches.write(state, {"throttled": now_set.throttled - 1})
            return True
        inside = path.removeprefix("/api/").partition("/")[2]
        family = next((key for key in _RATES if key[0] == method and (inside + "/").startswith(key[1] + "/")), None)
        if not now_set.rate_limits or family is None:
            return False
        asked, now = self._asked[family], time.monotonic()
        while asked and asked[0] <= now - 1:
            asked.popleft()
        if len(asked) >= _RATES[family]:
            return True
        asked.append(now)
        return False
