"""429 above a rate, where a switch says so: https://learn.microsoft.com/azure/databricks/resources/limits"""

from __future__ import annotations

import time
from collections import defaultdict, deque

from sandbox.switches import Switches

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
        self._told = self._left = 0

    def refuses(self, switches: Switches, method: str, path: str) -> bool:
        """Whether this request comes too soon."""
        if switches.throttled != self._told:  # somebody has set it anew
            self._told = self._left = switches.throttled
        if self._left:
            self._left -= 1
            return True
        inside = path.removeprefix("/api/").partition("/")[2]
        family = next((key for key in _RATES if key[0] == method and (inside + "/").startswith(key[1] + "/")), None)
        if not switches.rate_limits or family is None:
            return False
        asked, now = self._asked[family], time.monotonic()
        while asked and asked[0] <= now - 1:
            asked.popleft()
        if len(asked) >= _RATES[family]:
            return True
        asked.append(now)
        return False
