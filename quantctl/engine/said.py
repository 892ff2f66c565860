"""What engine and providers say, put into words for people. Pure."""

from __future__ import annotations

import re

_LONG = 300
# What stands around a provider's reason: where in the bridge it was, which step it was, how many errors there were.
_AROUND = re.compile(
    r"^(error: )?(sdk-v2/\S+ sdk\.\w+: )?((creating|updating|deleting|refreshing) urn:\S+: )?(\d+ errors? occurred:)?[\s*]*"
)
_BEHIND = re.compile(r": provider=\w+@[\d.]+$")


def reason(text: str) -> str:
    """A provider's reason on one line, without what the bridge puts around it."""
    told = " ".join(text.split())
    before = None
    while told != before:
        before, told = told, _BEHIND.sub("", _AROUND.sub("", told, count=1)).strip()
    return told if len(told) <= _LONG else f"{told[: _LONG - 3]}..."
