"""Ctrl-C and SIGTERM: what runs is asked to stop and waited for; the second time it is ended."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType

came: list[int] = []  # the signals that ended what this command did
_holders: list[Callable[[int], bool]] = []  # asked one after the other whether they have something running


class Interrupted(KeyboardInterrupt):
    """Somebody ended this command; `status` is its exit status, 128 and the signal's number."""

    def __init__(self, signum: int) -> None:
        super().__init__()
        came.append(signum)
        self.status = 128 + signum


def hold(stop: Callable[[int], bool]) -> None:
    """From now on `stop` is told of a signal; it says whether something runs that will end by itself then."""
    _holders.append(stop)


def on_signal(signum: int, _: FrameType | None = None) -> None:
    """For SIGINT and SIGTERM.

    Raises:
        Interrupted: nothing runs, so the command itself ends.
    """
    told = [stop(signum) for stop in _holders]  # all of them
    if not any(told):
        raise Interrupted(signum)
