"""The four environments as tables that fit 100 columns. Pure: values in, something that Rich prints out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.style import Style
from rich.table import Column, Table
from rich.text import Text

from quantctl.forge.model import Verdict
from quantctl.promotion.gates import Unknown
from quantctl.status import conclusions, looks
from quantctl.status.looks import Tone
from quantctl.status.model import EdgeStatus, EnvironmentStatus, Status, Way, Workflow, ago, number

_STYLES = {Tone.GOOD: "green", Tone.WAIT: "cyan", Tone.BAD: "bold red", Tone.UNKNOWN: "magenta", Tone.QUIET: "dim"}
_DAYS = 10  # the newest, a character each
_SHOWN = 8  # workflows in the table, those with failures first; JSON and HTML have all


def status_table(status: Status) -> RenderableType:
    """Everything that one look should tell, the details below it."""
    parts: list[RenderableType] = [_environments(status), *_omitted(status), _edges(status)]
    parts += _lines("needs attention", conclusions.attention(status), Tone.BAD)
    parts += _lines("next", [f"{step.command}  ({step.why})" for step in conclusions.steps(status)], Tone.WAIT)
    parts += [part for edge in status.edges for part in _stopped(edge)]
    parts += _lines(
        "unknown", [f"{looks.several(what)}: {why}" for why, what in conclusions.unread(status).items()], Tone.UNKNOWN
    )
    legend = "  ".join(f"{mark} {kind.value}" for kind, mark in looks.RUN_MARKS.items())
    parts.append(Text(f"\nRuns, a mark a day: {legend}\n{looks.drift_told(status)}", "dim"))
    parts.append(Text(f"As of {status.at:%Y-%m-%d %H:%M} UTC, by the clock of {status.clock}.", "dim"))
    return Group(*parts)


def _environments(status: Status) -> Table:
    table = _columns("", [one.name.value for one in status.environments])
    rows = {
        "stage": lambda one: Text(one.stage),
        "branch head": _head,
        "deployed": _deployed,
        "to deploy": _undeployed,
        "drift": _drift,
        "sign-offs": _sign_offs,
        "last deployed": lambda one: _last(one, status),
    }
    for title, cell in rows.items():
        table.add_row(Text(title, "dim"), *map(cell, status.environments))
    table.add_section()
    names, _ = _workflow_names(status)
    for name in names:
        table.add_row(Text(name), *(_runs(one, name) for one in status.environments))
    if not names:
        table.add_row(Text("runs", "dim"), *(_runs(one, "") for one in status.environments))
    return table


def _columns(title: str, names: Sequence[str]) -> Table:
    """A narrow column of titles, and one for each name, all equally wide."""
    columns = [Column(Text(name, "bold"), ratio=1, overflow="fold") for name in names]
    return Table(Column(title, no_wrap=True), *columns, expand=True)


def _edges(status: Status) -> Table:
    table = _columns("gates", [str(one.edge) for one in status.edges])
    table.add_row(Text("waiting", "dim"), *map(_waiting, status.edges))
    table.add_row(Text("promotion", "dim"), *(_toned(*looks.way(one)) for one in status.edges))
    for name in looks.gate_names(status):
        table.add_row(Text(name), *(_gate(one, name) for one in status.edges))
    return table


def _head(one: EnvironmentStatus) -> Text:
    if isinstance(one.head, Unknown):
        return _toned(*looks.UNKNOWN)
    return Text(f"{one.head.id[:8]} {_cut(one.head.subject, 40)}")


def _deployed(one: EnvironmentStatus) -> Text:
    if isinstance(one.deployed, Unknown):
        return _toned(*looks.UNKNOWN)
    if one.deployed is None:
        return _toned(Tone.WAIT, "not deployed")
    return _linked(Text(one.deployed.commit[:8] or "no commit"), one.deployed.page)


def _undeployed(one: EnvironmentStatus) -> Text:
    if one.deployed is None:
        return _toned(Tone.WAIT, "everything")
    if isinstance(one.undeployed, Unknown):
        return _toned(*looks.UNKNOWN)
    return _toned(Tone.WAIT, number(len(one.undeployed), "commit")) if one.undeployed else Text("nothing", "dim")


def _drift(one: EnvironmentStatus) -> Text:
    return _toned(looks.DRIFT[one.drift.verdict], one.drift.words)


def _sign_offs(one: EnvironmentStatus) -> Text:
    if isinstance(one.sign_offs, Unknown):
        return _toned(*looks.UNKNOWN)
    if one.agreed:
        return _toned(Tone.GOOD, ", ".join(sign.by for sign in one.agreed))
    return Text("of other commits" if one.sign_offs else "none", "dim")


def _last(one: EnvironmentStatus, status: Status) -> Text:
    if isinstance(one.last, Unknown):
        return _toned(*looks.UNKNOWN)
    if one.last is None:
        return Text("not recorded", "dim")
    return Text(f"{ago(one.last.at, status.at)} by {looks.who(one.last.by)} ({one.last.how})")


def _runs(one: EnvironmentStatus, name: str) -> Text:
    if isinstance(one.workflows, Unknown):
        return _toned(*looks.UNKNOWN)
    found = next((flow for flow in one.workflows if flow.name == name), None)
    if found is None:
        return Text("no workflows" if not name else "-", "dim")
    row = Text()
    for day in found.days[-_DAYS:]:
        row.append(looks.RUN_MARKS[day.kind], _STYLES[looks.RUN[day.kind]])
    total = found.total
    for tone, count in ((Tone.GOOD, total.succeeded), (Tone.BAD, total.failed), (Tone.WAIT, total.active)):
        if count or tone is Tone.GOOD:
            row.append(f" {count}" if tone is Tone.GOOD else f" {tone.mark}{count}", _STYLES[tone])
    return _linked(row, found.page)


def _linked(text: Text, page: str) -> Text:
    """With a link to a page of the workspace, where the terminal knows links."""
    if page:
        text.stylize(Style(link=page))
    return text


def _workflow_names(status: Status) -> tuple[list[str], int]:
    """The workflows that are shown, and how many are not: failures first, then what is active."""
    flows: dict[str, list[Workflow]] = {}
    for one in status.environments:
        for flow in one.workflows if isinstance(one.workflows, Sequence) else ():
            flows.setdefault(flow.name, []).append(flow)
    order = sorted(flows, key=lambda name: (not any(f.total.failed for f in flows[name]), name))
    return sorted(order[:_SHOWN]), max(len(order) - _SHOWN, 0)


def _omitted(status: Status) -> Iterator[Text]:
    _, left = _workflow_names(status)
    if left:
        yield Text(f"and {number(left, 'workflow')} more, none with failed runs unless shown: --format json or html", "dim")


def _waiting(one: EdgeStatus) -> Text:
    return _toned(*looks.UNKNOWN) if isinstance(one.commits, Unknown) else Text(looks.waiting(one))


def _gate(one: EdgeStatus, name: str) -> Text:
    gate = next((gate for gate in one.gates if gate.name == name), None)
    if gate is None:
        return Text("not asked", "dim")
    text = _toned(looks.GATE[gate.verdict], gate.verdict.value)
    return Text(text.plain, "dim") if one.way is Way.NOTHING else text


def _stopped(one: EdgeStatus) -> list[RenderableType]:
    """The evidence of the gates that say no; what is unknown is told once, with its reason."""
    closed = [gate for gate in one.stopped if gate.verdict is Verdict.NO]
    if not closed:
        return []
    grid = Table.grid(padding=(0, 1))
    for gate in closed:
        grid.add_row(Text(Tone.BAD.mark, _STYLES[Tone.BAD]), Text(gate.name), Text(gate.evidence, overflow="fold"))
    return [Text(f"\n{one.edge} is stopped by", "bold"), grid]


def _lines(title: str, lines: Sequence[str], tone: Tone) -> list[RenderableType]:
    if not lines:
        return []
    grid = Table.grid(padding=(0, 1))
    for line in lines:
        grid.add_row(Text(tone.mark, _STYLES[tone]), Text(line, overflow="fold"))
    return [Text(f"\n{title}", "bold"), grid]


def _toned(tone: Tone, words: str) -> Text:
    return Text(f"{tone.mark} {words}", _STYLES[tone])


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
