"""Which code each branch of the sample runs: the same, or changed, by which files and commits."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.outside.workspace import Run
from quantctl.records.deployments import Record
from quantctl.records.repository import Pipelines, read_pipelines
from quantctl.results.history import History
from quantctl.results.model import Expected
from quantctl.results.read import contracts_at
from quantctl.stack_settings import stack_settings
from sandbox import sample


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """The sample's repository, as quant_stg reads it."""
    remote = tmp_path_factory.mktemp("history") / "remote.git"
    sample.create(remote)
    settings = stack_settings("quant_stg", {"QUANT_REMOTE": "https://gitlab.example/quant/pipelines.git"})
    yield History(read_pipelines(str(remote)), settings)


def heads(pipelines: Pipelines) -> tuple[str, str, str]:
    """The commits of quant, quant_stg and quant_live."""
    return pipelines.head("quant"), pipelines.head("quant_stg"), pipelines.head("quant_live")


def test_a_changed_file_changes_what_imports_it_and_nothing_else(history: History) -> None:
    """The half-life is the risk model's own; the window of the factor returns is of everything that refreshes them."""
    quant, stg, live = heads(history.pipelines)
    contracts = {one.table: one for one in contracts_at(history.pipelines, stg, history)}
    whys = {table: history.why(one, stg, live) for table, one in contracts.items()}
    assert {table for table, why in whys.items() if why.expected is not Expected.SAME} == {"RISK_MODEL", "SIGNAL_REPORT"}
    risk, signals = whys["RISK_MODEL"], whys["SIGNAL_REPORT"]
    assert risk.reasons == ("src/risk_model.py has changed",)
    assert [one.subject for one in risk.commits] == ["Risk model: half-life of 42 days"]
    assert signals.reasons == ("the definition of signal_report has changed",)
    assert [one.subject for one in signals.commits] == ["Signal report: end after half an hour"]
    newer = {table: history.why(one, quant, stg).expected for table, one in contracts.items()}
    assert [table for table, why in newer.items() if why is Expected.SAME] == ["POSITIONS"]
    assert history.why(contracts["PRICES"], stg, stg).expected is Expected.SAME


def test_what_is_not_known_of_a_table_is_unknown(history: History) -> None:
    """A contract without a workflow; a workflow that only one of them has; a commit whose definitions are wrong."""
    _, stg, live = heads(history.pipelines)
    one = contracts_at(history.pipelines, stg)[0]
    assert history.why(replace(one, workflow=""), stg, live).expected is Expected.UNKNOWN
    assert history.why(replace(one, workflow="gone"), stg, live).expected is Expected.CHANGED
    broken = History(history.pipelines, history.settings, {stg: "line 3: wrong"})
    assert "line 3: wrong" in broken.why(one, stg, live).reasons[0]


def test_a_night_is_what_was_deployed_when_its_last_run_began(history: History) -> None:
    """The last run of the day; without a deployment on record the code is unknown, never today's."""
    _, stg, live = heads(history.pipelines)
    day = datetime.date(2026, 11, 24)

    def at(hour: int) -> datetime.datetime:
        return datetime.datetime.combine(day, datetime.time(hour), datetime.UTC)

    runs = [Run(1, 7, at(6), "SUCCESS"), Run(1, 8, at(18), "SUCCESS")]
    deployed = [
        Record("deployment", "quant_stg", at(hour), commit, None, "x", "up") for hour, commit in ((1, live), (12, stg))
    ]
    night = history.night("risk_model", runs, day, deployed)
    assert night.run is not None and (night.run.run_id, night.commit) == (8, stg)
    earlier = history.night("risk_model", runs[:1], day, deployed)
    assert earlier.commit == live and earlier.code != night.code
    same = history.night("positions_snapshot", runs[:1], day, deployed)
    assert same.code == history.night("positions_snapshot", runs, day, deployed).code
    assert history.night("risk_model", runs, day, []).code is None
    assert history.night("risk_model", runs, day + datetime.timedelta(days=1), deployed).run is None
