"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from infra.vocabulary import Environment


class Format(StrEnum):
    """How an answer is printed."""

    table = "table"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="A table for people, JSON for programs.")]
EnvArgument = Annotated[Environment, typer.Argument(metavar="ENV", help="quant, quant_stg, quant_lr or quant_live.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
