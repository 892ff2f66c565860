"""What is wrong with a definition: where it stands, what was found, what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from infra.errors import UserError

_SHOWN = 10  # of a long list of problems
_LISTED = 12  # of a long list of words
_LONGEST = 80  # characters of a value that is quoted


class Mark(NamedTuple):
    """A place in a file; line 0 is the file as a whole."""

    file: str
    line: int = 0


@dataclass(frozen=True)
class Problem:
    """One mistake. `key` is the way to it, for example tasks[0].max_retries."""

    mark: Mark
    key: str
    text: str

    def __str__(self) -> str:
        line = f", line {self.mark.line}" if self.mark.line else ""
        return f"{self.mark.file}{line}: {self.key + ': ' if self.key else ''}{self.text}"


class Refused(UserError):
    """Definitions that are not right, each problem with its place. Shown are the first ten and the count."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        lines = [str(problem) for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(
                f"... and {len(self.problems) - _SHOWN} more ({len(self.problems)} in all); `quantctl check` lists them."
            )
        super().__init__("\n".join(lines))


def nearest(found: object, words: Sequence[str], alike: float = 0.7) -> str | None:
    """The word that was probably meant."""
    near = difflib.get_close_matches(str(found).lower(), {word.lower(): None for word in words}, 1, alike)
    return next((word for word in words if near and word.lower() == near[0]), None)


def one_of(found: object, words: Sequence[str]) -> str:
    """What would have been right: the nearest word, or the words themselves."""
    if (near := nearest(found, words)) is not None:
        return f"did you mean {near}?"
    more = ", ..." if len(words) > _LISTED else ""
    return f"allowed are {', '.join(sorted(words)[:_LISTED])}{more}." if words else "there is none."


def quoted(value: object) -> str:
    """A value for a message, in one line and cut to a readable length."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys and values"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
