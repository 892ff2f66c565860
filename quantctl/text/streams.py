"""Standard output and error, on which nothing that others wrote steers a terminal or a runner, whoever prints it."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, TextIO

from quantctl.text.plain import seen


class _Log:
    """The log of a job in GitHub, whose runner obeys a line that begins with `::`, and `##[` anywhere.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions. Escaped as JSON does it, so that what a
    program reads stays what it was.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As the stream does."""
        return self._stream.write(re.sub(r"(?m)^(\s*):(?=:)", r"\1\\u003a", text).replace("##[", r"#\u0023["))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Shown:
    """A stream that shows hidden characters as escapes; rich's own styles go to what it calls `rich_proxied_file`."""

    def __init__(self, stream: TextIO) -> None:
        self.exactly = stream
        self.rich_proxied_file: Any = _Log(stream) if os.environ.get("GITHUB_ACTIONS") == "true" else stream

    def write(self, text: str) -> int:
        """As the stream does; how much of `text` was taken."""
        self.rich_proxied_file.write(seen(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """One after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.exactly, name)


def exactly(text: str) -> None:
    """Write to standard output what a shell or a runner reads, not a person."""
    stream = sys.stdout
    (stream.exactly if isinstance(stream, Shown) else stream).write(text)


def guard() -> None:
    """From now on this process's output goes through `Shown`."""
    sys.stdout, sys.stderr = Shown(sys.stdout), Shown(sys.stderr)
