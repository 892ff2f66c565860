"""What `quantctl status` concludes and shows, from values; and what it reads where something does not answer."""

from __future__ import annotations

import dataclasses
import datetime
import html.parser
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from requests import Response

from infra.branch_protection import GitLab
from infra.errors import UserError
from infra.outside.local_edits import Edits
from infra.outside.workspace import Run, Workspace
from infra.promotion import EDGES
from infra.settings import read_settings
from infra.vocabulary import Environment
from quantctl.drift.finding import Class, EnvironmentDrift, Finding, Fix, report
from quantctl.errors import UserError as QuantctlError
from quantctl.forge.model import Verdict
from quantctl.promotion.gates import Gate, Unknown
from quantctl.records.signoffs import SignOff
from quantctl.status import conclusions
from quantctl.status.asking import PatientWorkspace, attempt
from quantctl.status.command import Format
from quantctl.status.for_programs import as_json
from quantctl.status.model import Deployed, Drift, DriftVerdict, EdgeStatus, RunsOf, Status, Way
from quantctl.status.page import page
from quantctl.status.read import sign_offs, with_drift
from quantctl.status.runs import by_day, first_day
from quantctl.status.show import written
from quantctl.status.signs import signs
from quantctl.text.whole_file import write_whole
from tests.status_samples import DEV, LIVE, NOW, STAGING, commit, environment, flow, gates, sign_off, team_status, unread
from tests.test_settings import config_of

HOSTILE = "<script>alert('x')</script><img src=http://evil.example/a.png>\" onload=\"x&amp;"


def with_environment(status: Status, env: Environment, **changed: Any) -> Status:
    """The same, one environment having other facts."""
    found = [dataclasses.replace(one, **changed) if one.name is env else one for one in status.environments]
    return dataclasses.replace(status, environments=found)


def hostile_status() -> Status:
    """Everything that others may write says something that a browser would obey."""
    status = team_status()
    named = [commit("aa11bb22", HOSTILE, HOSTILE)]
    recorded: Any = status.environments[0].last
    last = dataclasses.replace(recorded, by=HOSTILE)
    signed = [dataclasses.replace(sign_off(DEV, "3f2a9c1b", HOSTILE), by=HOSTILE)]
    status = with_environment(
        status,
        DEV,
        undeployed=named,
        workflows=[flow(HOSTILE, "sfa")],
        drift=Drift(DriftVerdict.DRIFT, [HOSTILE]),
        sign_offs=signed,
        last=last,
        deployed=Deployed("3f2a9c1b".ljust(40, "0"), HOSTILE, HOSTILE),
    )
    edge = EdgeStatus(status.edges[0].edge, named, [Gate("soak", Verdict.UNKNOWN, HOSTILE)])
    return dataclasses.replace(status, edges=[edge, *status.edges[1:]], remote=HOSTILE, host=HOSTILE)


@pytest.mark.parametrize(
    ("commits", "verdicts", "way"),
    [
        ([commit("aa", "x")], {}, Way.OPEN),
        ([commit("aa", "x")], {"soak": Verdict.NO}, Way.CLOSED),
        ([commit("aa", "x")], {"soak": Verdict.UNKNOWN}, Way.UNKNOWN),
        ([commit("aa", "x")], {"soak": Verdict.UNKNOWN, "approvals": Verdict.NO}, Way.CLOSED),
        ([], {"fast_forward": Verdict.NO}, Way.NOTHING),
        (Unknown("Git is silent"), {"fast_forward": Verdict.UNKNOWN}, Way.UNKNOWN),
        (Unknown("the settings cannot be read"), {}, Way.UNKNOWN),
    ],
)
def test_a_way_is_open_only_when_every_gate_says_yes(commits: Any, verdicts: dict[str, Verdict], way: Way) -> None:
    """A gate that says no closes it, an unknown one leaves it unknown, and where nothing waits no gate matters."""
    edge = EdgeStatus(next(iter(EDGES)), commits, gates(**verdicts))
    assert edge.way is way
    assert not edge.stopped or way in (Way.CLOSED, Way.UNKNOWN)


