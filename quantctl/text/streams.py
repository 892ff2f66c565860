"""Standard output and error, on which nothing that others wrote steers a terminal, whoever prints it."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from quantctl.text.plain import seen


class Shown:
    """A stream that shows hidden characters as escapes; rich's own styles go to what it calls `rich_proxied_file`."""

    def __init__(self, stream: TextIO) -> None:
        self.rich_proxied_file = stream

    def write(self, text: str) -> int:
        """As the stream does; how much of `text` was taken."""
        self.rich_proxied_file.write(seen(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """One after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.rich_proxied_file, name)


def exactly(text: str) -> None:
    """Write to standard output what a shell reads, not a person."""
    stream = sys.stdout
    (stream.rich_proxied_file if isinstance(stream, Shown) else stream).write(text)


def guard() -> None:
    """From now on this process's output goes through `Shown`."""
    sys.stdout, sys.stderr = Shown(sys.stdout), Shown(sys.stderr)
