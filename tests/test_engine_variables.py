"""What makes an engine run cheaper, and what it must never cost."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantctl.engine import tuning
from quantctl.laptop import first_deployment
from quantctl.laptop.exports import shell_exports
from sandbox.state import State


def test_what_the_shell_says_stays() -> None:
    """Whoever sets Go's collector knows why."""
    assert tuning.tuned({"GOGC": "50", "A": "b"}) == {"GOGC": "50", "A": "b"}
    assert tuning.tuned({}) == tuning.ALWAYS


def test_no_variable_of_a_shell_trades_the_safety_of_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain pulumi writes its state after every step, in the sandbox too, and asks the providers about every resource."""
    state = State(tmp_path)
    state.prepare()
    (tmp_path / "endpoints.json").write_text(
        '{"pid": 1, "databricks_port": 1, "snowflake_port": 2, "git_port": 3, "host": "127.0.0.1"}'
    )
    exported = shell_exports(state)
    assert not {"PULUMI_SKIP_CHECKPOINTS", "PULUMI_ENABLE_LEGACY_DIFF"} & {*exported, *tuning.ALWAYS}


def test_an_engine_home_without_a_log(tmp_path: Path) -> None:
    """The folder of logs becomes a file, whatever was there; a second time changes nothing."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "pulumi-1.log").write_text("x")
    for _ in range(2):
        tuning.without_log(tmp_path)
        assert "no automatic log" in (tmp_path / "logs").read_text()


def test_a_home_that_cannot_be_written_is_left(tmp_path: Path) -> None:
    """A log costs time and breaks nothing."""
    (tmp_path / "file").write_text("")
    tuning.without_log(tmp_path / "file" / "home")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_first_deployment_that_did_not_end_is_known(tmp_path: Path) -> None:
    """Cut short, it is made again from nothing; over, the next deployments write their state after every step."""
    state = State(tmp_path)
    state.prepare()
    with pytest.raises(KeyboardInterrupt), first_deployment.begun(state) as more:
        assert more == tuning.FIRST_DEPLOYMENT
        raise KeyboardInterrupt
    assert first_deployment.did_not_end(state)
    with first_deployment.begun(state):
        pass
    assert not first_deployment.did_not_end(state)
    stacks = tmp_path / "pulumi" / ".pulumi" / "stacks" / "quant"
    stacks.mkdir(parents=True)
    (stacks / "quant.json").write_text("{}")
    with first_deployment.begun(state) as more:
        assert more == {}
        assert not first_deployment.did_not_end(state)
