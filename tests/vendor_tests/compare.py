"""What the tests came to, compared with the list of those that are known to fail. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

PASS, FAIL, SKIP = "PASS", "FAIL", "SKIP"
_RESULT = re.compile(r"^\s*--- (PASS|FAIL|SKIP): (\S+) \(", re.M)


def results(printed: str, test: str) -> dict[str, str]:
    """Each test without subtests in what `go test -v` printed; one of which nothing is told (a panic) fails."""
    found = {name: result for result, name in _RESULT.findall(printed)}
    parents = {name.rpartition("/")[0] for name in found if "/" in name}
    told = {name: result for name, result in found.items() if name not in parents}
    if found.get(test, FAIL) == FAIL and FAIL not in told.values():
        told[test] = FAIL
    return told


def disagreements(found: Mapping[str, str], known: Mapping[str, str], asked: Iterable[str]) -> list[str]:
    """Failures that no line explains, and lines that explain no failure; `known` maps a test to its reason."""
    run = set(asked)
    fails = {name for name, result in found.items() if result == FAIL}
    listed = {name for name in known if name.partition("/")[0] in run}
    return [
        *(f"{name} fails, and the list has no reason" for name in sorted(fails - listed)),
        *(f"{name} is listed ({known[name]}), and does not fail" for name in sorted(listed - fails)),
    ]


def reasons(tables: Mapping[str, list[str]]) -> dict[str, str]:
    """The list, by test.

    Raises:
        ValueError: a test has two reasons.
    """
    found: dict[str, str] = {}
    for why, tests in tables.items():
        for test in tests:
            if test in found:
                raise ValueError(f"{test} is listed twice: {found[test]}; {why}")
            found[test] = why
    return found
