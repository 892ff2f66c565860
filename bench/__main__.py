"""How long previews and deployments take, as ratios to an empty program in the same run.

Seconds say something about one machine at one moment only; the ratios are what a change is compared by.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.drift import drift_seconds, median
from bench.imports import import_seconds
from bench.world import World, world


def main() -> None:
    """Run every measurement for each number of workflows and print one table (or JSON)."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--workflows", default="10,50", help="numbers of workflows, separated by commas")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each preview; the median counts")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    rows: list[dict[str, float | int | str]] = []
    for what, seconds in import_seconds().items():
        rows.append({"workflows": 0, "what": what, "seconds": seconds})
    for number in [int(text) for text in arguments.workflows.split(",")]:
        console.print(f"{number} workflows ...", highlight=False)
        with tempfile.TemporaryDirectory() as folder, world(Path(folder), number) as made:
            rows += [{"workflows": number, **row} for row in measure(made, arguments.repeat)]
        console.print(f"four environments with {number} workflows each ...", highlight=False)
        with tempfile.TemporaryDirectory() as folder:
            rows += [{"workflows": number, **row} for row in drift_seconds(Path(folder), number, arguments.repeat)]
    if arguments.format == "json":
        json.dump(rows, sys.stdout, indent=2)
        return
    table = Table("workflows", "what", "seconds", "x empty program", title=f"{os.cpu_count()} cores")
    for row in rows:
        table.add_row(str(row["workflows"] or ""), str(row["what"]), f"{row['seconds']:.2f}", f"{row.get('ratio', '')}")
    Console().print(table)


def measure(made: World, repeat: int) -> list[dict[str, float | str]]:
    """First deployment, then previews of a stack in which nothing has changed."""
    floor = median(lambda: made.pulumi(made.empty, "preview"), repeat)
    rows: list[dict[str, float | str]] = [{"what": "preview of an empty program", "seconds": floor}]

    def add(what: str, seconds: float) -> None:
        rows.append({"what": what, "seconds": seconds, "ratio": round(seconds / floor, 1)})

    add("first deployment", median(lambda: made.pulumi(made.project, "up", "--yes", "--skip-preview"), 1))
    add("preview, nothing changed", median(lambda: made.pulumi(made.project, "preview", "--expect-no-changes"), repeat))
    add("up, nothing changed", median(lambda: made.pulumi(made.project, "up", "--yes", "--skip-preview"), repeat))
    add("refresh --preview-only", median(lambda: made.pulumi(made.project, "refresh", "--preview-only"), 1))
    return rows


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(error.cmd[:3])} failed:\n{error.stdout}{error.stderr}")
