"""The figures as Markdown and as a picture: cost against workflows, ours and theirs. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.measure import Cost

_WIDTH, _HEIGHT, _LEFT, _BELOW, _RIGHT = 640, 400, 60, 50, 190
_COLOURS = ("#1f6feb", "#8250df", "#bf3989", "#1a7f37", "#9a6700", "#57606a")


@dataclass(frozen=True)
class Row:
    """One thing that was measured, at so many workflows."""

    workflows: int
    what: str
    cost: Cost


def markdown(rows: Sequence[Row], floor: str, theirs: Mapping[str, str], machine: str, bars: str = "") -> str:
    """A table; `floor` is the row that the ratios are to, `theirs` what is compared with which row of the peer's, `bars` a
    table that stands above."""
    found = {(row.workflows, row.what): row.cost for row in rows}
    lines = [
        "# Benchmark",
        "",
        f"Written by `make bench`: {machine}. Processor time and memory are those of the whole process tree, medians of runs"
        " in turn. The floor is the engine with an empty program, as `pulumi new` makes it; the peer works on the"
        " same jobs and permissions.",
        "",
        *([bars] if bars else []),
        "| workflows | what | processor s | wall s | MB | x floor | x peer |",
        "|---:|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        least, peer = found.get((row.workflows, floor)), found.get((row.workflows, theirs.get(row.what, "")))
        ratios = [f"{row.cost.processor / other.processor:.2f}" if other else "" for other in (least, peer)]
        figures = f"{row.cost.processor:.1f} | {row.cost.seconds:.1f} | {row.cost.megabytes:.0f}"
        lines.append(f"| {row.workflows} | {row.what} | {figures} | {ratios[0]} | {ratios[1]} |")
    return "\n".join(lines) + "\n\n![Processor time against workflows](bench.svg)\n"


def shown(page: str, figures: str) -> str:
    """A page with these figures between its two marks."""
    before, begin, rest = page.partition("<!-- figures of make bench -->\n")
    _, end, after = rest.partition("<!-- end of the figures -->")
    return f"{before}{begin}{figures}{end}{after}" if begin and end else page


def picture(rows: Sequence[Row], shown: Sequence[str], machine: str) -> str:
    """An SVG with both axes logarithmic; a line for each of `shown`."""
    points = {what: [(row.workflows, row.cost.processor) for row in rows if row.what == what] for what in shown}
    all_points = [point for line in points.values() for point in line]
    if not all_points:
        return ""
    (x0, x1), (y0, y1) = (_decades(min(axis), max(axis)) for axis in zip(*all_points, strict=True))

    def place(x: float, y: float) -> tuple[float, float]:
        across = math.log(x / x0) / math.log(x1 / x0)
        up = math.log(y / y0) / math.log(y1 / y0)
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BELOW - up * (_HEIGHT - _BELOW - 30)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="18">Processor seconds against workflows ({machine})</text>',
    ]
    for tick in _ticks(x0, x1):
        x, y = place(tick, y0)
        parts.append(f'<path d="M{x:.1f} {y:.1f}V30" stroke="#d0d7de"/><text x="{x:.1f}" y="{y + 18:.1f}">{tick:g}</text>')
    for tick in _ticks(y0, y1):
        x, y = place(x0, tick)
        parts.append(f'<path d="M{x:.1f} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#d0d7de"/>')
        parts.append(f'<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for number, (what, line) in enumerate(points.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        placed = [place(*point) for point in sorted(line)]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
        beside = 40 + 18 * number
        parts.append(f'<text x="{_WIDTH - _RIGHT + 10}" y="{beside}" fill="{colour}">{what}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _decades(low: float, high: float) -> tuple[float, float]:
    return 10.0 ** math.floor(math.log10(low)), 10.0 ** (math.floor(math.log10(high)) + 1)


def _ticks(low: float, high: float) -> list[float]:
    found = [low * 10**decade * step for decade in range(round(math.log10(high / low))) for step in (1, 2, 5)]
    return [*found, high]
