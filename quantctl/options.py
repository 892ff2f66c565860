"""Options that several commands share."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated

import typer

from infra.vocabulary import Environment
from quantctl.errors import UserError


class Format(StrEnum):
    """How an answer is printed."""

    table = "table"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, JSON for programs.")]
EnvArgument = Annotated[Environment, typer.Argument(metavar="ENV", help="quant, quant_stg, quant_lr or quant_live.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def day_of(text: str | None, option: str) -> datetime.date | None:
    """The day that an option names, None without one.

    Raises:
        UserError: it is none.
    """
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        raise UserError(f"{option} is no day.", found=str(text), expected="YYYY-MM-DD, for example 2026-11-25") from None
