"""The one Console: what others wrote is shown as text, wherever in a table or a sentence it stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import rich.console
from rich.segment import Segment

from quantctl.text.plain import seen


class Console(rich.console.Console):
    """rich's, with every hidden character as an escape; without markup, unless who wants it escapes what others wrote."""

    def __init__(self, *, markup: bool = False, **options: Any) -> None:
        super().__init__(markup=markup, emoji=False, **options)
        self.push_render_hook(_Hook())


class _Hook(rich.console.RenderHook):
    def process_renderables(self, renderables: list[rich.console.ConsoleRenderable]) -> list[rich.console.ConsoleRenderable]:
        return [_Shown(one) for one in renderables]


class _Shown:
    """A renderable whose texts steer nothing; its styles are rich's own."""

    def __init__(self, inner: rich.console.ConsoleRenderable) -> None:
        self._inner = inner

    def __rich_console__(self, console: rich.console.Console, options: rich.console.ConsoleOptions) -> Iterable[Segment]:
        for segment in console.render(self._inner, options):
            yield segment if segment.control else Segment(seen(segment.text), segment.style)