def test_a_promotion_is_offered_only_when_it_would_go_ahead() -> None:
    """The next steps are a deployment that waits and the one open way; what drifted is not updated over it."""
    status = team_status()
    assert [step.command for step in conclusions.steps(status)] == [
        "quantctl up quant",
        "quantctl promote quant_stg quant_lr",
    ]
    drifted = with_environment(status, DEV, drift=Drift(DriftVerdict.DRIFT, ["local edits: a.py"]))
    assert [step.command for step in conclusions.steps(drifted)] == ["quantctl promote quant_stg quant_lr"]
    assert conclusions.attention(drifted)[0] == "quant has drifted: local edits: a.py"


def test_what_waits_is_no_alarm() -> None:
    """A branch that is ahead of its folder is a next step, not something that needs attention."""
    status = dataclasses.replace(team_status(), edges=[], environments=[environment(DEV, [commit("aa", "Waits")])])
    assert conclusions.attention(status) == []
    assert [step.why for step in conclusions.steps(status)] == ["1 commit of its branch to deploy"]


FOLDER = Deployed("3f2a9c1b".ljust(40, "0"), "quant", "x")


@pytest.mark.parametrize(
    ("given", "verdict", "word"),
    [
        ((FOLDER, True, 0, FOLDER.commit, Edits()), DriftVerdict.CLEAN, ""),
        ((FOLDER, True, 2, FOLDER.commit, Edits()), DriftVerdict.WAITING, ""),
        ((FOLDER, True, 0, "b" * 40, Edits()), DriftVerdict.CLEAN, "no recorded deployment"),
        ((FOLDER, True, 0, None, Edits()), DriftVerdict.CLEAN, "no deployment is recorded"),
        ((FOLDER, True, 0, FOLDER.commit, Edits(("src/a.py",))), DriftVerdict.DRIFT, "local edits: src/a.py"),
        ((FOLDER, True, 0, FOLDER.commit, Unknown("too large")), DriftVerdict.CLEAN, "local edits are unknown: too large"),
        (
            (FOLDER, True, 0, FOLDER.commit, Edits(unknown={"link": "a symbolic link"})),
            DriftVerdict.CLEAN,
            "not compared: link (a symbolic link)",
        ),
        ((FOLDER, False, 0, FOLDER.commit, None), DriftVerdict.DRIFT, "does not hold"),
        ((Deployed("a" * 40, "somebody", "x"), True, 0, "a" * 40, Edits()), DriftVerdict.DRIFT, "'somebody'"),
        ((FOLDER, Unknown("Git is silent"), 0, None, None), DriftVerdict.UNKNOWN, "Git is silent"),
        ((Unknown("the workspace is silent"), True, 0, None, None), DriftVerdict.UNKNOWN, "the workspace is silent"),
        ((None, True, 0, None, None), DriftVerdict.WAITING, "not deployed"),
    ],
)
def test_signs_of_drift(given: tuple[Any, ...], verdict: DriftVerdict, word: str) -> None:
    """The folder alone tells a moved folder, local edits and progress apart, and never guesses."""
    found = signs("quant", *given)
    assert found.verdict is verdict
    assert word in "; ".join(found.findings)
    assert not found.full


def test_without_the_engine_nothing_is_called_clean() -> None:
    """A few signs that are missing are told as that."""
    assert Drift(DriftVerdict.CLEAN).words == "no sign"
    assert Drift(DriftVerdict.CLEAN, full=True).words == "clean"


def test_runs_are_counted_on_the_day_they_began() -> None:
    """UTC days, today last; a run of before that has not ended is shown on the first day; what is older is left out."""

    def run(number: int, days: float, result: str) -> Run:
        return Run(1, number, NOW - datetime.timedelta(days), result)

    runs = [
        run(1, 0, ""),
        run(2, 0.1, "SUCCESS"),
        run(3, 1, "FAILED"),
        run(4, 1, "SUCCESS"),
        run(5, 1, "CANCELED"),
        run(6, 9, "FAILED"),
    ]
    [found] = by_day({"risk_model": runs}, {"risk_model": [1, 99]}, NOW, 3)
    assert [day.date.day for day in found.days] == [22, 23, 24]
    assert [day.kind for day in found.days] == [RunsOf.ACTIVE, RunsOf.FAILED, RunsOf.ACTIVE]
    total = found.total
    assert (total.succeeded, total.failed, total.active, total.other) == (2, 1, 2, 1)
    assert first_day(NOW, 1) == datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)


