"""A preview costs what it cost when it was recorded, measured against the floor of the same run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import bars
from bench.__main__ import FLOOR, PLAIN
from bench.bars import Bar
from bench.measure import Cost, interleaved, median
from bench.report import Row, markdown, picture, shown
from bench.world import world
from quantctl.engine import tuning
from tests.paths import ROOT

_MORE = 1.25  # times the recorded ratio


@pytest.mark.real
def test_a_preview_costs_no_more_than_recorded(tmp_path: Path) -> None:
    """Five workflows, nothing changed: processor time as a ratio to the engine with an empty program, medians of three."""
    recorded = json.loads((ROOT / "bench" / "recorded.json").read_text())["preview of 5 workflows, x floor"]
    with world(tmp_path, 5) as made:
        made.pulumi(made.project, "up", "--yes", "--skip-preview", **tuning.FIRST_DEPLOYMENT)
        runs = {
            FLOOR: lambda: made.pulumi(made.empty, "preview"),
            PLAIN: lambda: made.pulumi(made.project, "preview", "--expect-no-changes"),
        }
        found = interleaved(runs, 3)
    ratio = found[PLAIN].processor / found[FLOOR].processor
    assert ratio <= recorded * _MORE, f"{ratio:.2f} times the floor, recorded were {recorded}: python -m bench --workflows 5"


def test_the_median_of_each_figure() -> None:
    """One slow run does not count; of memory the most does."""
    assert median([Cost(1, 9, 5), Cost(2, 1, 7), Cost(3, 2, 6)]) == Cost(2, 2, 7)


def test_a_table_with_ratios_and_a_picture() -> None:
    """The ratios are to the floor and to the peer at the same number of workflows."""
    rows = [Row(n, what, Cost(n * f, 1, 1)) for n in (5, 50) for what, f in (("floor", 1), ("ours", 2), ("theirs", 4))]
    table = markdown(rows, "floor", {"ours": "theirs"}, "here")
    assert "| 50 | ours | 100.0 | 1.0 | 1 | 2.00 | 0.50 |" in table
    drawn = picture(rows, ("ours", "theirs"), "here")
    assert drawn.count("<polyline") == 2
    assert drawn.count("<circle") == 4


def test_a_bar_that_is_missed_is_told() -> None:
    """A ratio of two rows, or a figure alone; what was not measured is no line."""
    rows = [Row(5, "ours", Cost(4, 1, 900)), Row(5, "theirs", Cost(2, 1, 1))]
    wanted = (
        Bar("ratio", 1.9, (5, "ours"), (5, "theirs")),
        Bar("memory", 1000, (5, "ours"), None, "megabytes"),
        Bar("absent", 1, (50, "ours")),
    )
    assert bars.table(wanted, rows).splitlines()[2:] == ["| ratio | 1.9 | 2.00 | missed |", "| memory | 1000 | 900.00 |  |"]


def test_the_figures_stand_between_their_marks() -> None:
    """What stood there before is replaced; the README has the marks."""
    page = "a\n<!-- figures of make bench -->\nold\n<!-- end of the figures -->\nb"
    assert shown(page, "new\n") == page.replace("old", "new")
    assert shown((ROOT / "README.md").read_text(), "new\n") != (ROOT / "README.md").read_text()
