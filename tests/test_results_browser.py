"""The page of a report in a browser: on a phone, on a screen, in the dark, on paper."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from quantctl.results.page import page
from tests.results_samples import column, report, signed, table
from tests.test_status_browser import _DARK, BROWSER, chromium, measured

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here: make browser, as root on Debian")


def strained() -> str:
    """Long names without a gap, and many of everything."""
    names = [f"{'A_TABLE_WITH_A_NAME_THAT_NEVER_ENDS_' * 4}{n}" for n in range(12)]
    columns = {f"{'COLUMN' * 12}{n}": column(25, 0.008) for n in range(12)}
    return page(report(tables=[table(name, "workflow" * 12, columns) for name in names], role="R" * 200))


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_the_report_is_readable_on_a_phone_and_a_screen(tmp_path: Path, shade: str) -> None:
    """Nothing scrolls sideways but a table of columns within its card, and every text stands out of its ground."""
    made = report()
    for text in (page(made, signed(made)), strained()):
        for view in measured(tmp_path, text, *([_DARK] if shade == "dark" else [])):
            assert view["scroll"] <= view["wide"]
            assert (view["spills"], view["faint"]) == ([], [])
            assert not view["script"]


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext here: make browser, as root on Debian")
def test_the_report_prints_whole(tmp_path: Path) -> None:
    """On paper what was folded is unfolded, but for the statements."""
    made = report()
    (tmp_path / "page.html").write_text(page(made, signed(made)))
    paper = tmp_path / "page.pdf"
    chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={paper}", (tmp_path / "page.html").as_uri())
    done = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True)
    assert done.stdout.count("\f") <= 5
    for wanted in ("POSITIONS:extra-keys/run", "src/risk_model.py has changed", "rowCount > 0", "Olga Owner"):
        assert wanted in done.stdout
    assert "SELECT" not in done.stdout
