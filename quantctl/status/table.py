"""The four environments as tables that fit 100 columns. Pure: values in, something that Rich prints out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from quantctl.promotion.gates import Unknown, Verdict
from quantctl.status.model import DriftVerdict, EdgeStatus, EnvironmentStatus, RunsOf, Status, Way, Workflow, ago, number

MARKS = {RunsOf.SUCCEEDED: "✓", RunsOf.FAILED: "✗", RunsOf.ACTIVE: "▸", RunsOf.OTHER: "○", RunsOf.NONE: "·"}
_RUN_STYLES = {RunsOf.SUCCEEDED: "green", RunsOf.FAILED: "bold red", RunsOf.ACTIVE: "cyan", RunsOf.OTHER: "", RunsOf.NONE: "dim"}
_DRIFT = {
    DriftVerdict.CLEAN: ("✓", "green"),
    DriftVerdict.WAITING: ("▸", "cyan"),
    DriftVerdict.DRIFT: ("✗", "bold red"),
    DriftVerdict.UNKNOWN: ("?", "magenta"),
}
_WAYS = {
    Way.NOTHING: ("·", "dim"),
    Way.OPEN: ("✓", "green"),
    Way.CLOSED: ("✗", "bold red"),
    Way.CANNOT_TELL: ("?", "magenta"),
}
_GATES = {Verdict.YES: ("✓", "green"), Verdict.NO: ("✗", "bold red"), Verdict.CANNOT_TELL: ("?", "magenta")}
_SHOWN = 8  # workflows in the table, those with failures first; JSON and HTML have all
_CANNOT = ("? cannot tell", "magenta")


def status_table(status: Status) -> RenderableType:
    """Everything that one look should tell, the details below it."""
    parts: list[RenderableType] = [_environments(status), *_omitted(status), _edges(status)]
    parts += _lines("needs attention", status.attention, "bold red", "✗")
    parts += _lines("ready", status.ready, "green", "✓")
    stopped = [(edge, gate) for edge in status.edges for gate in edge.stopped]
    told = [f"{e.edge}, {gate.name}: {gate.evidence}" for e, gate in stopped if gate.verdict is Verdict.NO]
    parts += _lines("what stops a promotion", told, "", "✗")
    unread = [f"{', '.join(what[:3])}{f' and {len(what) - 3} more' if len(what) > 3 else ''}: {why}" for why, what in status.unread.items()]
    parts += _lines("cannot tell", unread, "magenta", "?")
    full = all(one.drift.full for one in status.environments)
    drift = "" if full else " Drift: the Git folder's signs alone; --drift asks the engine too."
    legend = "  ".join(f"{mark} {kind.value}" for kind, mark in MARKS.items())
    parts.append(Text(f"\nRuns, a mark a day: {legend}.{drift}\nAs of {status.at:%Y-%m-%d %H:%M} UTC, the clock of {status.clock}.", "dim"))
    return Group(*parts)


def _environments(status: Status) -> Table:
    table = Table("", *(Text(one.name.value, "bold") for one in status.environments), expand=True, padding=(0, 1))
    for column in table.columns[1:]:
        column.ratio, column.overflow = 1, "fold"
    rows = {
        "stage": lambda one: Text(one.stage),
        "branch head": _head,
        "deployed": lambda one: _deployed(one),
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


def _edges(status: Status) -> Table:
    table = Table(Text("gates"), *(Text(str(one.edge), "bold") for one in status.edges), expand=True, padding=(0, 1))
    for column in table.columns[1:]:
        column.ratio = 1
    table.add_row(Text("waiting", "dim"), *map(_waiting, status.edges))
    table.add_row(Text("promotion", "dim"), *(_marked(*_WAYS[one.way], one.way.value) for one in status.edges))
    for name in dict.fromkeys(gate.name for one in status.edges for gate in one.gates):
        table.add_row(Text(name), *(_gate(one, name) for one in status.edges))
    return table


def _head(one: EnvironmentStatus) -> Text:
    if isinstance(one.head, Unknown):
        return Text(*_CANNOT)
    return Text(f"{one.head.id[:8]} {_cut(one.head.subject, 40)}")


def _deployed(one: EnvironmentStatus) -> Text:
    if isinstance(one.deployed, Unknown):
        return Text(*_CANNOT)
    return Text("not deployed", "cyan") if one.deployed is None else Text(one.deployed.commit[:8] or "no commit")


def _undeployed(one: EnvironmentStatus) -> Text:
    if one.deployed is None:
        return Text("all of it", "cyan")
    if isinstance(one.undeployed, Unknown):
        return Text(*_CANNOT)
    return Text(f"▸ {number(len(one.undeployed), 'commit')}", "cyan") if one.undeployed else Text("nothing", "dim")


def _drift(one: EnvironmentStatus) -> Text:
    mark, style = _DRIFT[one.drift.verdict]
    return _marked(mark, style, one.drift.words)


def _sign_offs(one: EnvironmentStatus) -> Text:
    if isinstance(one.sign_offs, Unknown):
        return Text(*_CANNOT)
    if one.agreed:
        return _marked("✓", "green", ", ".join(sign.by for sign in one.agreed))
    return Text("of other commits" if one.sign_offs else "none", "dim")


def _last(one: EnvironmentStatus, status: Status) -> Text:
    if isinstance(one.last, Unknown):
        return Text(*_CANNOT)
    if one.last is None:
        return Text("not recorded", "dim")
    return Text(f"{ago(one.last.at, status.at)}, {one.last.how} by {one.last.by}")


def _runs(one: EnvironmentStatus, name: str) -> Text:
    if isinstance(one.workflows, Unknown):
        return Text(*_CANNOT)
    found = next((flow for flow in one.workflows if flow.name == name), None)
    if found is None:
        return Text("no workflows" if not name else "-", "dim")
    row = Text()
    for day in found.days[-10:]:
        row.append(MARKS[day.kind], _RUN_STYLES[day.kind])
    total = found.total
    row.append(f" {total.succeeded}", "" if total.succeeded else "dim")
    if total.failed:
        row.append(f" ✗{total.failed}", "bold red")
    if total.active:
        row.append(f" ▸{total.active}", "cyan")
    return row


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
    if isinstance(one.commits, Unknown):
        return Text(*_CANNOT)
    return Text(number(len(one.commits), "commit")) if one.commits else Text("nothing", "dim")


def _gate(one: EdgeStatus, name: str) -> Text:
    gate = next((gate for gate in one.gates if gate.name == name), None)
    if gate is None:
        return Text("not asked", "dim")
    mark, style = _GATES[gate.verdict]
    return _marked(mark, "dim" if one.way is Way.NOTHING else style, gate.verdict.value)


def _lines(title: str, lines: Sequence[str], style: str, mark: str) -> list[RenderableType]:
    if not lines:
        return []
    grid = Table.grid(padding=(0, 1))
    for line in lines:
        grid.add_row(Text(mark, style), Text(line, overflow="fold"))
    return [Text(f"\n{title}", "bold"), grid]


def _marked(mark: str, style: str, words: str) -> Text:
    return Text(f"{mark} {words}", style)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
