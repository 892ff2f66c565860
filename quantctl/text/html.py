"""HTML and SVG elements whose text and attributes are escaped, always. Pure."""

from __future__ import annotations

import html


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


Child = str | Markup | None


def element(name: str, /, *children: Child, **attributes: str | int | float | None) -> Markup:
    """An element. `class_` is class, `aria_label` is aria-label; what is None is left out; plain text is escaped."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """One after the other."""
    return Markup("".join(one if isinstance(one, Markup) else html.escape(one) for one in children if one is not None))


_VOID = frozenset({"meta", "br", "hr"})
