"""A YAML or JSON file as values that remember where they stand, in bounded time and memory. Pure.

Built from the parser's events, so that nesting costs no stack and an alias costs its size. Plain words mean what they mean
to the Databricks tools (YAML 1.2: `on`, `yes` and 06:00 are text); numbers keep their spelling, for where text is expected.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable
from typing import Any

import yaml

from infra.workflows.problems import Mark, Problem, Refused, quoted

Json = dict[str, Any]
_BYTES = 1024 * 1024
_DEPTH = 60
_VALUES = 100_000  # with every alias counted as what it stands for
_MERGE = "<<"
_TAGS = {f"tag:yaml.org,2002:{kind}": kind for kind in ("str", "int", "float", "bool", "null", "map", "seq")}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where the wheel has it: ten times as fast
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


class Integer(int):
    """A whole number with its spelling."""

    written: str


class Number(float):
    """A number with its spelling."""

    written: str


class Map(dict[str, Any]):
    """Keys and values, each with its place."""

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.marks: dict[str, Mark] = {}

    def put(self, key: str, value: Any, mark: Mark) -> None:
        """Set a key that stands there."""
        self[key] = value
        self.marks[key] = mark

    def __deepcopy__(self, memo: dict[int, Any]) -> Map:
        made: Map = copied(self)
        return made


class Seq(list[Any]):
    """A list whose entries have their places."""

    def __init__(self, mark: Mark, values: Iterable[Any] = (), marks: Iterable[Mark] = ()) -> None:
        super().__init__(values)
        self.mark = mark
        self.marks: list[Mark] = list(marks)

    def __deepcopy__(self, memo: dict[int, Any]) -> Seq:
        made: Seq = copied(self)
        return made


def mark_of(value: Any) -> Any:
    """Where a value stands; None of one that was read from no file."""
    return getattr(value, "mark", None)


def copied(value: Any) -> Any:
    """A copy that shares nothing and remembers the places."""
    if isinstance(value, Map):
        made = Map(value.mark)
        for key, item in value.items():
            made.put(key, copied(item), value.marks.get(key, value.mark))
        return made
    if isinstance(value, Seq):
        return Seq(value.mark, (copied(item) for item in value), value.marks)
    return copy.deepcopy(value) if isinstance(value, (dict, list)) else value


def place(value: Any, steps: Iterable[str | int], otherwise: Mark) -> Mark:
    """Where the value at the end of the way stands, or the last part of the way that is in a file."""
    found = getattr(value, "mark", otherwise)
    for step in steps:
        marks = getattr(value, "marks", None)
        if isinstance(marks, dict):
            found = marks.get(str(step), found)
        elif isinstance(marks, list) and isinstance(step, int) and step < len(marks):
            found = marks[step]
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            break
    return found


def read(path: str, content: bytes) -> Any:
    """What a file says.

    Raises:
        Refused: it is too large, no UTF-8, no YAML or JSON, has a key twice or one that is no text.
    """
    if len(content) > _BYTES:
        raise Refused([Problem(Mark(path), "", f"cannot be read: found {len(content)} bytes, at most {_BYTES} are read.")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Refused([Problem(Mark(path, line), "", "cannot be read: it is not UTF-8 text.")]) from None
    if path.endswith(".json"):
        _valid_json(path, text)
    return _built(path, text)


def _built(path: str, text: str) -> Any:
    try:
        return _Builder(path).build(text)
    except yaml.YAMLError as error:
        if _SURROGATES.search(text):  # JSON writes what is beyond \uffff as a pair, YAML does not know pairs
            return _built(path, _SURROGATES.sub(_joined, text))
        mark = getattr(error, "problem_mark", None)
        line = min(mark.line, text.rstrip().count("\n")) + 1 if mark else 0  # the parser may be past the end
        said = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise Refused([Problem(Mark(path, line), "", f"cannot be read: {said}.")]) from None


def _joined(pair: re.Match[str]) -> str:
    high, low = int(pair[1], 16), int(pair[2], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _valid_json(path: str, text: str) -> None:
    try:
        json.loads(text)
    except RecursionError:
        raise Refused([Problem(Mark(path), "", f"cannot be read: nested more than {_DEPTH} deep.")]) from None
    except ValueError as error:
        line = getattr(error, "lineno", 0)
        said = getattr(error, "msg", str(error))
        raise Refused([Problem(Mark(path, line), "", f"cannot be read: line {line}: no JSON: {said}.")]) from None


class _Open:
    """A map or list that is being filled."""

    def __init__(self, value: Map | Seq, anchor: str | None) -> None:
        self.value, self.anchor = value, anchor
        self.size = 1
        self.key: str | None = None
        self.key_mark = value.mark
        self.merged: list[tuple[Any, int, Mark]] = []


class _Builder:
    """From events to values."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._opening: set[str] = set()
        self._result: Any = None
        self._documents = 0

    def build(self, text: str) -> Any:
        event: Any
        for event in yaml.parse(text, _PARSER):
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._add(self._scalar(event), 1, event, event.anchor)
            elif kind is yaml.MappingStartEvent:
                self._begin(Map(self._mark(event)), event)
            elif kind is yaml.SequenceStartEvent:
                self._begin(Seq(self._mark(event)), event)
            elif kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
                self._end(event)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self._documents += 1
                if self._documents > 1:
                    raise self._wrong(event, "a second document (---) begins; a file holds one")
        return self._result

    def _mark(self, event: Any) -> Mark:
        return Mark(self._path, event.start_mark.line + 1)

    def _wrong(self, event: Any, said: str) -> Refused:
        return Refused([Problem(self._mark(event), "", f"cannot be read: {said}.")])

    def _begin(self, value: Map | Seq, event: Any) -> None:
        if len(self._open) >= _DEPTH:
            raise self._wrong(event, f"nested more than {_DEPTH} deep")
        self._tag(event)
        if self._open and isinstance(self._open[-1].value, Map) and self._open[-1].key is None:
            raise self._wrong(event, "a key is text, not a list or keys and values")
        if event.anchor:
            self._opening.add(event.anchor)
            self._anchors.pop(event.anchor, None)
        self._open.append(_Open(value, event.anchor))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        if isinstance(done.value, Map):
            for source, size, mark in done.merged:
                self._merge(done, source, size, mark)
        if done.anchor:
            self._opening.discard(done.anchor)
        self._add(done.value, done.size, event, done.anchor, done.value.mark)

    def _alias(self, event: Any) -> None:
        if event.anchor in self._opening:
            raise self._wrong(event, f"*{event.anchor} stands within &{event.anchor}, so it would never end")
        if event.anchor not in self._anchors:
            raise self._wrong(event, f"*{event.anchor} has no &{event.anchor} before it")
        value, size = self._anchors[event.anchor]
        self._add(value, size, event, None)

    def _add(self, value: Any, size: int, event: Any, anchor: str | None, mark: Mark | None = None) -> None:
        mark = mark or self._mark(event)
        if anchor:
            self._anchors[anchor] = (value, size)
        if size > _VALUES:
            raise self._wrong(event, f"more than {_VALUES} values, with each alias counted as what it stands for")
        if not self._open:
            self._result = value
            return
        into = self._open[-1]
        if isinstance(into.value, Seq):
            into.value.append(value)
            into.value.marks.append(mark)
        elif into.key is None:
            self._key(into, value, event)
            return
        elif into.key == _MERGE:
            into.merged.append((value, size, into.key_mark))
            into.key = None
        else:
            into.value.put(into.key, value, into.key_mark)
            into.key = None
        into.size += size
        if into.size > _VALUES:
            raise self._wrong(event, f"more than {_VALUES} values, with each alias counted as what it stands for")

    def _key(self, into: _Open, value: Any, event: Any) -> None:
        if isinstance(value, (Map, Seq)) or not isinstance(value, str):
            written = getattr(event, "value", None)
            shown = quoted(written if isinstance(written, str) else value)
            raise self._wrong(event, f"found the key {shown}; keys are text, quote it")
        if value in into.value:
            raise self._wrong(event, f"the key {value!r} stands twice")
        into.key, into.key_mark = value, self._mark(event)

    def _merge(self, into: _Open, source: Any, size: int, mark: Mark) -> None:
        """`<<: *base`: what is written itself wins, of several the first. https://yaml.org/type/merge.html"""
        for one in source if isinstance(source, Seq) else [source]:
            if not isinstance(one, Map):
                raise Refused([Problem(mark, "", "cannot be read: << takes keys and values, or a list of them.")])
            assert isinstance(into.value, Map)
            for key, value in one.items():
                if key not in into.value:
                    into.value.put(key, value, one.marks[key])

    def _tag(self, event: Any) -> str | None:
        if event.tag is None or event.tag == "!":
            return None
        if event.tag not in _TAGS:
            raise self._wrong(event, f"the tag {event.tag.replace('tag:yaml.org,2002:', '!!')} is not known here")
        return _TAGS[event.tag]

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        tag = self._tag(event)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise self._wrong(event, "half of a surrogate pair, which is no character") from None
        if tag == "str" or (tag is None and event.style):
            return text
        try:
            return self._plain(text)
        except ValueError:  # Python reads no number of more than 4300 digits
            raise self._wrong(event, f"found a number of {len(text)} digits") from None

    def _plain(self, text: str) -> Any:
        if text in _WORDS:
            return _WORDS[text]
        if text[0] not in "-+.0123456789":
            return text
        if _INTEGER.fullmatch(text):
            whole = Integer(int(text, {"0x": 16, "0o": 8}.get(text[:2], 10)))
            whole.written = text
            return whole
        if _NUMBER.fullmatch(text):
            number = Number(text.replace(".inf", "inf").replace(".nan", "nan"))
            number.written = text
            return number
        return text
