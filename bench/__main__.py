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

from bench.drift import drift_costs
from bench.measure import Cost, interleaved
from bench.peer import peer
from bench.report import Row, markdown, picture
from bench.world import World, world
from quantctl import project
from quantctl.engine import tuning

FLOOR = "engine with an empty program"
PLAIN, OURS, POLICED = "pulumi preview", "quantctl preview, without policies", "pulumi preview with policies"
FIRST, SAFE = "first deployment, sandbox", "first deployment"
PLAN, APPLY = "terraform plan -refresh=false", "terraform apply"
THEIRS = {PLAIN: PLAN, OURS: PLAN, POLICED: PLAN, FIRST: APPLY, SAFE: APPLY}


def main() -> None:
    """Measure, print the table, and write docs/bench.md and docs/bench.svg."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--workflows", default="5,50,200", help="numbers of workflows, separated by commas")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each; the median counts")
    parser.add_argument("--no-drift", action="store_true", help="leave out the drift runs of four environments")
    parser.add_argument("--into", type=Path, default=project.root() / "docs", help="the folder of bench.md and bench.svg")
    arguments = parser.parse_args()
    machine = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {datetime.date.today()}"
    rows: list[Row] = []
    for number in [int(text) for text in arguments.workflows.split(",")]:
        print(f"{number} workflows ...", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder, world(Path(folder), number) as made:
            rows += [Row(number, what, found) for what, found in measure(made, number, arguments.repeat).items()]
        if not arguments.no_drift:
            with tempfile.TemporaryDirectory() as folder:
                found_drift = drift_costs(Path(folder), number, arguments.repeat)
            rows += [Row(number, what, found) for what, found in found_drift.items()]
        table = markdown(rows, FLOOR, THEIRS, machine)
        (arguments.into / "bench.md").write_text(table)
        (arguments.into / "bench.svg").write_text(picture(rows, (FLOOR, PLAIN, OURS, PLAN), machine))
    print(table)


def measure(made: World, workflows: int, repeat: int) -> dict[str, Cost]:
    """First deployments once, then previews of a stack in which nothing has changed, all in turn."""
    found: dict[str, Cost] = {}
    found[SAFE] = made.pulumi(made.project, "up", "--yes", "--skip-preview")
    made.again()
    found[FIRST] = made.pulumi(made.project, "up", "--yes", "--skip-preview", **tuning.FIRST_DEPLOYMENT)
    runs: dict[str, Callable[[], Cost]] = {
        FLOOR: lambda: made.pulumi(made.empty, "preview"),
        PLAIN: lambda: made.pulumi(made.project, "preview", "--expect-no-changes"),
        OURS: lambda: made.python("bench.unchanged", made.stack),
        POLICED: lambda: made.pulumi(made.project, "preview", "--expect-no-changes", "--policy-pack", "policy"),
    }
    other = peer(made.empty.parent / "peer", workflows, made.environ)
    if other is not None:
        found[APPLY] = other.apply()
        runs[PLAN] = other.plan
    return found | interleaved(runs, repeat)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(error.cmd[:3])} failed:\n{error.stdout}{error.stderr}")
