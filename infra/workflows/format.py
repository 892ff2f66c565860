"""The Jobs API's format: what a job may say, how it is checked, how the SDK spells it. Pure.

The format is a file that toolchain/job_format.py makes of the SDKs. Users write the Jobs API's names only.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from infra.workflows.document import Json, Map, Seq, mark_of
from infra.workflows.problems import one_of, quoted

Way = tuple[str | int, ...]
JOB_ID = re.compile(r"\$\{resources\.jobs\.([^{}]+)\.id\}")  # how a definition names the id of a job beside it
_EXPECTED = {"text": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
# What the environment says, and a file therefore does not, with where it is said instead.
OF_THE_ENVIRONMENT = {
    "deployment": "it marks a job that another tool deploys",
    "edit_mode": "jobs are locked in every environment",
    "format": "jobs have tasks in every environment",
    "git_source": "jobs run the files of the environment's Git folder",
    "lifecycle": "production is protected by its stack",
    "parent_path": "the environment says where its jobs are",
    "permissions": "levels come from the access matrix (docs/access.md)",
    "run_as": "jobs run as the environment's service principal (quant:servicePrincipal)",
}


@dataclass(frozen=True)
class Field:
    """What stands at one key: a plain value or an object of a type, alone, in a list or in a map."""

    of: str
    within: str = ""
    sdk_name: str = ""
    required: bool = False
    lacking: bool = False
    words: tuple[str, ...] = ()
    text: str = ""

    @property
    def plain(self) -> bool:
        """Whether it is no object."""
        return self.of in _EXPECTED


class Wrong(NamedTuple):
    """A mistake within a job, before its place in a file is looked up."""

    way: Way
    text: str


@cache
def fields(of: str) -> dict[str, Field]:
    """The Jobs API's key -> what stands there. Of the job itself, what the environment says is left out."""
    found = {
        key: Field(
            of=one["is"],
            within=one.get("in", ""),
            sdk_name=one.get("sdk", key),
            required=one.get("required", False),
            lacking=one.get("lacking", False),
            words=tuple(one.get("words", ())),
            text=one.get("text", ""),
        )
        for key, one in _types()[of].items()
    }
    return {key: field for key, field in found.items() if of != "Job" or key not in OF_THE_ENVIRONMENT}


@cache
def _types() -> Json:
    found: Json = json.loads(Path(__file__).with_name("format.json").read_text())
    return found


