"""What is told while something goes on: on a terminal one place that changes, elsewhere a line now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_OFF_A_TERMINAL = 20.0  # seconds between two lines of a log


class Report:
    """Called with a line that stays; `during` shows what goes on until it is over."""

    def __init__(self, console: Console, every: float = _OFF_A_TERMINAL) -> None:
        self.console = console
        self._every = every

    def __call__(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def during(self, describe: Callable[[], str]) -> Iterator[None]:
        """Ask `describe` again and again: twice a second on a terminal, every `every` seconds elsewhere."""
        if self.console.is_terminal:
            from rich.live import Live
            from rich.text import Text

            shown = Live(console=self.console, get_renderable=lambda: Text(describe()), refresh_per_second=2, transient=True)
            with shown:
                yield
            return
        over = threading.Event()

        def tell() -> None:
            while not over.wait(self._every):
                self(describe())

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        try:
            yield
        finally:
            over.set()
            teller.join()

    def timed(self, title: str) -> AbstractContextManager[None]:
        """`during`, with how long it has taken."""
        began = time.monotonic()
        return self.during(lambda: f"{title}: {time.monotonic() - began:.0f} s")
