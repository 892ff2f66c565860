"""SCIM filters: `attribute eq|ne|co|sw "value"`, `pr`, with and, or, not and parentheses.

https://docs.databricks.com/api/workspace/users/list (filter), https://datatracker.ietf.org/doc/html/rfc7644#section-3.4.2.2
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sandbox.workspace.errors import ApiError

Matches = Callable[[dict[str, Any]], bool]
_TOKEN = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[()]|[^\s()"']+""")
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda found, wanted: found == wanted,
    "ne": lambda found, wanted: found != wanted,
    "co": lambda found, wanted: wanted in found,
    "sw": lambda found, wanted: found.startswith(wanted),
    "ew": lambda found, wanted: found.endswith(wanted),
}
_DEPTH = 20  # parentheses in parentheses; deeper is no filter that anybody wrote


def parse(expression: str) -> Matches:
    """The test that a filter is.

    Raises:
        ApiError: 400 invalidFilter.
    """
    reader = _Reader(expression)
    test = reader.any_of(0)
    if reader.tokens:
        raise reader.refusal()
    return test


def value_of(entry: dict[str, Any], path: str) -> list[str]:
    """What a path such as `emails.value` finds, lower case: neither names nor values know case."""
    found: list[Any] = [entry]
    for part in path.lower().split("."):
        below: list[Any] = []
        for item in found:
            value = {key.lower(): value for key, value in item.items()}.get(part) if isinstance(item, dict) else None
            below += value if isinstance(value, list) else [] if value is None else [value]
        found = below
    return [str(item.get("value", "") if isinstance(item, dict) else item).lower() for item in found]


class _Reader:
    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = _TOKEN.findall(expression)
        if _TOKEN.sub("", expression).strip():
            raise self.refusal()

    def refusal(self) -> ApiError:
        return ApiError(400, "INVALID_FILTER", f"The filter could not be read: {self.expression[:200]}")

    def next(self) -> str:
        if not self.tokens:
            raise self.refusal()
        return str(self.tokens.pop(0))

    def word(self, *wanted: str) -> bool:
        if self.tokens and self.tokens[0].lower() in wanted:
            self.tokens.pop(0)
            return True
        return False

    def any_of(self, depth: int) -> Matches:
        tests = [self.all_of(depth)]
        while self.word("or"):
            tests.append(self.all_of(depth))
        return lambda entry: any(test(entry) for test in tests)

    def all_of(self, depth: int) -> Matches:
        tests = [self.one(depth)]
        while self.word("and"):
            tests.append(self.one(depth))
        return lambda entry: all(test(entry) for test in tests)

    def one(self, depth: int) -> Matches:
        if depth > _DEPTH:
            raise self.refusal()
        if self.word("not"):
            inner = self.one(depth + 1)
            return lambda entry: not inner(entry)
        if self.word("("):
            inner = self.any_of(depth + 1)
            if self.next() != ")":
                raise self.refusal()
            return inner
        path, operator = self.next(), self.next().lower()
        if operator == "pr":
            return lambda entry: any(value_of(entry, path))
        if operator not in _COMPARE:
            raise self.refusal()
        wanted = _unquoted(self.next()).lower()
        compare = _COMPARE[operator]
        if operator == "ne":
            return lambda entry: all(compare(found, wanted) for found in value_of(entry, path))
        return lambda entry: any(compare(found, wanted) for found in value_of(entry, path))


def _unquoted(value: str) -> str:
    """A value in double or single quotes, which a backslash escapes, or a bare word."""
    if value[0] not in "\"'":
        return value
    return re.sub(r"\\(.)", r"\1", value[1:-1])
