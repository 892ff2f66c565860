"""Whatever others wrote, wherever it is shown: one list of hostile texts, every output there is."""

from __future__ import annotations

import ast
import contextlib
import datetime
import html.parser
import io
import json
import re
import sys
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree

import pytest
import typer
import yaml

import quantctl.main
from infra.promotion import EDGES
from infra.vocabulary import Environment
from infra.workflows import Note, Problem
from infra.workflows.problems import Mark
from quantctl import where
from quantctl.check import told as check_told
from quantctl.check.judge import Verdict as Verdict_
from quantctl.doctor.model import fine
from quantctl.doctor.screen import show as show_doctor
from quantctl.drift import issue
from quantctl.drift.finding import By, Class, EnvironmentDrift, Finding, Fix, report
from quantctl.drift.formats import as_json, as_junit, as_markdown
from quantctl.drift.screen import show_table as show_drift
from quantctl.engine.lock import backend
from quantctl.engine.lock import command as lock_command
from quantctl.engine.lock.locks import Lock
from quantctl.errors import UserError
from quantctl.forge.model import Verdict
from quantctl.options import Format
from quantctl.preview.access import AccessChange, Direction
from quantctl.preview.events import Violation
from quantctl.preview.fields import Field
from quantctl.preview.formats import as_json as preview_json
from quantctl.preview.formats import widget as preview_widget
from quantctl.preview.note import note, section
from quantctl.preview.story import Change, Commits, Story
from quantctl.promotion.changes import Workflows
from quantctl.promotion.gates import Gate, Line, Unknown
from quantctl.promotion.move import Step, Way, request
from quantctl.promotion.promote import Outcome, Report
from quantctl.promotion.read import step_of
from quantctl.promotion.screen import Screen, history_table
from quantctl.records.deployments import Record
from quantctl.results.as_before import AsBefore
from quantctl.results.command import Format as ResultsFormat
from quantctl.results.cumulative import since
from quantctl.results.declared import Declared
from quantctl.results.release_note import Release
from quantctl.results.release_note import note as release_note
from quantctl.results.rows import Rows
from quantctl.results.rows import shown as rows_shown
from quantctl.results.run import written as results_written
from quantctl.status.command import Format as StatusFormat
from quantctl.status.model import Deployed, Drift, DriftVerdict, EdgeStatus, Status
from quantctl.status.show import written
from quantctl.status.table import status_table
from quantctl.text import streams
from quantctl.text.terminal import Console
from tests.paths import ROOT
from tests.results_samples import said_by, signed_by
from tests.status_samples import DEV, NOW, commit, flow, sign_off, team_status
from tests.test_text import HOSTILE

EDGE = next(iter(EDGES))
ID = "3f2a9c1b".ljust(40, "0")
# The last: markup of rich, and a quick action behind spaces.
TEXTS = [
    *HOSTILE,
    "[red]yes[/red] [link=https://evil.example]x[/link]",
    "  /approve",
    "@\u200ball \x1b[8mhidden\x1b[0m",
    "\U000e0041",
]


def status(text: str) -> Status:
    """The team's status, with `text` for everything that somebody may write."""
    made = team_status()
    named = [commit("aa11bb22", text, text)]
    signed = [replace(sign_off(DEV, ID, text), by=text, recorded_by=text, where=text)]
    recorded: Any = made.environments[0].last
    first = replace(
        made.environments[0],
        head=named[0],
        undeployed=named,
        workflows=[flow(text, "sfa")],
        drift=Drift(DriftVerdict.DRIFT, [text]),
        sign_offs=signed,
        last=replace(recorded, by=text, source=text, how=text),
        deployed=Deployed(ID, text, text),
    )
    second = replace(made.environments[1], sign_offs=Unknown(text), workflows=Unknown(text), head=Unknown(text))
    edge = EdgeStatus(made.edges[0].edge, named, [Gate("soak", Verdict.NO, text)])
    edges = [edge, *made.edges[1:]]
    return replace(made, environments=[first, second, *made.environments[2:]], edges=edges, remote=text, host=text)


def drift(text: str) -> list[EnvironmentDrift]:
    """One finding made of `text`, and a note."""
    found = Finding("quant", Class.DRIFT, f"job {text}", text, text, text, Fix(f"delete {text}", By.HAND))
    return [report("quant", [found], [f"{text} was not compared: {text}"])]


def story(text: str) -> Story:
    """A preview in which every part says `text`."""
    change = Change("changed", "workflow", text, (Field(text, text, text),), (text,))
    access = AccessChange(text, "jobs", (text,), text, text, Direction.WIDENED)
    return Story(
        "quant",
        what_if=text,
        commits=Commits(ID, ID[::-1], ((ID[:8], text),), (text,)),
        workflows=(change,),
        access=(access,),
        schema=(change,),
        others=(change,),
        losses=(text,),
        violations=(Violation(text, text, text, True),),
        warnings=(text,),
        errors=(text,),
        failed=True,
        raw=(text,),
    )


