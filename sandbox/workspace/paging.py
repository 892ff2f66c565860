"""Pages: a token stands for the last thing that was shown, so that what is added meanwhile repeats nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from sandbox.workspace.errors import invalid

Item = TypeVar("Item")


def token(value: int) -> str:
    """The token after which a list goes on."""
    return base64.urlsafe_b64encode(f"after:{value}".encode()).decode()


def position(given: str | None) -> int | None:
    """What a token stands for, None without one.

    Raises:
        ApiError: 400 for one that this workspace did not give.
    """
    if not given:
        return None
    try:
        word, _, value = base64.urlsafe_b64decode(given.encode()).decode().partition(":")
        if word == "after":
            return int(value)
    except (binascii.Error, ValueError):
        pass
    raise invalid(f"Invalid page token: {given}")


def cut(
    rows: Sequence[Item], ids: Sequence[int], given: str | None, size: int, *, newest_first: bool = False
) -> tuple[Sequence[Item], str | None]:
    """The page of `rows` after a token, and the token of the next one; `ids` are the rows' own, sorted."""
    last = position(given)
    start = 0
    if last is not None:
        behind = (n for n, number in enumerate(ids) if (number < last if newest_first else number > last))
        start = next(behind, len(ids))
    more = start + size < len(rows)
    return rows[start : start + size], token(ids[start + size - 1]) if more else None
