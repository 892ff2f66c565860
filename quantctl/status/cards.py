"""The page's cards: one an environment, one a way between two. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from quantctl.promotion.gates import Gate, Unknown
from quantctl.records.repository import Commit
from quantctl.status import looks
from quantctl.status.drawing import anchor
from quantctl.status.looks import Tone
from quantctl.status.model import Day, EdgeStatus, EnvironmentStatus, RunsOf, Status, Way, Workflow, ago
from quantctl.text.html import Child, Markup, element, join

_COMMITS, _WORKFLOWS = 5, 12  # shown at once; the rest unfolds
_ONE_ROW = 14  # days that stand side by side, however narrow the card


def mark(tone: Tone, sign: str | None = None) -> Markup:
    """The tone's mark; the words beside it say the same, so nobody has it read out."""
    return element("span", sign or tone.mark, class_=f"mark {tone}", aria_hidden="true")


def environment(one: EnvironmentStatus, status: Status) -> Markup:
    """What is deployed and what waits, what differs, who agreed, and the runs."""
    tone, words = looks.health(one)
    facts = [
        ("Branch head", _head(one, status.at)),
        ("Deployed", _deployed(one)),
        ("To deploy", _undeployed(one, status.at)),
        ("Drift", _drift(one)),
        ("Sign-offs", _sign_offs(one, status.at)),
        ("Last deployment", _last(one, status.at)),
    ]
    return element(
        "article",
        element("h3", one.name.value, element("span", one.stage, class_="sub")),
        element("p", mark(tone), words, class_=f"state {tone}"),
        element("dl", *(join(element("dt", title), element("dd", told)) for title, told in facts)),
        _runs(one, status),
        id=one.name.value,
        class_=f"card {tone}",
    )


def way(one: EdgeStatus, status: Status) -> Markup:
    """What would move, and every gate with its evidence."""
    tone, words = looks.way(one)
    gates = element("ul", *map(_gate, one.gates), class_="gates")
    if one.way is Way.NOTHING:
        gates = element("details", element("summary", "the gates as they stand"), gates)
    arrow = element("span", " → ", aria_label=" to ", role="img")
    state = words if one.way is Way.NOTHING else f"{words}, {looks.waiting(one)}"
    return element(
        "article",
        element("h3", one.edge.source.value, arrow, one.edge.target.value),
        element("p", mark(tone), state, class_=f"state {tone}"),
        _commits(one.commits, status.at) if not isinstance(one.commits, Unknown) and one.commits else None,
        gates,
        id=anchor(one),
        class_=f"card {tone}",
    )


def _head(one: EnvironmentStatus, now: datetime.datetime) -> Child:
    return _cannot() if isinstance(one.head, Unknown) else _commit(one.head, now)


def _deployed(one: EnvironmentStatus) -> Child:
    if isinstance(one.deployed, Unknown):
        return _cannot()
    if one.deployed is None:
        return join(mark(Tone.WAIT), "not deployed")
    if not isinstance(one.head, Unknown) and one.head.id == one.deployed.commit:
        return join(_linked(one.deployed.commit[:8], one.deployed.page, "code"), " the branch's head")
    commit = _linked(one.deployed.commit[:8] or "no commit", one.deployed.page, "code")
    return join(commit, " ", one.deployed.subject or "a commit of no branch")


def _linked(text: str, page: str, name: str, **attributes: str) -> Markup:
    """An element that leads to a page of the workspace, where there is one."""
    return element(name, element("a", text, href=page) if page else text, **attributes)


def _undeployed(one: EnvironmentStatus, now: datetime.datetime) -> Child:
    if one.deployed is None and not isinstance(one.head, Unknown):
        return join(mark(Tone.WAIT), "everything")
    if isinstance(one.undeployed, Unknown):
        return _cannot()
    return _commits(one.undeployed, now) if one.undeployed else element("span", "nothing", class_="quiet")


def _drift(one: EnvironmentStatus) -> Child:
    tone = looks.DRIFT[one.drift.verdict]
    found = [element("li", text) for text in one.drift.findings]
    told = join(mark(tone), element("span", one.drift.words, class_=f"words {tone}"))
    return join(told, element("ul", *found, class_="findings")) if found else told