def test_the_table_fits_a_hundred_columns() -> None:
    """No line is longer, whatever is in it, and nothing in it colours a pipe."""
    for status in (team_status(), hostile_status()):
        text = written(status, Format.table)
        assert max(map(len, text.splitlines())) <= 100
        assert "\x1b" not in text
    for word in ("quant_live has drifted", "quantctl promote quant_stg quant_lr", "2 gates closed", "✓✓✗✓✓✓✓ 6 ✗1"):
        assert word in written(team_status(), Format.table)


def test_many_workflows_do_not_flood_the_table() -> None:
    """The failed ones are shown, the rest is counted."""
    flows = [flow(f"workflow_{number:03}", "sss") for number in range(200)] + [flow("zz_last", "sfs")]
    text = written(with_environment(team_status(), LIVE, workflows=flows), Format.table)
    assert "zz_last" in text
    assert len(text.splitlines()) < 80
    assert "workflows more" in text


def test_a_reason_is_told_once() -> None:
    """Everything that could not be read is named in all forms, with the reason told once."""
    why = "Databricks: http://127.0.0.1:9 does not answer."
    status = dataclasses.replace(team_status(), environments=[unread(env, why) for env in Environment])
    assert [len(what) for reason, what in conclusions.unread(status).items() if reason == why] == [7 * 4]
    text = written(status, Format.table)
    assert text.count("does not answer") == 1
    assert page(status).count("does not answer") == 1 + len(Environment)  # and with each environment's drift
    assert {"why": why}.items() <= as_json(status)["cannot_tell"][0].items()


def test_json_has_everything() -> None:
    """The names that programs rely on; what could not be read says so in its place."""
    told = json.loads(written(with_environment(team_status(), STAGING, workflows=Unknown("silent")), Format.json))
    assert [one["name"] for one in told["environments"]] == [env.value for env in Environment]
    staging = told["environments"][1]
    assert staging["workflows"] == {"cannot_tell": "silent"}
    assert staging["deployed"]["commit"].startswith("b81d7e02")
    assert staging["sign_offs"][0]["by"] == "Uma Tester"
    assert told["environments"][0]["workflows"][1]["days"][6]["active"] == 1
    assert {gate["verdict"] for gate in told["edges"][0]["gates"]} == {"yes", "no"}
    assert told["edges"][0]["way"] == "stopped"


class Elements(html.parser.HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_page_obeys_nobodys_words() -> None:
    """Commit subjects, notes and names that hold markup are text: no script, no handler, nothing loaded from anywhere."""
    parser = Elements()
    parser.feed(page(hostile_status()))
    assert len(parser.found) > 300
    for tag, attributes in parser.found:
        assert tag not in ("script", "img", "link", "iframe", "object", "embed", "form", "base")
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "style", "srcset", "action")]
        assert (attributes.get("href") or "#").startswith("#")
    policy = next(attributes["content"] for tag, attributes in parser.found if attributes.get("http-equiv"))
    assert policy is not None and policy.startswith("default-src 'none'; style-src 'sha256-")


