"""The one door to the states: exported once, and again after whatever may have changed them."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quantctl.engine import process
from quantctl.engine.history import last_failure
from quantctl.engine.state import State, States, put_state
from quantctl.errors import UserError
from tests.conftest import Team

# Prints the state of the stack with how often it was asked, and does as told otherwise.
ENGINE = """#!/bin/sh
echo "$1 $2" >> "$RECORD"
case "$1 $2" in
"stack export")
    [ -e "$RECORD.fails" ] && { rm "$RECORD.fails"; echo 'error: no room' >&2; exit 255; }
    [ -e "$RECORD.none" ] && { echo "error: no stack named 'quant' found" >&2; exit 255; }
    [ -e "$RECORD.cut" ] && { echo '{"deployment": {"reso'; exit 0; }
    echo "{\\"deployment\\": {\\"resources\\": [{\\"urn\\": \\"$(grep -c export "$RECORD")\\"}]}}" ;;
"stack history") echo '[{"kind": "update", "result": "failed", "startTime": "2026-01-01T00:00:00.000Z"}]' ;;
"up --killed") kill -9 $$ ;;
"up --refused") exit 255 ;;
"up --slow") sleep 60 ;;
esac
"""


class Engine:
    """An engine that writes down what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.record = folder / "record"
        program = folder / "pulumi"
        program.write_text(ENGINE)
        program.chmod(0o755)
        self.environ = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "RECORD": str(self.record)}

    @property
    def asked(self) -> Counter[str]:
        return Counter(self.record.read_text().splitlines())

    def does(self, what: str) -> None:
        self.record.with_name(f"record.{what}").touch()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def seen(states: States, env: str = "quant") -> str:
    """Which export it is that a command goes by."""
    return str(states.of(env).resources[0]["urn"])


def test_a_state_is_exported_once(engine: Engine) -> None:
    """However often it is asked about, and whatever only reads meanwhile; each stack has its own."""
    states = States(engine.environ)
    for words in (["preview", "-s", "quant"], ["refresh", "--preview-only", "-s", "quant"], ["config", "get", "x"]):
        assert seen(states) == "1"
        assert states.exported("quant")["deployment"]["resources"] == [*states.of("quant").resources]
        assert states.has("quant")
        last_failure("quant", states)
        process.run(words, engine.environ)
    assert engine.asked["stack export"] == engine.asked["stack history"] == 1
    assert (seen(states, "quant_stg"), seen(states)) == ("2", "1")
    assert seen(States(engine.environ)) == "3", "another command knows nothing of it"


@pytest.mark.parametrize(
    "words",
    [
        ["up", "--yes", "-s", "quant"],
        ["up", "--refused", "-s", "quant"],
        ["up", "--killed", "-s", "quant"],
        ["up", "--slow", "-s", "quant"],
        ["refresh", "--yes", "-s", "quant"],
        ["import", "-f", "x", "-s", "quant"],
        ["destroy", "-s", "quant"],
        ["stack", "init", "quant"],
        ["state", "delete", "-s", "quant"],
        ["a-command-that-is-not-known-here"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_whatever_may_have_changed_a_state_makes_it_old(engine: Engine, words: list[str]) -> None:
    """However it ended; what only reads is a list, and every other command is none of it."""
    states = States(engine.environ)
    assert seen(states) == "1" and isinstance(last_failure("quant", states), object)
    process.run(words, engine.environ, must=False, seconds=0.3 if "--slow" in words else None)
    assert seen(states) == "2" == seen(states)
    last_failure("quant", states)
    assert engine.asked["stack history"] == 2


def test_a_state_that_was_put_there_is_read(engine: Engine) -> None:
    """So is one that a person waited over, and one of another stack stays known."""
    states = States(engine.environ)
    assert (seen(states), seen(states, "quant_stg")) == ("1", "2")
    put_state("quant", engine.environ, {})
    assert (seen(states), seen(states, "quant_stg")) == ("3", "2")
    states.forget("quant")
    assert (seen(states), seen(states, "quant_stg")) == ("4", "2")


def test_what_is_read_in_the_middle_of_an_update_is_old_after_it(engine: Engine) -> None:
    """The update began before the export and ended after it."""
    states = States(engine.environ)
    with ThreadPoolExecutor(1) as pool:
        update = pool.submit(process.run, ["up", "--slow", "-s", "quant"], engine.environ, must=False, seconds=1.0)
        while not engine.record.exists():
            pass
        assert seen(states) == "1"
        update.result()
    assert seen(states) == "2"


def test_threads_share_one_export(engine: Engine) -> None:
    """What is asked at the same time is asked once."""
    states = States(engine.environ)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: seen(states), range(8))) == {"1"}


def test_what_cannot_be_read_is_never_nothing(engine: Engine) -> None:
    """Nor is a failure kept: the next question is asked. No stack is a state of its own, until one is made."""
    states = States(engine.environ, seconds=20)
    engine.does("fails")
    with pytest.raises(UserError, match=r"^The state of quant cannot be read: no room\.\n  do next: pulumi stack export"):
        states.of("quant")
    assert seen(states) == "2"
    states.forget("quant")
    engine.does("cut")
    for ask in (states.of, states.has, states.exported):
        with pytest.raises(UserError, match="cannot be read: it is no JSON"):
            ask("quant")
    engine.does("none")
    assert states.of("quant") == State() and not states.has("quant")
    with pytest.raises(UserError, match="There is no stack quant"):
        states.exported("quant")


def test_secrets_in_plain_text_are_not_kept(engine: Engine) -> None:
    """What was exported with them is nobody else's answer."""
    states = States(engine.environ)
    assert states.with_secrets("quant")["deployment"]["resources"] == [{"urn": "1"}]
    assert seen(states) == "2"


def test_an_update_exports_the_state_before_and_after(team: Team, tmp_path: Path) -> None:
    """`quantctl up`: one preview, one update, and no question asked twice; the four environments once each by `status`.

    The wrapper stands for an installed engine, with which the providers' Diffs are left out only after a look.
    """
    real = shutil.which("pulumi", path=team.environ["PATH"])
    record, wrapped = tmp_path / "record", tmp_path / "pulumi"
    wrapped.write_text(f'#!/bin/sh\necho "$1 $2 $3" >> {record}\nexec {real} "$@"\n')
    wrapped.chmod(0o755)
    path = {"PATH": f"{tmp_path}:{team.environ['PATH']}"}
    done = team.quantctl("up", "quant", "--yes", **path)
    assert done.returncode == 0, done.stdout + done.stderr
    asked = Counter(record.read_text().splitlines())
    once = ("version  ", "stack history --json", "preview --json -s", "stack export --show-secrets", "up --yes --plan")
    assert asked == {"stack export -s": 2, **dict.fromkeys(once, 1)}
    record.unlink()
    done = team.quantctl("status", "--format", "json", **path)
    assert [one["name"] for one in json.loads(done.stdout)["environments"]], done.stderr
    assert Counter(record.read_text().splitlines()) == {"stack export -s": 4, "version  ": 1}
