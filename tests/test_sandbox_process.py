"""The sandbox process: started, stopped, killed, and several side by side."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sandbox import control, identities, sample
from sandbox.state import State
from tests.account_sandbox import Account


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = State(tmp_path / "one")
    yield made
    control.stop(made)


def me(state: State, identity: str) -> str:
    endpoints = state.endpoints()
    assert endpoints is not None
    answer = requests.get(
        f"{endpoints.databricks_host}/api/2.0/preview/scim/v2/Me",
        headers={"Authorization": f"Bearer {state.tokens()[identity]}"},
        timeout=5,
    )
    answer.raise_for_status()
    return str(answer.json()["userName"])


def test_start_twice_is_one_process_and_the_tokens_are_real(state: State) -> None:
    first = control.start(state)
    assert control.start(state) == first
    assert me(state, "dana@quant.example") == "dana@quant.example"
    assert control.status(state).running


def test_kill_9_and_restart_keep_ports_and_state(state: State) -> None:
    first = control.start(state)
    tokens = state.tokens()
    os.kill(first.pid, signal.SIGKILL)
    second = control.start(state)
    assert second.pid != first.pid
    assert (second.databricks_port, second.snowflake_port) == (first.databricks_port, first.snowflake_port)
    assert state.tokens() == tokens
    assert me(state, identities.DEPLOYER_ID)


def test_two_side_by_side(state: State, tmp_path: Path) -> None:
    other = State(tmp_path / "two")
    try:
        one, two = control.start(state), control.start(other)
        ports = {one.databricks_port, one.snowflake_port, two.databricks_port, two.snowflake_port}
        assert len(ports) == 4
        assert not set(state.tokens().values()) & set(other.tokens().values())
        control.stop(state)
        assert control.status(other).running
    finally:
        control.stop(other)


def test_a_stale_pid_of_somebody_else_is_left_alone(state: State) -> None:
    state.prepare()
    with subprocess.Popen(["sleep", "30"]) as other:
        state.pid_file.write_text(str(other.pid))
        assert not control.stop(state)
        assert other.poll() is None
        other.kill()


def test_secrets_are_their_owners_only(state: State) -> None:
    state.prepare()
    kept = {f"{name}.p8" for name in identities.key_names()}
    assert {path.name for path in state.keys.iterdir()} == kept
    secret = [state.passphrase, state.credentials_file, state.gitlab_tokens_file, *state.keys.iterdir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
    assert stat.S_IMODE(state.keys.stat().st_mode) == 0o700


def test_sample_is_one_line_of_history_and_the_same_every_time(tmp_path: Path) -> None:
    heads = []
    for name in ("a.git", "b.git"):
        remote = tmp_path / name
        assert sample.create(remote)
        heads.append([git(remote, "rev-parse", env) for env in identities.ENVIRONMENTS])
    assert heads[0] == heads[1]
    assert len(set(heads[0])) == 4
    assert not sample.create(remote)
    for older, newer in (("quant_live", "quant_lr"), ("quant_lr", "quant_stg"), ("quant_stg", "quant")):
        git(remote, "merge-base", "--is-ancestor", older, newer)


def git(remote: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=remote, check=True, capture_output=True, text=True).stdout.strip()


def test_a_query_takes_no_more_memory_than_before_duckdb(state: State) -> None:
    """57 MB were its own after the first query when queries were evaluated here (at 265ae79): 1.3 times that is the bar.

    Pages of DuckDB's library are not counted: they are the same for every sandbox, and the kernel's to take back.
    """
    told = Path(f"/proc/{control.start(state).pid}/smaps_rollup")
    if not told.exists():
        pytest.skip("memory is told by Linux")
    connection = Account(state, control.start(state)).connect("ADA", "ada")
    connection.cursor().execute("SELECT 1")
    connection.close()
    own = sum(int(line.split()[1]) for line in told.read_text().splitlines() if line.startswith("Private_"))
    assert own / 1024 < 1.3 * 57
