"""Mutants after which nothing differs: the list in bench/equivalent.yaml, each with its reason, compared with a run. Pure.

A mutant is known by its function and the lines that it changed, for mutmut's numbers move with every change of the code.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_NAME = re.compile(r"xǁ?(?P<function>.*)__mutmut_(?P<number>orig|\d+)")


class Change(NamedTuple):
    """What a mutant changed."""

    function: str
    was: str
    now: str


def changes(source: str) -> dict[str, Change]:
    """Mutant -> what it changed, of a file as mutmut writes it: each function whole, once for each of its mutants."""
    lines = source.splitlines()
    bodies: dict[str, dict[str, list[str]]] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (found := _NAME.fullmatch(node.name)):
            signature = lines[node.lineno - 1].partition("(")[2]  # a default is changed too
            body = [line.strip() for line in (signature, *lines[node.lineno : node.end_lineno])]
            bodies.setdefault(found["function"], {})[node.name] = body
    made = {}
    for function, mutants in bodies.items():
        original = next((body for name, body in mutants.items() if name.endswith("_orig")), [])
        for name, body in mutants.items():
            if body is not original:
                made[name] = Change(function.lstrip("_").replace("ǁ", "."), *_difference(original, body))
    return made


def _difference(original: list[str], body: list[str]) -> tuple[str, str]:
    told = list(difflib.ndiff(original, body))
    was, now = (" ".join(line[2:] for line in told if line.startswith(sign)) for sign in ("- ", "+ "))
    return was, now


def listed(entries: Iterable[Mapping[str, Any]]) -> set[Change]:
    """The entries of one module: each names its function, what it changed, and why nothing differs."""
    return {Change(one["function"], one["was"], now) for one in entries if one["why"] for now in one["now"]}


def wrong(entries: set[Change], survived: Iterable[Change]) -> list[str]:
    """Entries that are no surviving mutant: killed, or no longer made."""
    left = set(survived)
    return [f"{one.function}: {one.was} -> {one.now}" for one in sorted(entries - left)]
