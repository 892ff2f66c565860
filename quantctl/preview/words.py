"""Markdown that nobody can forge: every text that a user wrote stands in a code span or a fence. Pure.

Nothing is interpreted there: no mention, link, reference, HTML or quick action of GitLab
(https://docs.gitlab.com/user/project/quick_actions/, which skips code), and nothing breaks out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 160  # characters of one value; the rest is counted


def code(text: str, longest: int = LONGEST) -> str:
    """`text` as a code span on one line, shortened. Not for a table, where a `|` would end the cell."""
    shown = shorten(_visible(text).strip(), longest)
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown or ' '}{pad}{fence}"


def fenced(lines: Iterable[str], language: str = "") -> str:
    """Lines as a code block. Each begins with a space, a sign or a letter, never with what a forge would obey."""
    shown = [_visible(line) for line in lines]
    fence = "`" * max(3, *(_longest_run(line) + 1 for line in shown), 3)
    body = "\n".join(f" {line}" if line[:1] in "/`~" and line[:2] not in ("~ ",) else line for line in shown)
    return f"{fence}{language}\n{body}\n{fence}"


def shorten(text: str, longest: int) -> str:
    """At most so many characters, and how many there are."""
    return text if len(text) <= longest else f"{text[: longest - 24]}... ({len(text)} characters)"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 commit`, `2 commits`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _visible(text: str) -> str:
    """Without line ends, control characters and signs that turn the direction of what follows."""
    spaced = re.sub(r"\s", " ", text.rstrip())
    return "".join(
        c if unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs") else "\N{REPLACEMENT CHARACTER}" for c in spaced
    )


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
