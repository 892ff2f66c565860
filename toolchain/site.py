"""What the site adds to docs/: the README as its first page, the decisions in the menu, links to the code's files.


MkDocs calls these by name: https://www.mkdocs.org/dev-guide/plugins/#events
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
_FIRST = "index.md"


def on_config(config: Any) -> Any:
    """Every decision is in the menu, in its order, without being listed by hand."""
    names = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("*.md"))
    config.nav = [*config.nav, {"Decisions": [f"decisions/{name}" for name in names]}]
    return config


def on_files(files: Any, config: Any) -> Any:
    """README.md is the first page."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    files.append(File.generated(config, _FIRST, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """A link to a file of the repository that is no page is shown as the file's name: the site has no copy of it."""
    folder = ROOT if page.file.src_uri == _FIRST else (ROOT / "docs" / page.file.src_uri).parent

    def shown(link: re.Match[str]) -> str:
        words, target = link.groups()
        path = (folder / target.partition("#")[0]).resolve()
        outside = path.exists() and path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "docs")
        return f"{words} (`{path.relative_to(ROOT)}`)" if outside else link[0]

    return re.sub(r"\[([^\]]+)\]\((?!https?:|#)([^)]+)\)", shown, markdown)
