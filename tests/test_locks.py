"""Locks of the stacks: what is told of their owners, and when one is released."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import toolchain
from quantctl.engine.lock import backend
from quantctl.engine.lock.locks import Lock, OwnerState, Process, age, from_file, from_message, judge, refusal
from quantctl.errors import UserError
from tests.paths import ROOT

NOW = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)
LOCK = Lock("quant", "/x.json", "ci", "runner-7", 4711, NOW - datetime.timedelta(minutes=5))
SAID = """error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or delete the lock file with `pulumi cancel`.
  s3://state/.pulumi/locks/organization/quant/quant/a.json?region=eu-west-1: created by ci@runner-7 (pid 4711) at 2026-11-24T11:55:00Z
  s3://state/.pulumi/locks/organization/quant/quant/b.json: created by QUANT\\dana@laptop (pid 12) at 2026-11-24T12:30:00+02:00
"""  # noqa: E501  # the engine's own lines


@pytest.mark.parametrize(
    ("host", "process", "state", "why"),
    [
        ("runner-7", None, OwnerState.GONE, "no process 4711"),
        ("runner-7", Process("nginx", NOW), OwnerState.GONE, "is nginx"),
        ("runner-7", Process("pulumi", NOW), OwnerState.GONE, "started after the lock"),
        ("runner-7", Process("pulumi", NOW - datetime.timedelta(minutes=6)), OwnerState.ALIVE, "runs as process 4711"),
        ("runner-7", Process("pulumi", NOW - datetime.timedelta(minutes=4, seconds=50)), OwnerState.ALIVE, "runs as"),
        ("runner-7", Process(), OwnerState.ALIVE, "may not be looked at"),
        ("laptop", None, OwnerState.UNKNOWN, "this is laptop"),
    ],
)
def test_an_owner_is_gone_only_when_this_machine_can_know(host: str, process: Process | None, state: str, why: str) -> None:
    """A free or reused pid on the lock's own host says so; another host never does."""
    owner = judge(LOCK, host, process)
    assert (owner.state, why in owner.why) == (state, True), owner


def test_a_host_name_that_many_machines_have_proves_nothing() -> None:
    """`localhost` of one container is not `localhost` of another."""
    assert judge(Lock("quant", "x", "ci", "localhost", 4711, NOW), "localhost", None).state is OwnerState.UNKNOWN


def test_the_engines_message_is_read() -> None:
    """Every lock with its owner, whatever the user's name holds; addresses without what follows the question mark."""
    first, second = from_message("quant", SAID)
    assert (first.owner, first.place.rsplit("/", 1)[1]) == ("ci@runner-7, pid 4711", "a.json")
    assert (second.user, second.host, second.since) == (
        "QUANT\\dana",
        "laptop",
        datetime.datetime.fromisoformat("2026-11-24T10:30Z"),
    )
    assert from_message("quant", "error: update failed") == []


def test_an_update_that_meets_a_lock_says_whose() -> None:
    """Owner, age, and the command that tells more."""
    told = str(refusal("quant", from_message("quant", SAID), NOW))
    for word in ("quant is locked", "ci@runner-7, pid 4711, for 5 min 00 s", "quantctl lock release quant"):
        assert word in told


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"pid": 1}', '{"pid":"x","username":"a","hostname":"b","timestamp":"c"}']
)
def test_a_lock_file_that_was_cut_off_is_a_lock(content: str) -> None:
    """A full disk leaves an empty one: it holds the stack, and names nobody."""
    lock = from_file("quant", "/x.json", content)
    assert judge(lock, socket.gethostname(), None).state is OwnerState.UNKNOWN
    assert lock.owner == "an owner that cannot be read"


def test_ages_are_said_as_people_say_them() -> None:
    """Seconds, then minutes, hours, days; a clock that is behind is no age."""
    seconds = {-5: "0 s", 59: "59 s", 61: "1 min 01 s", 7500: "2 h 05 min", 3 * 86400: "3 days"}
    assert {s: age(NOW - datetime.timedelta(seconds=s), NOW) for s in seconds} == seconds


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A folder for a backend of the test's own."""
    yield tmp_path / "state"
    shutil.rmtree(tmp_path / "state", ignore_errors=True)


