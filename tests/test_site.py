"""The documentation as a site: every page is in the menu, every link leads somewhere, nothing is loaded from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """`strict: true` makes each warning a failure."""
    words = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = {str(path.relative_to(ROOT / "docs").with_suffix(".html")) for path in (ROOT / "docs").rglob("*.md")}
    made = {str(path.relative_to(tmp_path / "site")) for path in (tmp_path / "site").rglob("*.html")}
    assert pages | {"index.html"} <= made
    for path in (tmp_path / "site").rglob("*.html"):
        assert not re.findall(r'(?:<script|<img|<link rel="stylesheet")[^>]*(?:src|href)="https?:', path.read_text()), path