def spelled(way: Way) -> str:
    """A way as it is written: tasks[0].max_retries."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way).lstrip(".")


def fit(value: Any, lenient: bool) -> tuple[Any, list[Wrong]]:
    """A job as the format has it, and what is wrong with it.

    `lenient` is a bundle's way: a number or a word of truth is taken where text is expected, as it is written, and yes or
    on where true is expected.
    """
    wrong: list[Wrong] = []
    return _Fitting(lenient, wrong).object(value, "Job", ()), wrong


class _Fitting:
    def __init__(self, lenient: bool, wrong: list[Wrong]) -> None:
        self._lenient, self._wrong = lenient, wrong

    def object(self, value: Any, of: str, way: Way) -> Any:
        if not isinstance(value, dict):
            self._wrong.append(Wrong(way, f"found {quoted(value)}, expected keys and values."))
            return value
        known = fields(of)
        made = Map(mark_of(value))
        made.marks = getattr(value, "marks", {})
        for key, item in value.items():
            if key in known:
                if known[key].lacking:
                    self._wrong.append(Wrong((*way, key), "the provider that deploys jobs does not know this field yet."))
                dict.__setitem__(made, key, self._field(item, known[key], (*way, key)))
            elif of == "Job" and key in OF_THE_ENVIRONMENT:
                self._wrong.append(Wrong((*way, key), f"not kept: {OF_THE_ENVIRONMENT[key]}."))
            else:
                self._wrong.append(Wrong((*way, key), f"unknown key; {one_of(key, list(known))}"))
        for key, field in known.items():
            if field.required and value.get(key) is None:
                self._wrong.append(Wrong((*way, key), "missing."))
        return made

    def _field(self, value: Any, field: Field, way: Way) -> Any:
        if field.within == "list":
            if not isinstance(value, list):
                self._wrong.append(Wrong(way, f"found {quoted(value)}, expected a list."))
                return value
            items = [self._value(item, field, (*way, index)) for index, item in enumerate(value)]
            return Seq(mark_of(value), items, getattr(value, "marks", ()))
        if field.within == "map":
            if not isinstance(value, dict):
                self._wrong.append(Wrong(way, f"found {quoted(value)}, expected keys and values."))
                return value
            made = Map(mark_of(value))
            made.marks = getattr(value, "marks", {})
            for key, item in value.items():
                dict.__setitem__(made, key, self._value(item, field, (*way, key)))
            return made
        return self._value(value, field, way)

    def _value(self, value: Any, field: Field, way: Way) -> Any:
        return self._plain(value, field, way) if field.plain else self.object(value, field.of, way)

    def _plain(self, value: Any, field: Field, way: Way) -> Any:
        if way[-1] == "job_id" and isinstance(value, str) and JOB_ID.fullmatch(value):
            return value  # a job that is declared beside this one; its id is known when it is there
        if self._lenient:
            value = _leniently(value, field.of)
        right = {
            "text": isinstance(value, str),
            "integer": isinstance(value, int) and not isinstance(value, bool),
            "number": isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value),
            "boolean": isinstance(value, bool),
        }[field.of]
        if not right:
            hint = f'; quote it: "{value.written}"' if field.of == "text" and hasattr(value, "written") else ""
            self._wrong.append(Wrong(way, f"found {quoted(value)}, expected {_EXPECTED[field.of]}{hint}."))
        elif field.words and value not in field.words:
            self._wrong.append(Wrong(way, f"found {quoted(value)}; {one_of(value, field.words)}"))
        return {"integer": int, "number": float}[field.of](value) if right and field.of in ("integer", "number") else value


def _leniently(value: Any, of: str) -> Any:
    if of == "text" and isinstance(value, bool):
        return "true" if value else "false"
    if of == "text" and hasattr(value, "written"):
        return value.written
    if of == "boolean" and isinstance(value, str) and value.lower() in _TRUE + _FALSE:
        return value.lower() in _TRUE
    if (
        of == "integer"
        and isinstance(value, str)
        and value.isascii()
        and value.removeprefix("-").isdigit()
        and len(value) < 20
    ):
        return int(value)
    return value


_TRUE, _FALSE = ("true", "y", "yes", "on"), ("false", "n", "no", "off")


def arguments(value: Any, of: str = "Job") -> Any:
    """A checked job with every key as the SDK spells it."""
    known = fields(of)
    return {known[key].sdk_name: _argument(item, known[key]) for key, item in value.items()}


def _argument(value: Any, field: Field) -> Any:
    if field.plain or field.within == "map":
        return list(value) if isinstance(value, list) else dict(value) if isinstance(value, dict) else value
    return [arguments(item, field.of) for item in value] if field.within == "list" else arguments(value, field.of)


def walk(value: Any, of: str = "Job", way: Way = ()) -> Iterator[tuple[Way, str, Field, Any]]:
    """Every plain value of a checked job: way, type that holds it, field, value."""
    known = fields(of)
    for key, item in value.items():
        field = known[key]
        if field.within == "list":
            entries: list[tuple[Way, Any]] = [((*way, key, index), one) for index, one in enumerate(item)]
        elif field.within == "map":
            entries = [((*way, key, inner), one) for inner, one in item.items()]
        else:
            entries = [((*way, key), item)]
        for there, one in entries:
            if field.plain:
                yield there, of, field, one
            else:
                yield from walk(one, field.of, there)