def test_the_page_can_be_heard() -> None:
    """Headings in order, every link leads to something on the page, and the drawing says itself in words."""
    parser = Elements()
    parser.feed(page(team_status()))
    levels = [int(tag[1]) for tag, _ in parser.found if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    ids = {attributes["id"] for _, attributes in parser.found if "id" in attributes}
    links = [attributes for tag, attributes in parser.found if tag == "a"]
    assert {str(link["href"])[1:] for link in links} == ids >= {env.value for env in Environment}
    assert "quant_stg, staging, UAT: at its branch, at b81d7e02; 23 succeeded, 1 failed, 1 cancelled or skipped" in {
        link["aria-label"] for link in links
    }


def test_a_workspace_that_fails_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks after the first refusal gets that reason at once; an answer is kept for all who want it."""
    asked: list[str] = []

    def exchange(self: Workspace, method: str, path: str, *more: object) -> Response:
        asked.append(path)
        if "refused" in path:
            raise UserError("no")
        answer = Response()
        answer._content = b'{"repos": []}'
        return answer

    monkeypatch.setattr(Workspace, "_exchange", exchange)
    monkeypatch.setattr("quantctl.status.asking.reach_databricks", lambda environ: None)
    kept = PatientWorkspace(60, {}, lambda _: None)
    assert kept._ask("/a") == kept._ask("/a")
    assert attempt(lambda: kept._ask("/refused")) == Unknown("no")
    kept._ask("/b")
    assert asked == ["/a", "/refused", "/b"]
    gone = PatientWorkspace(60, {}, lambda _: None)
    assert [attempt(lambda: gone._ask("/refused")), attempt(lambda: gone._ask("/a"))] == [Unknown("no")] * 2
    assert asked[3:] == ["/refused"]
    late = PatientWorkspace(0, {}, lambda _: None)
    assert attempt(lambda: late._ask("/a")) == Unknown("Databricks: not everything was answered in 0 s.")


def test_the_engines_verdicts_take_the_place_of_the_signs() -> None:
    """With --drift each environment says what the engine found; an engine that fails is told as that."""

    def find(envs: object, environ: object) -> list[EnvironmentDrift]:
        gone = Finding("quant", Class.DRIFT, "job risk_model", "", "there", "missing", Fix("pulumi up --refresh -s quant"))
        return [report("quant", [gone]), report("quant_stg", [])]

    def fail(envs: object, environ: object) -> list[EnvironmentDrift]:
        raise UserError("The engine `pulumi` was not found.")

    given = [environment(DEV), environment(STAGING)]
    first, second = with_drift(given, find, {})
    assert first.drift == Drift(DriftVerdict.DRIFT, ["job risk_model: declared there, is missing"], full=True)
    assert (second.drift.words, second.head) == ("clean", given[1].head)
    assert with_drift(given, fail, {})[0].drift == Drift(DriftVerdict.UNKNOWN, ["The engine `pulumi` was not found."])


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """What stands there is replaced at once; a folder that is not there is told, and nothing is left behind."""
    page_file = tmp_path / "status.html"
    page_file.write_text("old")
    write_whole(page_file, "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("status.html", "new")]
    with pytest.raises(QuantctlError, match=r"status.html cannot be written"):
        write_whole(tmp_path / "none" / "status.html", "new")
    with pytest.raises(QuantctlError, match="cannot be written"):
        write_whole(tmp_path, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["status.html"]


def test_a_limited_release_ends_by_the_workspaces_clock() -> None:
    """Its last day is shown beside what it is; the day after somebody should look at it."""
    day = NOW.date()
    for until, late in ((day, False), (day - datetime.timedelta(days=1), True)):
        status = with_environment(team_status(), Environment.LIMITED, until=until)
        [row] = [one for one in as_json(status)["environments"] if one["name"] == "quant_lr"]
        assert row["until"] == until.isoformat() and row["stage"].endswith(f"until {until}")
        assert any("should have ended" in text for text in conclusions.attention(status)) is late


def test_sign_offs_are_those_of_the_forge() -> None:
    """In GitLab comments of the deployed commit, which no tag knows of; where that is unknown, so are they."""
    plain = read_settings("quant_stg", config_of("quant_stg"), {"QUANT_REMOTE": "http://x.example/p.git"})
    gitlab = plain.model_copy(update={"gitlab": GitLab(url="https://gitlab.example", project="q/p")})
    asked: list[tuple[str, str]] = []
    given = [sign_off(STAGING, "b81d7e02")]

    class Forge:
        def sign_offs(self, environment: str, commit: str) -> list[SignOff]:
            asked.append((environment, commit))
            return given

    where, forge, nothing = Deployed("b" * 40, "quant_stg", "x"), Forge(), Any
    assert sign_offs(gitlab, nothing, where, forge) == given  # type: ignore[arg-type]
    assert asked == [("quant_stg", "b" * 40)]
    assert sign_offs(gitlab, nothing, None, forge) == []  # type: ignore[arg-type]
    with pytest.raises(QuantctlError, match="silent"):
        sign_offs(gitlab, nothing, Unknown("silent"), forge)  # type: ignore[arg-type]
