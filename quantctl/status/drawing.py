"""The four environments drawn as the pipeline that they are: SVG, wide for a screen and tall for a phone. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from infra.promotion import Edge
from infra.vocabulary import Environment
from quantctl.promotion.gates import Unknown
from quantctl.status import looks
from quantctl.status.looks import Tone
from quantctl.status.model import Deployed, EdgeStatus, EnvironmentStatus, Status
from quantctl.text.html import Markup, element, join

_DEV, _STAGING, _LIMITED, _LIVE = Environment


@dataclass(frozen=True)
class _Box:
    """Where an environment stands, in units of the drawing."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class _Line:
    """Where a way runs (an SVG path that ends at the arrow's tip), and the middle of its label."""

    path: str
    tip: tuple[float, float, int]
    label: tuple[float, float]


@dataclass(frozen=True)
class _Plan:
    name: str
    width: int
    height: int
    boxes: dict[Environment, _Box]
    lines: dict[Edge, _Line]


_WIDE = _Plan(
    "wide",
    1120,
    302,
    {
        _DEV: _Box(1, 2, 206, 128),
        _STAGING: _Box(367, 2, 206, 128),
        _LIMITED: _Box(645, 172, 206, 128),
        _LIVE: _Box(913, 2, 206, 128),
    },
    {
        Edge(_DEV, _STAGING): _Line("M207 66 H359", (367, 66, 0), (287, 66)),
        Edge(_STAGING, _LIVE): _Line("M573 66 H905", (913, 66, 0), (743, 66)),
        Edge(_STAGING, _LIMITED): _Line("M470 130 V216 Q470 236 490 236 H637", (645, 236, 0), (562, 236)),
        Edge(_LIMITED, _LIVE): _Line("M851 236 H996 Q1016 236 1016 216 V138", (1016, 130, 270), (928, 236)),
    },
)
_TALL = _Plan(
    "tall",
    340,
    820,
    {
        _DEV: _Box(1, 1, 338, 128),
        _STAGING: _Box(1, 213, 338, 128),
        _LIMITED: _Box(126, 425, 213, 128),
        _LIVE: _Box(1, 691, 338, 128),
    },
    {
        Edge(_DEV, _STAGING): _Line("M170 129 V205", (170, 213, 90), (170, 167)),
        Edge(_STAGING, _LIVE): _Line("M62 341 V683", (62, 691, 90), (62, 512)),
        Edge(_STAGING, _LIMITED): _Line("M232 341 V417", (232, 425, 90), (232, 379)),
        Edge(_LIMITED, _LIVE): _Line("M232 553 V683", (232, 691, 90), (232, 618)),
    },
)


def drawing(status: Status) -> Markup:
    """Both plans; the style sheet shows the one that fits."""
    return join(_draw(status, _WIDE), _draw(status, _TALL))


def _draw(status: Status, plan: _Plan) -> Markup:
    lines = [_way(one, plan.lines[one.edge]) for one in status.edges]
    boxes = [_environment(one, plan.boxes[one.name]) for one in status.environments]
    return element(
        "svg",
        *lines,
        *boxes,
        class_=f"pipeline {plan.name}",
        viewBox=f"0 0 {plan.width} {plan.height}",
        role="group",
        aria_label="The way of a change: quant, quant_stg, then quant_live directly or through the limited release quant_lr",
    )


def _environment(one: EnvironmentStatus, box: _Box) -> Markup:
    tone, words = looks.health(one)
    where = f"at {one.deployed.commit[:8]}" if isinstance(one.deployed, Deployed) else "nowhere"
    if isinstance(one.deployed, Unknown):
        where = "where is unknown"
    x, y = box.x + 16, box.y
    runs = [join(element("tspan", text, class_=tone), "\u2002") for tone, text in _runs(one)]
    shapes = [
        element("rect", x=box.x, y=box.y, width=box.width, height=box.height, rx=10, class_="box"),
        element("rect", x=box.x, y=box.y + 10, width=5, height=box.height - 20, rx=2.5, class_=f"edge-of {tone}"),
        element("text", one.name.value, x=x, y=y + 29, class_="name"),
        element("text", one.stage, x=x, y=y + 48, class_="small"),
        element("text", f"{tone.mark} {words}", x=x, y=y + 76, class_=f"state {tone}"),
        element("text", where, x=x, y=y + 96, class_="commit"),
        element("text", *runs, x=x, y=y + 115, class_="small"),
    ]
    return element("a", *shapes, href=f"#{one.name}", aria_label=_spoken(one, words, where))


def _runs(one: EnvironmentStatus) -> list[tuple[Tone, str]]:
    if isinstance(one.workflows, Unknown):
        return [(Tone.UNKNOWN, "runs: unknown")]
    found = looks.total(one.workflows)
    return looks.short(found) if found else [(Tone.QUIET, "no workflows")]


def _spoken(one: EnvironmentStatus, words: str, where: str) -> str:
    found = None if isinstance(one.workflows, Unknown) else looks.total(one.workflows)
    runs = ", ".join(text for _, text in looks.counts(found)) if found else _runs(one)[0][1]
    return f"{one.name}, {one.stage}: {words}, {where}; {runs}"


def _way(one: EdgeStatus, line: _Line) -> Markup:
    tone, words = looks.way(one)
    x, y, turn = line.tip
    label_x, label_y = line.label
    quiet = tone is Tone.QUIET
    shapes = [
        element("path", d=line.path, class_=f"way {tone}"),
        element("path", d="M-10 -6 L0 0 L-10 6 Z", transform=f"translate({x} {y}) rotate({turn})", class_=f"tip {tone}"),
        element("rect", x=label_x - 61, y=label_y - 22, width=122, height=44, rx=8, class_="label"),
        element("text", looks.waiting(one), x=label_x, y=label_y + (5 if quiet else -3), class_="on-way"),
    ]
    if not quiet:
        shapes.append(element("text", f"{tone.mark} {words}", x=label_x, y=label_y + 15, class_=f"on-way {tone}"))
    spoken = f"{one.edge.source} to {one.edge.target}: {looks.waiting(one)}" + ("" if quiet else f", {words}")
    return element("a", *shapes, href=f"#{anchor(one)}", aria_label=spoken)


def anchor(one: EdgeStatus) -> str:
    """The id of an edge's part of the page."""
    return f"{one.edge.source}-to-{one.edge.target}"
