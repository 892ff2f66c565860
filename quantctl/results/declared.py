"""What a change is meant to do: `changes/<name>.yaml` in the pipelines repository, written with the change. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.workflows import Problem, Refused
from infra.workflows.document import Map, place, read
from infra.workflows.problems import Mark, one_of, quoted
from quantctl.results.contract import Contract, Tolerance

FOLDER = "changes"
_BOUND = re.compile(r"(?:<=? ?)?(\d+(?:\.\d*)?(?:[eE][-+]?\d+)?) ?(%?)")
_KEYS = ("rows", "relative", "absolute", "keys", "columns")


@dataclass(frozen=True)
class Declared:
    """What one change is expected to do to one table, or to one of its columns.

    `rows`: how many values may differ, `keys`: how many keys may stand on one side alone, both as shares of 1.
    `tolerance`: by how much a value may differ. `schema`: columns may be added, removed or retyped.
    """

    file: str
    why: str
    table: str
    column: str = ""
    rows: float | None = None
    tolerance: Tolerance | None = None
    keys: float | None = None
    schema: bool = False

    def __str__(self) -> str:
        told = []
        if self.rows is not None and self.rows < 1:
            told.append(f"at most {_percent(self.rows)} of its values")
        if self.tolerance is not None and self.tolerance.relative:
            told.append(f"by at most {_percent(self.tolerance.relative)} of the value")
        if self.tolerance is not None and self.tolerance.absolute:
            told.append(f"by at most {self.tolerance.absolute:.4g}")
        if self.keys is not None:
            told.append(f"at most {_percent(self.keys)} of its keys")
        told += ["other columns"] if self.schema else []
        return ", ".join(told) or "any of its values"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def change_files(paths: Iterable[str]) -> list[str]:
    """The declarations among the paths of a commit."""
    return sorted(path for path in paths if re.fullmatch(rf"{FOLDER}/[^/]+\.ya?ml", path))


def read_changes(files: Mapping[str, bytes], contracts: Iterable[Contract]) -> list[Declared]:
    """Every declaration (path -> content).

    Raises:
        Refused: one line a problem: file, line, key, what was found, what is allowed.
    """
    known = {one.table: one for one in contracts}
    problems: list[Problem] = []
    found: list[Declared] = []
    for path, content in sorted(files.items()):
        try:
            found += _declared(path, read(path, content), known)
        except Refused as error:
            problems += error.problems
    if problems:
        raise Refused(problems)
    return found


def _declared(path: str, said: Any, known: Mapping[str, Contract]) -> list[Declared]:
    problems: list[Problem] = []

    def wrong(steps: list[str | int], text: str) -> None:
        key = ".".join(map(str, steps))
        problems.append(Problem(place(said, steps, Mark(path, 1)), key, text))

    if not isinstance(said, Map) or not set(said) <= {"why", "expect"}:
        raise Refused([Problem(Mark(path, 1), "", "a change has the keys why and expect (docs/results.md).")])
    why, expect = said.get("why"), said.get("expect")
    if not isinstance(why, str) or not why.strip():
        wrong(["why"], "expected a sentence for those who use the results.")
    if not isinstance(expect, Map) or not expect:
        wrong(["expect"], "expected TABLE.COLUMN or TABLE, each with what may differ.")
        expect = Map(Mark(path, 1))
    made = []
    for name, it in expect.items():
        table, _, column = name.upper().partition(".")
        columns = [one.name for one in known[table].columns] if table in known else []
        if table not in known:
            wrong(["expect", name], f"{table} has no contract; {one_of(table, list(known))}")
        elif column and column not in columns:
            wrong(["expect", name], f"{table} has no column {column}; {one_of(column, columns)}")
        elif not isinstance(it, Map) or not it or not set(it) <= set(_KEYS):
            wrong(["expect", name], f"expected {', '.join(_KEYS)}.")
        elif ("keys" in it or "columns" in it) == bool(column):
            wrong(["expect", name], "keys and columns are of a table; rows, relative and absolute of a column.")
        else:
            bounds = {key: _bound(value) for key, value in it.items() if key != "columns"}
            for key in (key for key, bound in bounds.items() if bound is None):
                wrong(["expect", name, key], f"found {quoted(it[key])}, expected '<= 40 %' or '<= 0.02', for example.")
            numbers = {key: bound for key, bound in bounds.items() if bound is not None}
            sized = "relative" in numbers or "absolute" in numbers
            tolerance = Tolerance(numbers.get("absolute", 0.0), numbers.get("relative", 0.0)) if sized else None
            text = str(why).strip()
            made.append(
                Declared(
                    path, text, table, column, numbers.get("rows"), tolerance, numbers.get("keys"), bool(it.get("columns"))
                )
            )
    if problems:
        raise Refused(problems)
    return made


def _bound(value: Any) -> float | None:
    """`<= 40 %` is 0.4, `<= 0.02` is 0.02; None is no bound."""
    match = _BOUND.fullmatch(str(getattr(value, "written", value)).strip())
    number = float(match[1]) if match else math.nan
    if match is None or not math.isfinite(number):
        return None
    return number / 100 if match[2] else number
