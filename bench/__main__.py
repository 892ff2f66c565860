"""What previews and deployments cost, beside the engine's floor and the peers on this machine: docs/bench.md.

Seconds say something about one machine at one moment only; the ratios are what a change is compared by.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import bars
from bench.bars import Bar
from bench.drift import DRIFT, SLOWEST, drift_costs
from bench.measure import Cost, interleaved
from bench.peer import peer
from bench.report import Row, markdown, picture, shown
from bench.world import World, world
from quantctl import project
from quantctl.engine import tuning

FLOOR = "engine with an empty program"
PLAIN, OURS, POLICED = "pulumi preview", "quantctl preview, without policies", "pulumi preview with policies"
FIRST, SAFE = "first deployment, sandbox", "first deployment"
PLAN, APPLY = "terraform plan -refresh=false", "terraform apply"
THEIRS = {PLAIN: PLAN, OURS: PLAN, POLICED: PLAN, FIRST: APPLY, SAFE: APPLY}
MANY = 500  # workflows, from which on only previews are measured, and twice
BARS = (
    *(Bar(f"{what}, 200 workflows, x terraform plan", 0.3, (200, what), (200, PLAN)) for what in (PLAIN, OURS)),
    Bar(f"{PLAIN}, 200 workflows, x terraform plan in time", 0.3, (200, PLAIN), (200, PLAN), "seconds"),
    *(Bar(f"{what}, 200 workflows, x floor", 6, (200, what), (200, FLOOR)) for what in (PLAIN, OURS)),
    *(Bar(f"{what}, 200 workflows, MB", 1200, (200, what), None, "megabytes") for what in (PLAIN, OURS)),
    *(Bar(f"{what}, 5 workflows, x floor", 1.9, (5, what), (5, FLOOR)) for what in (PLAIN, OURS)),
    Bar(f"{PLAIN}, 1,000 workflows, x 200", 5.5, (1000, PLAIN), (200, PLAIN)),
    *(Bar(f"{POLICED}, {n} workflows, x without", 1.3, (n, POLICED), (n, PLAIN)) for n in (5, 200)),
    Bar(f"{SAFE} of 200, x terraform apply", 1.0, (200, SAFE), (200, APPLY)),
    Bar(f"{FIRST} of 200, x terraform apply", 0.35, (200, FIRST), (200, APPLY)),
    *(Bar(f"{DRIFT}, {n} workflows, x {SLOWEST}, in time", 1.3, (n, DRIFT), (n, SLOWEST), "seconds") for n in (5, 200)),
)


def main() -> None:
    """Measure, print the tables, and write docs/bench.md and docs/bench.svg."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--workflows", default="5,50,200,1000", help="numbers of workflows, separated by commas")
    parser.add_argument("--drift", default="5", help="with how many workflows four environments are looked at for drift")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each; the median counts")
    parser.add_argument("--into", type=Path, default=project.root() / "docs", help="the folder of bench.md and bench.svg")
    parser.add_argument("--readme", action="store_true", help="put the bars into README.md too")
    arguments = parser.parse_args()
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {datetime.date.today()}"
    rows: list[Row] = []

    def add(number: int, found: dict[str, Cost]) -> None:
        rows.extend(Row(number, what, cost) for what, cost in found.items())
        rows.sort(key=lambda row: row.workflows)
        text = markdown(rows, FLOOR, THEIRS, machine, bars.table(BARS, rows))
        (arguments.into / "bench.md").write_text(text)
        (arguments.into / "bench.svg").write_text(picture(rows, (FLOOR, PLAIN, OURS, PLAN), machine))
        if arguments.readme:
            readme = project.root() / "README.md"
            readme.write_text(
                shown(readme.read_text(), f"Measured by `make bench` on {machine}.\n\n{bars.table(BARS, rows)}")
            )

    for number in numbers(arguments.workflows):
        say(f"{number} workflows: deployments and previews")
        with tempfile.TemporaryDirectory() as folder, world(Path(folder), number) as made:
            add(number, measure(made, number, arguments.repeat))
    for number in numbers(arguments.drift):
        say(f"four environments of {number} workflows: drift")
        with tempfile.TemporaryDirectory() as folder:
            add(number, drift_costs(Path(folder), number, arguments.repeat))
    print((arguments.into / "bench.md").read_text())


def numbers(text: str) -> list[int]:
    """`5,50`; none where nothing is said."""
    return [int(part) for part in text.split(",") if part]


def say(what: str) -> None:
    """Where it is, at once."""
    print(f"{datetime.datetime.now():%H:%M:%S} {what}", file=sys.stderr, flush=True)


def measure(made: World, workflows: int, repeat: int) -> dict[str, Cost]:
    """First deployments once, then previews of a stack in which nothing has changed, all in turn."""
    found: dict[str, Cost] = {}
    runs: dict[str, Callable[[], Cost]] = {
        FLOOR: lambda: made.pulumi(made.empty, "preview"),
        PLAIN: lambda: made.pulumi(made.project, "preview", "--expect-no-changes"),
        OURS: lambda: made.python("bench.unchanged", made.stack),
    }
    if workflows < MANY:
        found[SAFE] = made.pulumi(made.project, "up", "--yes", "--skip-preview")
        made.again()
        runs[POLICED] = lambda: made.pulumi(made.project, "preview", "--expect-no-changes", "--policy-pack", "policy/pack")
    found[FIRST] = made.pulumi(made.project, "up", "--yes", "--skip-preview", **tuning.FIRST_DEPLOYMENT)
    other = peer(made.empty.parent / "peer", workflows, made.environ) if workflows < MANY else None
    if other is not None:
        found[APPLY] = other.apply()
        runs[PLAN] = other.plan
    return found | interleaved(runs, repeat if workflows < MANY else 2)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(error.cmd[:3])} failed:\n{error.stdout}{error.stderr}")
