"""The page: one self-contained file without scripts, which asks nobody for anything. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from quantctl.status import cards, conclusions, looks
from quantctl.status.cards import mark
from quantctl.status.drawing import drawing
from quantctl.status.looks import Tone
from quantctl.status.model import Status
from quantctl.text.document import document
from quantctl.text.html import Markup, element, join

STYLE = Path(__file__).with_name("page.css")


def page(status: Status) -> str:
    """The whole document."""
    body = element("body", _header(status), element("main", *_main(status)), _footer(status))
    return document(f"quant: {looks.summary(status)[0][1]}", STYLE.read_text(), body)


def _header(status: Status) -> Markup:
    chips = [element("li", mark(tone), text, class_=f"chip {tone}") for tone, text in looks.summary(status)]
    when = element("time", f"{status.at:%Y-%m-%d %H:%M} UTC", datetime=status.at.isoformat())
    return element(
        "header",
        element("h1", "quant", element("span", " the way to production", class_="sub")),
        element("ul", *chips, class_="chips", aria_label="Summary"),
        element("p", "As of ", when, f", by the clock of {status.clock}", class_="quiet"),
    )


def _main(status: Status) -> Iterable[Markup]:
    yield element("section", element("h2", "Pipeline", class_="hidden"), drawing(status), class_="drawing")
    yield from _notes("Needs attention", Tone.BAD, conclusions.attention(status))
    yield from _notes("Unknown", Tone.UNKNOWN, looks.told(conclusions.unread(status)))
    steps = [
        join(element("code", step.command), " ", element("span", step.why, class_="quiet"))
        for step in conclusions.steps(status)
    ]
    yield from _notes("Next", Tone.WAIT, steps)
    yield element(
        "section",
        element("h2", "Environments"),
        element("div", *(cards.environment(one, status) for one in status.environments), class_="cards four"),
    )
    yield element(
        "section",
        element("h2", "Promotions and their gates"),
        element("div", *(cards.way(one, status) for one in status.edges), class_="cards two"),
    )


def _notes(title: str, tone: Tone, lines: Sequence[str]) -> Iterable[Markup]:
    if lines:
        items = [element("li", mark(tone), element("span", line)) for line in lines]
        yield element("section", element("h2", title), element("ul", *items), class_=f"notes {tone}")


def _footer(status: Status) -> Markup:
    marks = [element("li", mark(looks.RUN[kind], looks.RUN_MARKS[kind]), f" {kind.value}") for kind in looks.RUN_MARKS]
    return element(
        "footer",
        element("ul", element("li", "Runs, a mark a day (UTC):"), *marks, class_="legend"),
        element("p", looks.drift_told(status)),
        element("p", f"Read from {status.remote} and {status.host}, by quantctl status --format html."),
    )
