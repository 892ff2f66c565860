"""A matrix of disturbed runs: each case in its situation, and a table of what became of them."""

from __future__ import annotations

import argparse
import collections
import json
import shutil
import sys
import tempfile
import time
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


class Journal:
    """The cases that were judged, one a line: an interruption loses nothing, and a later run goes on."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def judged(self) -> dict[str, str]:
        """Case -> outcome."""
        if self._file is None or not self._file.exists():
            return {}
        lines = [json.loads(line) for line in self._file.read_text().splitlines()]
        return {str(line["case"]): str(line["outcome"]) for line in lines}

    def add(self, case: str, outcome: str, **more: object) -> None:
        """Two matrices at once may write into one file."""
        if self._file is not None:
            with self._file.open("a") as file:
                file.write(json.dumps({"case": case, "outcome": outcome, **more}) + "\n")


def matrix(cases: Iterable[Case], strike: Strike[Case], say: Callable[[str], None], journal: Journal) -> int:
    """Each case in its situation; how many did not become whole.

    `strike` says whether the case came about, and what is not whole after it.
    """
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    judged = journal.judged()
    folder = Path(tempfile.mkdtemp(prefix="quant-matrix-"))
    try:
        with rewound(folder) as stage:
            for case in cases:
                name = f"{case.situation}: {case}"
                if name in judged:
                    counts[case.situation][judged[name]] += 1
                    continue
                began, carried_out = time.monotonic(), stage.carried_out
                came, left = strike(stage, case)
                outcome = "not whole" if left else "whole" if came else "not struck"
                counts[case.situation][outcome] += 1
                way_back = stage.carried_out - carried_out
                journal.add(name, outcome, left=left, way_back=way_back, seconds=round(time.monotonic() - began, 1))
                say(f"{name}: {outcome} {'; '.join(left)}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for where, found in counts.items():
        say(f"{where:<18}" + "".join(f"{found[outcome]:>5} {outcome}" for outcome in OUTCOMES))
    return sum(found["not whole"] for found in counts.values())


def run(seeded: Callable[[int, int], Iterable[Case]], strike: Strike[Case], help: str, count: int) -> None:
    """The command line of a matrix."""
    parser = argparse.ArgumentParser(description=help)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=count, help="so many of the matrix; 0: all of it")
    parser.add_argument("--only", default="", help="those whose line has this text, to repeat one that was not whole")
    parser.add_argument("--journal", type=Path, help="a file of the cases that were judged: they are not run again")
    parser.add_argument("--part", default="1/1", help="1/2 and 2/2: two halves, for two runs at the same time")
    asked = parser.parse_args()
    cases = [case for case in seeded(asked.seed, asked.count) if asked.only in f"{case.situation}: {case}"]
    part, parts = map(int, asked.part.split("/"))
    failed = matrix(cases[part - 1 :: parts], strike, lambda text: print(text, flush=True), Journal(asked.journal))
    sys.exit(1 if failed else 0)
