"""Contracts of tables, `contracts/<table>.odcs.yaml`: the Open Data Contract Standard 3.1, read by its own models. Pure.

https://bitol-io.github.io/open-data-contract-standard/v3.1.0/. What the standard has no word for stands in customProperties,
whose names begin with `quant.`; docs/results.md lists them.
"""

from __future__ import annotations

import importlib.resources
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject, SchemaProperty
from pydantic import ValidationError

from infra.workflows import Problem, Refused
from infra.workflows.document import Integer, Map, Number, place, read
from infra.workflows.problems import Mark, one_of, quoted
from quantctl.results.checks import Check, checks_of, is_number, spelled

FOLDER, ENDING = "contracts", ".odcs.yaml"
VERSION = "v3.1.0"
CONFIDENTIAL = ("confidential", "restricted", "secret", "pii")
KINDS = ("string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean")
_NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_$]{0,254}|"[^"\x00-\x1f]{1,255}"')
_OF_TABLE = ("quant.workflow", "quant.day", "quant.limitedBy", "quant.inputs", "quant.previousDay", "quant.baseline")
_OF_COLUMN = ("quant.tolerance",)
_DAYS = {"d": 1.0, "day": 1.0, "days": 1.0, "h": 1 / 24, "hour": 1 / 24, "hours": 1 / 24}


@dataclass(frozen=True)
class Tolerance:
    """Two numbers are the same when they differ by no more than the larger of both: relative is of the larger number."""

    absolute: float = 0.0
    relative: float = 0.0


@dataclass(frozen=True)
class Column:
    """A column as the contract has it; of a confidential one only counts and rates are told."""

    name: str
    kind: str = ""
    required: bool = False
    confidential: bool = False
    tolerance: Tolerance = Tolerance()


@dataclass(frozen=True)
class Contract:
    """What is promised of a table. `workflow` writes it, `day` is the column of its days, `inputs` are tables it is made of.

    `limited_by`: parameter of quant:limitedRelease -> the column that it limits. `previous_day`: by how many percent the
    number of rows may differ from that of the day before. `latency`: days until a day's rows are there. `baseline`: it
    depends on everything, so that a limited release is compared with a baseline run of production's code.
    """

    table: str
    file: str
    version: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    workflow: str = ""
    day: str = ""
    limited_by: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    previous_day: float | None = None
    latency: float | None = None
    checks: tuple[Check, ...] = ()
    baseline: bool = False

    def column(self, name: str) -> Column:
        """A column; one that the contract does not have is taken for confidential, and has no tolerance."""
        return next((one for one in self.columns if one.name == name), Column(name, confidential=True))


def contract_files(paths: Iterable[str]) -> list[str]:
    """The contracts among the paths of a commit."""
    return sorted(path for path in paths if path.startswith(f"{FOLDER}/") and path.endswith((ENDING, ".odcs.yml")))


def read_contracts(files: Mapping[str, bytes], workflows: Iterable[str] | None = None) -> list[Contract]:
    """Every contract of a commit (path -> content), by table; `workflows` are the names that may write one, if known.

    Raises:
        Refused: one line a problem: file, line, key, what was found, what is allowed.
    """
    problems: list[Problem] = []
    found: dict[str, Contract] = {}
    known = None if workflows is None else sorted(workflows)
    for path, content in sorted(files.items()):
        try:
            for one in _contracts(path, content, known):
                if (other := found.setdefault(one.table, one)) is not one:
                    problems.append(Problem(Mark(path), "schema", f"{one.table} has a contract already, in {other.file}."))
        except Refused as error:
            problems += error.problems
    for one in () if problems else found.values():  # a contract that is wrong may be the one that is meant
        missing = [name for name in one.inputs if name not in found]
        problems += [Problem(Mark(one.file), "quant.inputs", f"{name}: {one_of(name, list(found))}") for name in missing]
    if problems:
        raise Refused(problems)
    return [found[table] for table in sorted(found)]


