"""Errors that a user can act on."""

from __future__ import annotations

from infra.errors import UserError as InfraError


class UserError(InfraError):
    """Shown without a traceback: what happened, found, expected, do next."""

    def __init__(self, message: str, *, found: str = "", expected: str = "", do_next: str = "") -> None:
        lines = [message]
        for label, text in (("found", found), ("expected", expected), ("do next", do_next)):
            if text:
                lines.append(f"  {label}: {text}")
        super().__init__("\n".join(lines))
