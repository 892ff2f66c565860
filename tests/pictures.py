"""Draws what the README shows: the status page and a merge request's note: make pictures

Both come from what the tests hold true: the sample team of status_samples.py, the golden note of test_preview_notes.py.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import markdown

from quantctl.status.page import page
from tests.paths import ROOT
from tests.status_samples import team_status
from tests.test_status_browser import BROWSER, chromium

PICTURES = ROOT / "docs" / "pictures"
_NOTE = ROOT / "tests" / "golden" / "preview_all.md"
_FORGE = """
body { font: 14px/1.45 sans-serif; color: #28272d; background: #fff; margin: 24px; max-width: 900px }
table { border-collapse: collapse; margin: 12px 0 } th, td { border: 1px solid #dcdcde; padding: 6px 10px; text-align: left }
code { font: 12.5px monospace; background: #ececef; border-radius: 3px; padding: 1px 4px }
h3 { margin: 0 0 12px } h4 { margin: 18px 0 6px } ul { margin: 4px 0; padding-left: 22px } p { margin: 8px 0 }
"""


def draw(name: str, html: str, width: int, height: int) -> Path:
    """The upper part of a page, so many pixels."""
    with tempfile.TemporaryDirectory() as folder:
        file, drawn = Path(folder) / "page.html", Path(folder) / f"{name}.png"
        file.write_text(html, encoding="utf-8")
        chromium(Path(folder), f"--window-size={width},{height}", f"--screenshot={drawn}", file.as_uri())
        PICTURES.mkdir(exist_ok=True)
        return Path(shutil.copy(drawn, PICTURES / drawn.name))


def note() -> str:
    """The note of a merge request, much as a forge shows it; what is folded there is left out here."""
    text = _NOTE.read_text(encoding="utf-8").partition("<details>")[0]
    text = text.replace("  - ", "    - ")  # Python's Markdown wants four spaces where a forge takes two
    text = "\n".join(f"\n{line}" if line.startswith("- ") else line for line in text.splitlines())
    body = markdown.markdown(text, extensions=["tables", "sane_lists"])
    return f"<!doctype html><meta charset=utf-8><style>{_FORGE}</style>{body}"


if __name__ == "__main__":
    if BROWSER is None:
        sys.exit("There is no Chromium here: `make browser`, as root on Debian, installs it.")
    print(draw("status", page(team_status()), 1120, 980))
    print(draw("note", note(), 940, 900))