def promotion(text: str) -> Report:
    """What a promotion shows, stopped by a gate whose evidence names an author."""
    made = Report(EDGE, ID, ID[::-1], Outcome.STOPPED)
    made.gates = [Gate("approvals", Verdict.NO, f"0 of 1: written by {text}")]
    made.commits = [commit("aa11bb22", text, text)]
    made.workflows = Workflows([text], [text], {text: [text]})
    made.interrupted = made.request = text
    return made


def deployment(text: str) -> Record:
    """A record that says `text` wherever a person may write."""
    at = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)
    return Record("deployment", "quant", at, ID, ID, text, text, text, signer=text, gates=[{"name": text, "evidence": text}])


def verdict(text: str) -> Verdict_:
    """A repository of which a file, a key, a mistake and a note say `text`."""
    mark = Mark(f"workflows/{text}", 3)
    everywhere = list(Environment)
    return Verdict_({Problem(mark, text, text): everywhere[:1]}, {Note(mark, text): everywhere}, 1)


def job(text: str) -> dict[str, Any]:
    """What `quantctl show` prints of a job."""
    return {"name": f"quant {text}", "description": text, "tags": {text: text}}


def show_locks(text: str, format: Format) -> None:
    """A lock whose owner somebody made up."""
    held = Lock("quant", text, text, text, 2**31, NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "locks", lambda env, environ: [held] if env == "quant" else [])
        patch.setattr(where, "enter", dict)
        lock_command.show(None, format)


def results(text: str, format: ResultsFormat) -> str:
    """A report of results in which everything says `text`, signed with it."""
    made = said_by(text)
    return results_written(made, signed_by(text, made), format)


def released(text: str, cumulatively: bool = False) -> str:
    """The release note of the same, or of what has come together since."""
    made = said_by(text)
    changes = [Declared(text, text, text, text), Declared(text, text, text, "")]
    record = replace(deployment(text), environment="quant_live")
    release = Release(record, [commit("aa11bb22", text, text)], changes, made, signed_by(text, made))
    return since(record, [release, replace(release, report=None)]) if cumulatively else release_note(release)


def failing(text: str) -> None:
    """A command that ends with an error of somebody's words."""

    def run() -> None:
        raise UserError(f"GitLab answered: {text}", found=text, do_next=text)

    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(SystemExit):
        patch.setattr(quantctl.main, "_run", run)
        quantctl.main.main()


def crashing(text: str) -> None:
    """A fault of our own with somebody's words in it."""

    def run() -> None:
        raise RuntimeError(text)

    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(SystemExit):
        patch.setattr(quantctl.main, "_run", run)
        quantctl.main.main()


TERMINAL: dict[str, Callable[[str], Any]] = {
    "an error": failing,
    "a fault": crashing,
    "progress": lambda text: print(f"quant: {text}", file=sys.stderr),
    "status": lambda text: Console(width=200).print(status_table(status(text))),
    "drift": lambda text: show_drift(drift(text), Console()),
    "doctor": lambda text: show_doctor([fine(text, text, text)]),
    "promote": lambda text: Screen(Format.table, yes=True).show(promotion(text), text),
    "promote with its preview": lambda text: Console().print(section(story(text)), soft_wrap=True),
    "history": lambda text: Console(width=200).print(history_table([deployment(text)])),
    "results": lambda text: print(results(text, ResultsFormat.table)),
    "results as before": lambda text: print(AsBefore(said_by(text), {text: text}), file=sys.stderr),
    "rows": lambda text: Console(width=400).print(rows_shown(Rows([text], [text], [(None, text, text, 1)], {}), ("a", "b"))),
    "a spinner": lambda text: Console(stderr=True).status(text).start(),
    "a line": lambda text: typer.echo(f"quant: {text}"),
    "check": lambda text: typer.echo(check_told.text(verdict(text))),
    "check for GitHub": lambda text: typer.echo(check_told.github(verdict(text))),
    "a job": lambda text: typer.echo(yaml.safe_dump(job(text), allow_unicode=True)),
    "locks": lambda text: show_locks(text, Format.table),
}
MARKDOWN: dict[str, Callable[[str], str]] = {
    "note": lambda text: note([story(text)]),
    "drift": lambda text: as_markdown(drift(text)),
    "issue": lambda text: issue.decide(drift(text)).text,
    "merge request": lambda text: described(text),
    "results": lambda text: results(text, ResultsFormat.markdown),
    "release note": released,
    "releases since": lambda text: released(text, cumulatively=True),
}
JSON: dict[str, Callable[[str], str]] = {
    "status": lambda text: written(status(text), StatusFormat.json),
    "drift": lambda text: as_json(drift(text), 2),
    "promotion": lambda text: json.dumps(promotion(text).as_json()),
    "widget": lambda text: preview_widget([story(text)]),
    "preview": lambda text: preview_json([story(text)]),
    "check": lambda text: check_told.as_json(verdict(text)),
    "check for GitLab": lambda text: check_told.gitlab(verdict(text)),
    "a job": lambda text: json.dumps(job(text)),
    "history": lambda text: json.dumps([deployment(text).as_json()]),
    "doctor": lambda text: json.dumps([fine(text, text, text).as_json()]),
    "issue": lambda text: json.dumps(asdict(issue.decide(drift(text)))),
    "locks": lambda text: terminal(lambda text: show_locks(text, Format.json), text),
    "results": lambda text: results(text, ResultsFormat.json),
}


