"""A matrix of disturbed runs: each case in its situation, and a table of what became of them."""

from __future__ import annotations

import argparse
import collections
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

from tests.rewound import Rewound, rewound


class Disturbed(Protocol):
    """A case of a matrix."""

    @property
    def situation(self) -> str: ...


Case = TypeVar("Case", bound=Disturbed)
Strike = Callable[[Rewound, Case], tuple[bool, list[str]]]
OUTCOMES = ("whole", "not whole", "not struck")


def matrix(cases: Iterable[Case], strike: Strike[Case], say: Callable[[str], None]) -> int:
    """Each case in its situation; how many did not become whole.

    `strike` says whether the case came about, and what is not whole after it.
    """
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    folder = Path(tempfile.mkdtemp(prefix="quant-matrix-"))
    try:
        with rewound(folder) as stage:
            for case in cases:
                came, left = strike(stage, case)
                outcome = "not whole" if left else "whole" if came else "not struck"
                counts[case.situation][outcome] += 1
                say(f"{case.situation}: {case}: {outcome} {'; '.join(left)}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for where, found in counts.items():
        say(f"{where:<18}" + "".join(f"{found[outcome]:>5} {outcome}" for outcome in OUTCOMES))
    return sum(found["not whole"] for found in counts.values())


def run(seeded: Callable[[int, int], Iterable[Case]], strike: Strike[Case], help: str, count: int) -> None:
    """The command line of a matrix: [--seed N] [--count N] [--only TEXT]."""
    parser = argparse.ArgumentParser(description=help)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=count, help="so many of the matrix; 0: all of it")
    parser.add_argument("--only", default="", help="those whose line has this text, to repeat one that was not whole")
    asked = parser.parse_args()
    cases = [case for case in seeded(asked.seed, asked.count) if asked.only in f"{case.situation}: {case}"]
    sys.exit(1 if matrix(cases, strike, lambda text: print(text, flush=True)) else 0)