def environment(state: Path) -> dict[str, str]:
    found = toolchain.locate()
    assert found is not None
    path = f"{found.bin}:{os.environ['PATH']}" if found.bin else os.environ["PATH"]
    given = {
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_HOME": str(state.parent / "home"),
    }
    return {**os.environ, **given, "PULUMI_SKIP_UPDATE_CHECK": "true", "PATH": path, "COLUMNS": "200"}


def put_lock(state: Path, env: str, pid: int, host: str, since: datetime.datetime) -> Path:
    folder = state / ".pulumi" / "locks" / "organization" / "quant" / env
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "5f3c.json"
    file.write_text(json.dumps({"pid": pid, "username": "ci", "hostname": host, "timestamp": since.isoformat()}))
    return file


def quantctl(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quantctl.main", "lock", *arguments]
    return subprocess.run(
        command, env=environment(state), cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def test_a_lock_is_released_when_its_owner_is_gone(state: Path, tmp_path: Path) -> None:
    """Refused while a process called pulumi lives under its pid; shown as gone, and released, when it was killed."""
    program = tmp_path / "pulumi"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    owner = subprocess.Popen([program, "600"])
    try:
        file = put_lock(state, "quant_stg", owner.pid, socket.gethostname(), datetime.datetime.now(datetime.UTC))
        refused = quantctl(state, "release", "quant_stg", "--yes", "--owner-is-gone")
        assert (refused.returncode, file.exists()) == (1, True)
        assert "the owner lives" in refused.stderr and f"ci@{socket.gethostname()}, pid {owner.pid}" in refused.stderr
    finally:
        owner.kill()  # not waited for: a process that ended and that nobody asked for is gone too
    try:
        [row] = json.loads(quantctl(state, "--format", "json").stdout)
        assert (row["environment"], row["owner"]) == ("quant_stg", "gone"), row
        assert 0 <= row["age_seconds"] < 60
        asked = quantctl(state, "release", "quant_stg")
        assert (asked.returncode, file.exists()) == (1, True)
        assert "Nothing was changed" in asked.stderr
    finally:
        owner.wait()


def test_another_machines_lock_needs_somebody_who_has_looked(state: Path) -> None:
    """The refusal says where to look and what to say then; the table names the owner."""
    file = put_lock(state, "quant_live", 4711, "runner-7", datetime.datetime.now(datetime.UTC))
    refused = quantctl(state, "release", "quant_live", "--yes")
    assert (refused.returncode, file.exists()) == (1, True)
    for word in ("runner-7", "ps -p 4711", "quantctl lock release quant_live --owner-is-gone"):
        assert word in refused.stderr, refused.stderr
    assert "ci@runner-7, pid 4711" in quantctl(state).stdout
    assert quantctl(state, "quant").stdout == "quant is not locked.\n"


def test_a_backend_that_is_not_there_is_told(state: Path) -> None:
    """Not "not locked": nothing is known."""
    answer = quantctl(state)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "PULUMI_BACKEND_URL" in answer.stderr


@pytest.mark.real
def test_the_engine_itself_reads_a_lock_that_lies_in_object_storage(state: Path) -> None:
    """Without opening the backend: the same owner, none when there is none; asking makes nothing."""
    state.mkdir()
    environ = environment(state)
    stack_file = (ROOT / "Pulumi.quant.yaml").read_text()
    assert backend._of_engine("quant", environ) == []
    assert not list(state.rglob("quant.json"))
    subprocess.run(
        ["pulumi", "stack", "init", "quant", "--no-select", "--non-interactive"], env=environ, cwd=ROOT, check=True
    )
    assert backend._of_engine("quant", environ) == []
    since = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    file = put_lock(state, "quant", 4711, "runner-7", since)
    [told] = backend._of_engine("quant", environ)
    [read] = backend.locks("quant", environ)
    assert (
        (told.user, told.host, told.pid, told.since)
        == (read.user, read.host, read.pid, read.since)
        == ("ci", "runner-7", 4711, since)
    )
    assert file.exists()
    done = quantctl(state, "release", "quant", "--yes", "--owner-is-gone")
    assert (done.returncode, done.stdout, file.exists()) == (0, "quant is released.\n", False), done
    assert (ROOT / "Pulumi.quant.yaml").read_text() == stack_file
    with pytest.raises(UserError, match="unable to open bucket"):
        backend._of_engine("quant", {**environ, "PULUMI_BACKEND_URL": f"file://{state}/none"})
