"""Markdown that nobody can forge: what a user wrote stands in a code span, in a fence, or escaped. Pure.

Nothing is interpreted there: no mention, link, image, reference, HTML, comment or quick action of GitLab
(https://docs.gitlab.com/user/project/quick_actions/, which skips code), and nothing breaks out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from quantctl.text.plain import one_line, shorten

LONGEST = 160  # characters of one value; the rest is counted
_APART = "\N{ZERO WIDTH SPACE}"  # a forge reads references in the text, after Markdown's own escapes are gone


def code(text: str, longest: int = LONGEST) -> str:
    """`text` as a code span on one line, shortened. Not for a table, where a `|` would end the cell."""
    shown = shorten(one_line(re.sub(r"\s", " ", text.rstrip())).strip(), longest)
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown or ' '}{pad}{fence}"


def linked(shown: str, page: str) -> str:
    """Markdown that leads to a page of the workspace, where there is one. `page` is one of quantctl.text.links."""
    return f"[{shown}]({page})" if page else shown


def fenced(lines: Iterable[str], language: str = "") -> str:
    """Lines as a code block. Each begins with a space, a sign or a letter, never with what a forge would obey."""
    shown = [one_line(line.rstrip().replace("\t", "    ")) for line in lines]
    fence = "`" * max(3, *(_longest_run(line) + 1 for line in shown), 3)
    body = "\n".join(f" {line}" if line[:1] in "/`~" and line[:2] not in ("~ ",) else line for line in shown)
    return f"{fence}{language}\n{body}\n{fence}"


def inline(text: str) -> str:
    """`text` as text among other text, in a table too: it reads the same, and means nothing to a forge."""
    shown = one_line(text.replace("\n", " "))
    shown = re.sub(r"&(?=#?\w+;)", "&amp;", shown).replace("<", "&lt;").replace(">", "&gt;")
    shown = re.sub(r"([\\`*\[\]|~])", r"\\\1", shown)
    shown = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", shown)
    shown = re.sub(r"([@#!~%$^])(?=[\w\"])", rf"\1{_APART}", shown)
    shown = re.sub(r"(?i)\b([a-z][a-z0-9+.-]*:)(?=//)|\b(www)(?=\.)", rf"\1\2{_APART}", shown)
    return re.sub(r"^\s*/", f"{_APART}/", shown)


def sentence(text: str) -> str:
    """A sentence of ours: commands, which stand between backticks, as code, and the rest as text."""
    parts = enumerate(text.split("`"))
    return "".join(code(part, 10_000) if number % 2 else inline(part) for number, part in parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