def _contracts(path: str, content: bytes, workflows: Sequence[str] | None) -> list[Contract]:
    said = read(path, content)
    if not isinstance(said, Map):
        raise Refused([Problem(Mark(path, 1), "", "a contract is keys and values; docs/results.md has an example.")])
    if problems := list(_by_the_standard(path, said)):
        raise Refused(problems)
    try:
        whole = OpenDataContractStandard.model_validate(_plain(said))
    except ValidationError as error:
        steps = [(one["loc"], str(one["msg"])) for one in error.errors()]
        raise Refused(Problem(place(said, list(loc), Mark(path)), _key(loc), f"{msg}.") for loc, msg in steps) from None
    reading = _Reading(path, said, workflows)
    made = [reading.table(number, one, whole) for number, one in enumerate(whole.schema_ or [])]
    if not made:
        reading.wrong(("schema",), "the contract is of no table.")
    if reading.problems:
        raise Refused(reading.problems)
    return made


def _by_the_standard(path: str, said: Map) -> Iterable[Problem]:
    """What the standard's own JSON Schema refuses: above all a word that it does not know."""
    import jsonschema  # a third of a second, for who reads contracts

    if said.get("apiVersion") != VERSION:
        yield Problem(
            place(said, ["apiVersion"], Mark(path, 1)), "apiVersion",
            f"found {quoted(said.get('apiVersion'))}, expected {VERSION} of the Open Data Contract Standard.",
        )  # fmt: skip
        return
    for error in jsonschema.Draft201909Validator(_standard()).iter_errors(_plain(said)):
        while error.context:  # of the alternatives, what fits best tells most
            error = max(error.context, key=lambda one: len(one.absolute_path))
        steps = list(error.absolute_path)
        yield Problem(place(said, steps, Mark(path, 1)), _key(steps), f"{error.message[:200]} (the standard {VERSION}).")


@cache
def _standard() -> Any:
    file = importlib.resources.files("open_data_contract_standard").joinpath("schema.json")
    return json.loads(file.read_text())


