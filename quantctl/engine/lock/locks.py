"""A lock of a stack, and what can be said of its owner. Pure.

The engine writes a lock into the backend before it changes a stack, and takes it away at the end; an engine that was killed
leaves it. Shape of the file and words of the message: https://github.com/pulumi/pulumi, pkg/backend/diy/lock.go.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from quantctl.errors import UserError

_MESSAGE = re.compile(
    r"^\s*(?P<place>\S+): created by (?P<user>.*)@(?P<host>\S*) \(pid (?P<pid>\d+)\) at (?P<since>\S+)", re.M
)
_HELD = "the stack is currently locked by"
_MEANINGLESS_HOSTS = {"", "localhost", "localhost.localdomain"}
# How exactly a process tells when it was started: whole seconds, counted from a boot time that is itself rounded.
_ROUNDING = datetime.timedelta(seconds=60)


class OwnerState(StrEnum):
    """What is known of the process that took a lock."""

    ALIVE = "alive"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Lock:
    """A lock as the backend tells it; what could not be read is empty."""

    stack: str
    place: str
    user: str = ""
    host: str = ""
    pid: int = 0
    since: datetime.datetime | None = None

    @property
    def owner(self) -> str:
        """In words."""
        return f"{self.user}@{self.host}, pid {self.pid}" if self.pid else "an owner that cannot be read"


@dataclass(frozen=True)
class Process:
    """A process of this machine; without a name when it may not be looked at."""

    name: str = ""
    started: datetime.datetime | None = None


@dataclass(frozen=True)
class Owner:
    """Whether a lock's owner lives, and why that is believed."""

    state: OwnerState
    why: str


def from_file(stack: str, place: str, content: str) -> Lock:
    """A lock file's content; a file that was cut off is a lock all the same."""
    try:
        read = json.loads(content)
        since = datetime.datetime.fromisoformat(read["timestamp"])
        return Lock(stack, place, str(read["username"]), str(read["hostname"]), int(read["pid"]), since)
    except (ValueError, KeyError, TypeError):
        return Lock(stack, place)


def from_message(stack: str, said: str) -> list[Lock]:
    """The locks that the engine named when it refused to work; none when it did not refuse for a lock."""
    if _HELD not in said:
        return []
    found = [
        Lock(stack, m["place"].split("?")[0], m["user"], m["host"], int(m["pid"]), _time(m["since"]))
        for m in _MESSAGE.finditer(said)
    ]
    return found or [Lock(stack, "(the engine did not say)")]


def judge(lock: Lock, this_host: str, process: Process | None) -> Owner:
    """Whether the owner lives. `process` is what runs on this machine under the lock's pid, None when nothing does."""
    if not lock.pid:
        return Owner(OwnerState.UNKNOWN, "the lock does not name its owner")
    if lock.host in _MEANINGLESS_HOSTS or lock.host != this_host:
        return Owner(OwnerState.UNKNOWN, f"it runs, or ran, on {lock.host or 'an unnamed machine'}; this is {this_host}")
    if process is None:
        return Owner(OwnerState.GONE, f"no process {lock.pid} runs on {this_host}")
    if not process.name:
        return Owner(OwnerState.ALIVE, f"process {lock.pid} runs on {this_host}, and may not be looked at")
    if process.name != "pulumi":
        return Owner(OwnerState.GONE, f"process {lock.pid} of {this_host} is {process.name}")
    if process.started and lock.since and process.started > lock.since + _ROUNDING:
        return Owner(OwnerState.GONE, f"process {lock.pid} of {this_host} was started after the lock was taken")
    return Owner(OwnerState.ALIVE, f"pulumi runs as process {lock.pid} on {this_host}")


def age(since: datetime.datetime | None, now: datetime.datetime) -> str:
    """How long ago, in words that fit a table."""
    if since is None:
        return "unknown"
    seconds = max(int((now - since).total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days >= 2:
        return f"{days} days"
    if hours:
        return f"{hours} h {minutes % 60:02} min"
    return f"{minutes} min {seconds % 60:02} s" if minutes else f"{seconds} s"


class Locked(UserError):
    """A stack is locked, so that nothing was begun."""


def refusal(env: str, held: Sequence[Lock], now: datetime.datetime) -> Locked:
    """What to tell whoever wants to update a stack that is locked."""
    return Locked(
        f"{env} is locked: another update runs, or one was killed.",
        found="; ".join(f"{lock.owner}, for {age(lock.since, now)}" for lock in held),
        do_next=f"wait; if the owner is gone, which `quantctl lock {env}` tells: `quantctl lock release {env}`",
    )


def _time(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