def _sign_offs(one: EnvironmentStatus, now: datetime.datetime) -> Child:
    if isinstance(one.sign_offs, Unknown):
        return _cannot()
    if one.agreed:
        lines = [
            element("li", mark(Tone.GOOD), sign.by, ": ", element("q", sign.words.note), " ", _when(sign.at, now))
            for sign in one.agreed
        ]
        return element("ul", *lines)
    if one.sign_offs:
        newest = one.sign_offs[-1]
        return join("none of this commit; the newest is ", element("code", newest.commit[:8]), f" by {newest.by}")
    return element("span", "none", class_="quiet")


def _last(one: EnvironmentStatus, now: datetime.datetime) -> Child:
    if isinstance(one.last, Unknown):
        return _cannot()
    if one.last is None:
        return element("span", "not recorded", class_="quiet")
    came = f"{one.last.how} from {one.last.source}" if one.last.source else one.last.how
    told = (
        element("code", one.last.commit[:8]),
        f" by {looks.who(one.last.by)}, ",
        _when(int(one.last.at.timestamp()), now),
    )
    return join(*told, element("span", f" ({came})", class_="quiet"))


def _runs(one: EnvironmentStatus, status: Status) -> Markup:
    title = element("h4", f"Runs of {status.days} days" if status.days > 1 else "Runs of today")
    if isinstance(one.workflows, Unknown):
        return join(title, element("p", _cannot()))
    if not one.workflows:
        return join(title, element("p", "no workflows", class_="quiet"))
    rows = [_row(flow) for flow in sorted(one.workflows, key=lambda flow: (not flow.total.failed, flow.name))]
    return join(title, _unfolding(rows, _WORKFLOWS, "runs"))


def _row(flow: Workflow) -> Markup:
    total = flow.total
    numbers = [element("span", text, class_=tone.value) for tone, text in looks.short(total)]
    look = "days many" if len(flow.days) > _ONE_ROW else "days"
    spoken = "; ".join(f"{day.date:%d %B}: {_words(day)}" for day in flow.days)
    return element(
        "li",
        _linked(flow.name, flow.page, "span", class_="workflow"),
        element("span", *numbers, class_="numbers", role="img", aria_label=_words(total), title=_words(total)),
        element("span", *map(_day, flow.days), class_=look, role="img", aria_label=spoken),
    )


def _day(day: Day) -> Markup:
    kind = day.kind
    said = f"{day.date:%a %d %b}: {_words(day)}"
    look = f"day {looks.RUN[kind]}{'' if kind is RunsOf.NONE else ' ran'}"
    return element("span", looks.RUN_MARKS[kind], class_=look, title=said)


def _words(day: Day) -> str:
    return ", ".join(text for _, text in looks.counts(day))


def _gate(gate: Gate) -> Markup:
    tone = looks.GATE[gate.verdict]
    name = element("span", gate.name, class_="gate")
    verdict = element("span", gate.verdict.value, class_=f"words {tone}")
    return element("li", mark(tone), element("div", name, " ", verdict, element("p", gate.evidence)))


def _commits(commits: Sequence[Commit], now: datetime.datetime) -> Markup:
    items = [element("li", _commit(one, now)) for one in commits]
    return _unfolding(items, _COMMITS, "commits")


def _unfolding(items: Sequence[Markup], shown: int, look: str) -> Markup:
    """A list whose first items are seen at once."""
    more = element("ul", *items[shown:], class_=look)
    rest = element("details", element("summary", f"{len(items) - shown} more"), more) if len(items) > shown else None
    return join(element("ul", *items[:shown], class_=look), rest)


def _commit(one: Commit, now: datetime.datetime) -> Markup:
    by = element("span", f" {one.author}, ", _when(one.at, now), class_="quiet")
    return join(element("code", one.id[:8]), " ", one.subject, by)


def _when(at: int, now: datetime.datetime) -> Markup:
    then = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return element("time", ago(then, now), datetime=then.isoformat(), title=f"{then:%Y-%m-%d %H:%M} UTC")


def _cannot() -> Markup:
    return join(mark(Tone.UNKNOWN), element("span", "unknown", class_="words unknown"))
