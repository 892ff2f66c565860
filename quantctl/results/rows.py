"""`quantctl results ENV --table TABLE --rows N`: some of the rows that differ, for the eyes of whoever may read them.

On a terminal alone, and with the rights of the caller's own role: what that role may not read, the account refuses. No file,
tag, note or report is made of it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from infra.vocabulary import Environment
from quantctl.errors import UserError
from quantctl.records.deployments import PREFIXES
from quantctl.records.repository import read_pipelines
from quantctl.results.account import Reader, Refused, reading
from quantctl.results.pairs import hidden_columns, unpaired
from quantctl.results.read import Options, chosen_of, contracts_at, names_of, side_of, slices
from quantctl.results.statements import Question, differing
from quantctl.stack_settings import stack_settings
from quantctl.text.plain import counted, one_line
from quantctl.text.terminal import Console
from quantctl.workspace import Workspace

_LONGEST = 60  # letters of a value


@dataclass(frozen=True)
class Rows:
    """Rows as the account answers `differing`: the side that a row stands on alone (None: both), keys, pairs of values."""

    keys: Sequence[str]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    hidden: Mapping[str, str]


def need_a_terminal(tables: Sequence[str], others: Mapping[str, object]) -> None:
    """Refuse whatever would let rows out of the terminal. `others`: option -> its value.

    Raises:
        UserError: standard output is none, not one table is named, or something else is asked for besides.
    """
    beside = [option for option, value in others.items() if value]
    if beside:
        raise UserError(
            "Rows are shown on a terminal and nowhere else.",
            found=f"--rows with {beside[0]}",
            do_next=f"leave {beside[0]} out",
        )
    if not sys.stdout.isatty():
        raise UserError(
            "Rows are shown on a terminal and nowhere else.",
            found="standard output is a file or a pipe",
            do_next="without --rows the report goes anywhere: it holds counts and sizes alone",
        )
    if len(tables) != 1:
        raise UserError(
            "Rows are shown of one table.", found=", ".join(tables) or "no --table", expected="one --table TABLE"
        )


def show_rows(env: Environment, against: Environment, options: Options, most: int, environ: Mapping[str, str]) -> None:
    """Show some rows of one table as whom the shell names, not as the comparer.

    Raises:
        UserError: the role may not read both tables, or rows cannot be paired.
    """
    settings = stack_settings(env, environ), stack_settings(against, environ)
    workspace = Workspace(environ)
    pipelines = read_pipelines(settings[0].remote, PREFIXES, settings[0].signers)
    now = workspace.now()
    here = side_of(pipelines, workspace, settings[0], now)
    [contract] = chosen_of(contracts_at(pipelines, here.commit), options.tables)
    window = options.window(now)
    own = {name: value for name, value in environ.items() if not name.startswith("QUANT_COMPARER_")}
    with reading(settings[0], own, f"quantctl results {env} --rows") as reader:
        asked = Question(
            contract, names_of(settings, contract), ({}, {}), now.date(),
            window=window if contract.day else None, slices=slices(contract, settings),
        )  # fmt: skip
        found = read_rows(reader, asked, most)
        role = reader.role
    days = f"{window.first} to {window.last}" if contract.day else "all days"
    head = f"{contract.table}, {days}, as {role}: {counted(len(found.rows), 'row')} that differ (at most {most})"
    Console(soft_wrap=True).print(one_line(head))
    if found.rows:
        Console().print(shown(found, (env, against)))
    for column, why in found.hidden.items():
        Console(soft_wrap=True).print(f"{column}: {one_line(why)}")


def read_rows(reader: Reader, asked: Question, most: int) -> Rows:
    """The rows. `asked` without the columns' types, which are read first.

    Raises:
        UserError: a table cannot be read as this role, or rows cannot be paired.
    """
    contract, (one, other) = asked.contract, asked.names
    assert other is not None
    try:
        (here, masked), (there, more) = reader.columns(one), reader.columns(other)
        masked = {**masked, **more}
        if problem := unpaired(contract, here, there, masked):
            raise UserError(f"Rows of {contract.table} cannot be paired.", found=problem)
        hidden = hidden_columns(contract, here, there, masked)
        typed = Question(
            contract, asked.names, (here, there), asked.today,
            window=asked.window, slices=asked.slices, left_out=frozenset(hidden),
        )  # fmt: skip
        rows = reader.select(differing(typed, most))
    except Refused as refused:
        raise UserError(
            f"Rows of {contract.table} cannot be shown.",
            found=f"as {reader.role}: {refused}",
            do_next="log in as a role that reads both (SNOWFLAKE_USER, SNOWFLAKE_ROLE); the report needs no such right",
        ) from None
    return Rows(contract.keys, [column.name for column in typed.compared], rows, hidden)


def shown(found: Rows, names: tuple[str, str]) -> Table:
    """A table: the keys, then of each column that differs somewhere in it both values. Pure."""
    width = len(found.keys)
    pairs = [(at, name) for at, name in enumerate(found.columns) if any(_both(row, width, at) for row in found.rows)]
    table = Table(*found.keys, *(f"{name} {env}" for _, name in pairs for env in names), "")
    for row in found.rows:
        side, keys = row[0], row[1 : width + 1]
        values = [value for at, _ in pairs for value in row[width + 1 + 2 * at : width + 3 + 2 * at]]
        alone = "" if side is None else f"in {names[int(side)]} alone"
        table.add_row(*(_cell(value) for value in [*keys, *values]), Text(alone))
    return table


def _both(row: Sequence[Any], width: int, at: int) -> bool:
    one, other = row[width + 1 + 2 * at : width + 3 + 2 * at]
    return bool(one != other)


def _cell(value: object) -> Text:
    return Text("null" if value is None else one_line(str(value), _LONGEST))
