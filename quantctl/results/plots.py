"""Small plots by day: how many rows, and how many of their keys differ. SVG. Pure."""

from __future__ import annotations

from quantctl.results.report import Report, TableTold
from quantctl.text.html import Markup, element

_HEIGHT, _WIDTH, _GAP, _WORDS = 44, 26, 5, 14


def by_day(table: TableTold, report: Report) -> Markup | None:
    """A bar a day of both tables' rows; what differs of it, or stands on one side alone, is filled from below."""
    if not table.days:
        return None
    days = sorted(table.days.items())
    most = max(max(max(it.rows) for _, it in days), 1)
    width = len(days) * (_WIDTH + _GAP) - _GAP
    shapes = []
    for at, (day, it) in enumerate(days):
        x, rows = at * (_WIDTH + _GAP), max(it.rows)
        tall = max(rows / most * _HEIGHT, 1)
        odd = min(it.differing + sum(it.only), rows) if rows else 0
        filled = max(odd / most * _HEIGHT, 3) if odd else 0
        said = (
            f"{day:%a %d %b}: {it.rows[0]} rows in {report.environment}, {it.rows[1]} in {report.against},"
            f" {it.differing} keys differ, {sum(it.only)} on one side alone"
        )
        bars = [element("rect", x=x, y=round(_HEIGHT - tall, 1), width=_WIDTH, height=round(tall, 1), rx=2, class_="bar")]
        if filled:
            y = round(_HEIGHT - filled, 1)
            bars.append(element("rect", x=x, y=y, width=_WIDTH, height=round(filled, 1), rx=2, class_="odd"))
        shapes.append(element("g", element("title", said), *bars))
    for at in {0, len(days) - 1}:
        end = at == len(days) - 1 and at > 0
        x = width if end else 0
        text = element("text", f"{days[at][0]:%d %b}", x=x, y=_HEIGHT + _WORDS, text_anchor="end" if end else "start")
        shapes.append(text)
    spoken = "; ".join(
        f"{day:%d %B}: {max(it.rows)} rows, {it.differing + sum(it.only)} differ or stand alone" for day, it in days
    )
    box = f"0 0 {width} {_HEIGHT + _WORDS + 4}"
    return element("svg", *shapes, class_="plot", viewBox=box, width=min(width, 320), role="img", aria_label=spoken)