def described(text: str) -> str:
    """The description of the merge request of a promotion of a commit with this subject."""
    sent: list[str] = []

    class Forge:
        def open_merge_request(self, source: str, target: str, title: str, description: str, labels: object) -> Any:
            sent.extend((title, description))

    class Pipelines:
        heads = MappingProxyType({"quant": ID})

    line: Any = object.__new__(Line)
    for name, value in {"ahead": [commit("aa11bb22", text, text)], "source": ID, "target": ID}.items():
        object.__setattr__(line, name, value)
    step: Step = step_of(EDGE, line)
    pipelines, forge = Pipelines(), Forge()
    request(pipelines, forge, step, Way(ID, "quant"))  # type: ignore[arg-type]  # what of them it asks
    return "\n".join(sent)


def terminal(show: Callable[[str], Any], text: str) -> str:
    """What reaches standard output and error, which are no terminal: no style of our own is in it."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        streams.guard()
        show(text)
    return out.getvalue() + err.getvalue()


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("output", TERMINAL)
def test_nothing_steers_a_terminal(output: str, text: str) -> None:
    """Nothing hidden is left, neither a control character nor one that turns the reading direction."""
    shown = terminal(TERMINAL[output], text)
    assert len(shown) > 10 or output == "a spinner"
    shown.encode()
    hidden = {letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")}
    assert hidden <= {"\n"}


def test_a_terminal_keeps_our_own_colours() -> None:
    """What is ours is styled, what is theirs is text, though it looks like a style."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, color_system="standard", width=200)
    console.print(history_table([deployment("\x1b[31mred[/]")]), style="bold")
    assert "\x1b[1m" in screen.getvalue() and "\x1b[31m" not in screen.getvalue()
    assert "[/]" in screen.getvalue()  # markup is text


OBEYED = {
    "mention": r"@\w",
    "comment": r"<!--",
    "element": r"</?[a-z]",
    "link or image": r"(?<!\\)\]\(",
    "address": r"\w://",
    "quick action": r"(?m)^[ \t]*/\w",
    "heading": r"(?m)^#",
    "row": r"(?m)^\|",
    "cell": r"(?<!\\)\|",
    "issue": r"#\d",
}


def prose(markdown: str) -> str:
    """Without code, in which a forge looks for nothing."""
    without = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", markdown)
    return re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", without)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("output", MARKDOWN)
def test_nothing_is_obeyed_by_a_forge(output: str, text: str) -> None:
    """As many elements, links, mentions, rows and quick actions as with harmless words, outside of code."""
    shown = MARKDOWN[output](text)
    shown.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    plain = MARKDOWN[output]("harmless")
    for what, pattern in OBEYED.items():
        assert len(re.findall(pattern, prose(shown))) == len(re.findall(pattern, prose(plain))), (what, prose(shown))


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("output", JSON)
def test_programs_read_what_was_written(output: str, text: str) -> None:
    """JSON is ASCII, is read back, and holds the very text where it holds it at all."""
    shown = JSON[output](text)
    assert shown.isascii()
    json.loads(shown)


class _Elements(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)


@pytest.mark.parametrize("text", TEXTS)
def test_a_page_and_a_report_hold_what_they_should(text: str) -> None:
    """Not one element more than with harmless words; XML is read back."""
    made: tuple[Callable[[str], str], ...] = (
        lambda words: written(status(words), StatusFormat.html),
        lambda words: results(words, ResultsFormat.html),
    )
    for page in made:
        elements = []
        for words in ("harmless", text):
            parser = _Elements()
            parser.feed(page(words))
            elements.append([name for name in parser.names if name not in ("q",)])
        assert elements[0] == elements[1]
    ElementTree.fromstring(as_junit(drift(text)).encode())


def test_nobody_has_another_console() -> None:
    """Whoever makes one makes ours, so that a new command is safe without thinking of it."""
    for file in sorted((ROOT / "quantctl").rglob("*.py")):
        if file == ROOT / "quantctl" / "text" / "terminal.py":
            continue
        named = [
            alias.name
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module in ("rich.console", "rich")
            for alias in node.names
        ]
        assert not {"Console", "print", "get_console"} & set(named), file


def test_a_shell_reads_what_was_meant(tmp_path: Path) -> None:
    """`quantctl env` writes values as they are: a path may hold what is not seen."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        streams.guard()
        streams.exactly("export A='\u200d'\n")
    assert out.getvalue() == "export A='\u200d'\n"
    assert NOW.tzinfo and tmp_path