class _Reading:
    """One file on its way to contracts; problems are gathered, not raised one by one."""

    def __init__(self, path: str, said: Map, workflows: Sequence[str] | None) -> None:
        self.problems: list[Problem] = []
        self._path, self._said, self._workflows = path, said, workflows

    def wrong(self, steps: Iterable[str | int], text: str) -> None:
        """One mistake, and where it stands."""
        told = list(steps)
        self.problems.append(Problem(place(self._said, told, Mark(self._path)), _key(told), text))

    def table(self, number: int, one: SchemaObject, whole: OpenDataContractStandard) -> Contract:
        """What the contract says of one table."""
        at: tuple[str | int, ...] = ("schema", number)
        table = self._identifier(one.physicalName or one.name, (*at, "name"))
        columns = [self._column((*at, "properties", n), it) for n, it in enumerate(one.properties or [])]
        names = [column.name for column in columns]
        for name in {name for name in names if names.count(name) > 1}:
            self.wrong((*at, "properties"), f"the column {name} stands twice.")
        keyed = [
            (it.primaryKeyPosition or n + 1, name)
            for n, (it, name) in enumerate(zip(one.properties or [], names, strict=True))
            if it.primaryKey
        ]
        if not keyed:
            self.wrong((*at, "properties"), "no column has primaryKey: true, so that rows of two tables cannot be paired.")
        ours = self._custom(one, at, _OF_TABLE)
        day = str(ours.get("quant.day") or "").upper()
        if day and day not in names:
            self.wrong((*at, "customProperties"), f"quant.day: {day} is no column of the contract; {one_of(day, names)}")
        workflow = str(ours.get("quant.workflow") or "")
        if workflow and self._workflows is not None and workflow not in self._workflows:
            said = one_of(workflow, list(self._workflows))
            self.wrong((*at, "customProperties"), f"quant.workflow: no workflow is called {workflow!r}; {said}")
        limited = self._mapping(ours.get("quant.limitedBy"), (*at, "customProperties"), "quant.limitedBy")
        for column in limited.values():
            if column not in names:
                said = one_of(column, names)
                self.wrong((*at, "customProperties"), f"quant.limitedBy: {column} is no column; {said}")
        baseline = ours.get("quant.baseline", False)
        if not isinstance(baseline, bool):
            self.wrong((*at, "customProperties"), "quant.baseline: expected true or false.")
        inputs = ours.get("quant.inputs") or []
        if not isinstance(inputs, list):
            self.wrong((*at, "customProperties"), "quant.inputs is a list of tables.")
            inputs = []
        return Contract(
            table=table,
            file=self._path,
            version=str(whole.version or ""),
            columns=tuple(columns),
            keys=tuple(name for _, name in sorted(keyed)),
            workflow=workflow,
            day=day,
            limited_by=limited,
            inputs=tuple(str(name).upper() for name in inputs),
            previous_day=self._previous(ours.get("quant.previousDay"), (*at, "customProperties")),
            latency=self._latency(whole, table),
            checks=checks_of(one, names, lambda steps, text: self.wrong((*at, *steps), text)),
            baseline=baseline is True,
        )

    def _column(self, at: tuple[str | int, ...], one: SchemaProperty) -> Column:
        name = self._identifier(one.physicalName or one.name, (*at, "name"))
        ours = self._custom(one, at, _OF_COLUMN)
        tolerance = self._tolerance(ours.get("quant.tolerance"), at)
        kind = one.logicalType or ""
        if tolerance != Tolerance() and kind not in ("number", "integer"):
            self.wrong(at, f"quant.tolerance of {name} is for numbers; its logicalType is {kind or 'not said'}.")
        hidden = str(one.classification or "").lower() in CONFIDENTIAL
        return Column(name, kind, bool(one.required or one.primaryKey), hidden, tolerance)

    def _identifier(self, name: str | None, at: tuple[str | int, ...]) -> str:
        if not name or not _NAME.fullmatch(name):
            self.wrong(at, f"found {quoted(name)}, expected a Snowflake identifier: letters, digits, _ and $, or in quotes.")
            return "_"
        return spelled(name)

    def _custom(self, one: SchemaObject | SchemaProperty, at: Iterable[str | int], known: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for entry in one.customProperties or []:
            name = str(entry.property)
            if name.startswith("quant.") and name not in known:
                self.wrong((*at, "customProperties"), f"{name} is not known here; {one_of(name, list(known))}")
            found[name] = entry.value
        return found

    def _tolerance(self, said: Any, at: Iterable[str | int]) -> Tolerance:
        if said is None:
            return Tolerance()
        if isinstance(said, dict) and said and set(said) <= {"absolute", "relative"} and all(map(_is_size, said.values())):
            return Tolerance(**{key: float(value) for key, value in said.items()})
        self.wrong((*at, "customProperties"), "quant.tolerance: expected {absolute: 1.0e-12, relative: 1.0e-9}, or one.")
        return Tolerance()

    def _mapping(self, said: Any, at: Iterable[str | int], what: str) -> dict[str, str]:
        if said is None:
            return {}
        if isinstance(said, dict) and all(isinstance(value, str) for value in said.values()):
            return {str(key): value.upper() for key, value in said.items()}
        self.wrong(at, f"{what}: expected {{parameter: COLUMN}}.")
        return {}

    def _previous(self, said: Any, at: Iterable[str | int]) -> float | None:
        if said is None:
            return None
        text = str(said.get("rowCount", "")) if isinstance(said, dict) and set(said) == {"rowCount"} else ""
        if match := re.fullmatch(r"(\d+(?:\.\d+)?) ?%", text):
            return float(match[1])
        self.wrong(at, "quant.previousDay: expected {rowCount: 10 %}.")
        return None

    def _latency(self, whole: OpenDataContractStandard, table: str) -> float | None:
        for number, one in enumerate(whole.slaProperties or []):
            if one.property not in ("latency", "ly") or str(one.element or "").split(".")[0].upper() not in ("", table):
                continue
            unit, value = str(one.unit or "d").lower(), one.value
            if unit not in _DAYS or not _is_size(value):
                self.wrong(("slaProperties", number), "latency: expected a number and the unit d or h.")
                return None
            return float(str(value)) * _DAYS[unit]
        return None


def _is_size(value: Any) -> bool:
    return is_number(value) and value >= 0


def _key(steps: Iterable[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def _plain(said: Any) -> Any:
    """Without the places: what libraries take."""
    if isinstance(said, dict):
        return {str(key): _plain(value) for key, value in said.items()}
    if isinstance(said, list):
        return [_plain(value) for value in said]
    if isinstance(said, Integer):
        return int(said)
    return float(said) if isinstance(said, Number) else said
