"""What the figures have to be, as ratios of one run: what a preview, a deployment and a drift run may cost. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.measure import Cost
from bench.report import Row

Named = tuple[int, str]  # so many workflows, what was measured


@dataclass(frozen=True)
class Bar:
    """A figure of one row, over that of another; None compares with 1 (MB with the bar itself)."""

    title: str
    most: float
    of: Named
    to: Named | None = None
    figure: str = "processor"

    def measured(self, found: dict[Named, Cost]) -> float | None:
        """None where one of them was not measured."""
        if self.of not in found or (self.to is not None and self.to not in found):
            return None
        value = float(getattr(found[self.of], self.figure))
        return value if self.to is None else value / float(getattr(found[self.to], self.figure))


def table(bars: Sequence[Bar], rows: Sequence[Row]) -> str:
    """As Markdown; what was not measured is left out."""
    found = {(row.workflows, row.what): row.cost for row in rows}
    lines = ["| what | at most | measured | |", "|---|---:|---:|---|"]
    for bar in bars:
        value = bar.measured(found)
        if value is not None:
            lines.append(f"| {bar.title} | {bar.most:g} | {value:.2f} | {'' if value <= bar.most else 'missed'} |")
    return "\n".join(lines) + "\n"
