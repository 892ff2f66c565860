"""Questions before something is changed; where nobody can answer, the option that answers is named."""

from __future__ import annotations

import sys

import typer

from quantctl.errors import UserError

_DO_NEXT = "answer y, or say --yes where nobody can answer"


def confirm(question: str, *, on_stderr: bool = False) -> bool:
    """What somebody answers; `on_stderr` keeps standard output for programs.

    Raises:
        UserError: nobody is there to answer.
    """
    try:
        return typer.confirm(question, err=on_stderr)
    except typer.Abort:
        raise UserError("Nothing was changed.", do_next=_DO_NEXT) from None


def need(question: str, yes: bool = False, *, on_stderr: bool = False) -> None:
    """Go on only when somebody agrees, or has agreed with --yes.

    Raises:
        UserError: they do not.
    """
    if not yes and not confirm(question, on_stderr=on_stderr):
        raise UserError("Nothing was changed.", do_next=_DO_NEXT)


def need_at_terminal(question: str, yes: bool = False) -> None:
    """As `need`, where somebody sits at a terminal; a script that destroys its own sandbox is not asked.

    Raises:
        UserError: they do not agree.
    """
    need(question, yes or not sys.stdin.isatty())
