"""The names of the steps."""

from __future__ import annotations

import enum


class Step(enum.StrEnum):
    """The steps, in their order; `undo` goes back behind the import."""

    look = "look"
    generate = "generate"
    decide = "decide"
    prepare = "prepare"
    import_ = "import"
    verify = "verify"
    undo = "undo"
