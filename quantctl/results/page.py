"""The report as one HTML page: what was not expected first, then a card a table. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path

from quantctl.results import words
from quantctl.results.plots import by_day
from quantctl.results.report import SHORT, ColumnTold, CommitTold, FindingTold, NightTold, Report, TableTold
from quantctl.results.signed import Signed
from quantctl.status.cards import mark
from quantctl.status.looks import Tone
from quantctl.status.page import STYLE
from quantctl.text.document import document
from quantctl.text.html import Child, Markup, element, join
from quantctl.text.plain import counted

_OWN = Path(__file__).with_name("page.css")
TONES = {words.BAD: Tone.BAD, words.UNKNOWN: Tone.UNKNOWN, words.MAY: Tone.WAIT, words.SAME: Tone.GOOD}
_ORDER = (words.BAD, words.UNKNOWN, words.MAY, words.SAME)


def page(report: Report, signed: Signed | None = None) -> str:
    """The whole document."""
    body = element("body", _header(report), element("main", *_main(report, signed)), _footer(report))
    return document(f"Results of {report.environment}: {report.verdict}", STYLE.read_text() + _OWN.read_text(), body)


def _header(report: Report) -> Markup:
    states = [words.state(one, report) for one in report.tables]
    chips = [
        element("li", mark(TONES[state]), f"{counted(states.count(state), 'table')} {state}", class_=f"chip {TONES[state]}")
        for state in _ORDER
        if state in states
    ]
    return element(
        "header",
        element("h1", f"Results of {report.environment}", element("span", words.headline(report), class_="sub")),
        element("ul", *chips, class_="chips", aria_label="Summary"),
        element("p", "Report ", element("code", report.digest[:SHORT]), f": {report.verdict}.", class_="quiet"),
    )


def _main(report: Report, signed: Signed | None) -> Iterable[Markup]:
    yield from _findings("Not expected", Tone.BAD, report.unexpected, signed)
    yield from _findings("Unknown", Tone.UNKNOWN, report.unknown, signed)
    ordered = sorted(report.tables, key=lambda one: _ORDER.index(words.state(one, report)))
    cards = element("div", *(_card(one, report) for one in ordered), class_="cards wide-cards")
    yield element("section", element("h2", "Tables"), cards)
    if report.changes:
        rows = [
            element("li", element("code", one.of), f" {one.expected}: {one.why} ", element("span", one.file, class_="quiet"))
            for one in report.changes
        ]
        yield element("section", element("h2", "Declared changes"), element("ul", *rows, class_="panel told"))
    yield element("section", element("h2", "Runs of these days"), _runs(report))
    yield element("section", element("h2", "Exceptions and signatures"), _signatures(report, signed))


def _findings(title: str, tone: Tone, found: Sequence[FindingTold], signed: Signed | None) -> Iterable[Markup]:
    if not found:
        return
    accepted = signed.accepted if signed else {}
    items = []
    for one in found:
        because = accepted.get(one.id)
        taken = element("p", f"Accepted by {because[0]}: {because[1]}") if because else None
        told = element("div", element("span", one.id, class_="id"), element("p", words.finding_told(one)), taken)
        items.append(element("li", mark(Tone.WAIT if because else tone), told))
    yield element("section", element("h2", title), element("ul", *items, class_="findings-list"), class_=f"notes {tone}")


def _card(one: TableTold, report: Report) -> Markup:
    state = words.state(one, report)
    tone = TONES[state]
    return element(
        "article",
        element("h3", one.table, element("span", one.workflow or "no workflow named", class_="sub")),
        element("p", mark(tone), state, class_=f"state {tone}"),
        element(
            "dl", *(join(element("dt", title), element("dd", told)) for title, told in _facts(one, report)), class_="facts"
        ),
        by_day(one, report),
        _columns(one) if one.columns else None,
        element("ul", *(element("li", text) for text in one.told), class_="told") if one.told else None,
        _folded("Why the code counts as " + one.expected, [*one.reasons, *map(_commit, one.commits)])
        if one.reasons
        else None,
        _folded(f"Checks: {words.checks_told(one)}", [_check(name, one) for name in one.checks]) if one.checks else None,
        *(_sql(text) for text in one.statements),
        id=one.table,
        class_=f"card {tone}",
    )


def _facts(one: TableTold, report: Report) -> Iterable[tuple[str, Child]]:
    yield (
        "Code",
        {"same": "the same on both sides", "changed": "changed", "unknown": "unknown, taken as changed"}[one.expected],
    )
    if not one.numbers:
        yield "Numbers", "none: rows cannot be paired"
        return
    yield "Rows", f"{one.rows[0]:,} and {one.rows[1]:,}"
    if one.alone:
        yield "Compared with", f"nothing: {report.against} does not have it yet"
        return
    if told := words.beside(one, report):
        yield "Compared with", told
    yield "Keys on one side", f"{one.only[0]:,} in {report.environment}, {one.only[1]:,} in {report.against}"
    share = f" ({one.differing / one.compared:.1%})" if one.compared else ""
    yield "Keys that differ", f"{one.differing:,} of {one.compared:,} compared{share if one.differing else ''}"
    if one.share > 1:
        yield "Values", f"of one key in {one.share}, by MD5 of the key; keys are compared all"
    for column, values in one.slices.items():
        yield "Limited to", f"{column}: {', '.join(values)}, on both sides"
    for name, (here, there) in one.schema_differs.items():
        yield "Schema", f"{name}: {here or 'not there'} and {there or 'not there'}"


def _columns(one: TableTold) -> Markup:
    titles = ("column", "differ", "median", "p99", "largest", "tolerance", "noise")
    rows = [element("tr", *(element("th", title, scope="col") for title in titles))]
    for name, it in one.columns.items():  # on a phone each cell stands below its own title
        told = zip(titles, _column(name, it), strict=True)
        rows.append(element("tr", *(element("td", text, data_title=title) for title, text in told)))
    return element("div", element("table", *rows), class_="scroll", tabindex="0", role="region", aria_label="Columns")


def _column(name: str, it: ColumnTold) -> Sequence[str]:
    sizes = [""] * 3
    if it.relative is not None:
        sizes = [words.percent(text) for text in (it.relative.median, it.relative.p99, it.relative.largest)]
    elif it.confidential:
        sizes[0] = "confidential"
    elif it.differing:
        sizes[0] = "too few to tell"
    absolute, relative = (text if float(text) else "" for text in it.tolerance)
    tolerance = " or ".join(filter(None, (f"{relative} rel." if relative else "", f"{absolute} abs." if absolute else "")))
    return [name, f"{it.differing:,}", *sizes, tolerance or "exact", words.percent(it.noise) if it.noise else ""]


def _commit(one: CommitTold) -> Markup:
    return join(element("code", one.id[:8]), f" {one.subject}, by {one.author}")


def _check(name: str, one: TableTold) -> Markup:
    it = one.checks[name]
    tone = {True: Tone.GOOD, False: Tone.BAD, None: Tone.UNKNOWN}[it.holds]
    found = f", found {it.found}" if it.found is not None else ""
    return join(mark(tone), f"{name}: {it.text}{found}")


def _folded(title: str, lines: Sequence[Child]) -> Markup:
    return element(
        "details", element("summary", title), element("ul", *(element("li", line) for line in lines), class_="told")
    )


def _sql(text: str) -> Markup:
    return element("details", element("summary", "The statement"), element("pre", text), class_="sql")


def _runs(report: Report) -> Markup:
    rows = []
    for workflow, those in report.runs.items():
        if isinstance(those, str):
            rows.append(element("li", element("span", workflow, class_="workflow"), element("span", those, class_="pair")))
            continue
        for number, env in enumerate((report.environment, report.against)):
            nights = [(day, both[number]) for day, both in sorted(those.items())]
            name = element("span", workflow, " ", element("span", env, class_="pair"), class_="workflow")
            marks = element("span", *(_night(day, it) for day, it in nights), class_="days nights")
            rows.append(element("li", name, marks))
    return element("ul", *rows, class_="runs panel")


def _night(day: datetime.date, it: NightTold) -> Markup:
    tone = Tone.QUIET if it.run is None else Tone.GOOD if it.result == "SUCCESS" else Tone.BAD
    ran = f"run {it.run}, {it.result or 'not ended'}, of {it.commit or 'an unknown commit'}" if it.run else "no run"
    return element("span", tone.mark, class_=f"day {tone}{' ran' if it.run else ''}", title=f"{day:%a %d %b}: {ran}")


def _signatures(report: Report, signed: Signed | None) -> Markup:
    if signed is None or not signed.given:
        ask = element(
            "code", f"quantctl signoff {report.environment} --report {report.digest[:SHORT]} --by NAME --note TEXT"
        )
        return element("p", "Nobody has signed this report yet: ", ask, class_="panel")
    items = []
    for one in signed.given:
        role = f" for {one.words.stakeholder}" if one.words.stakeholder else ""
        items.append(element("li", mark(Tone.GOOD), f"{one.by}{role}: ", element("q", one.words.note), f" ({one.where})"))
    for id, (by, because) in signed.accepted.items():
        items.append(element("li", mark(Tone.WAIT), element("code", id), f" accepted by {by}: {because}"))
    return element("ul", *items, class_="signed panel")


def _footer(report: Report) -> Markup:
    return element(
        "footer",
        element("p", "Bars are rows a day; what is filled differs or stands on one side alone."),
        element("p", f"Counts and sizes alone: no row leaves the account. Made by quantctl results {report.environment}."),
    )
