"""The one error a user sees: what was found, what was expected, what to do next."""

from __future__ import annotations

import re


class UserError(Exception):
    """A mistake or a refusal that the reader can act on. Shown as its message alone, never as a traceback."""


def without_credentials(text: str, instead: str = "") -> str:
    """Text for a message, without the user and password that may stand in a URL."""
    return re.sub(r"(?<=//)[^/]*@", instead, text)
