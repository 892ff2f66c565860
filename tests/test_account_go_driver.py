"""The account and the Go driver, unmodified: the ordinary statements give the values that the Python driver gives."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox import identities
from tests import test_account_statements as ordinary
from tests.account_sandbox import Account
from tests.paths import ROOT

pytestmark = pytest.mark.real
SETUP = ordinary.SETUP


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built with the modules that the providers are built with."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("no Go")
    program = tmp_path_factory.mktemp("go") / "driver"
    source = str(ROOT / "tests" / "clients" / "go_driver.go")
    command = [go, "build", "-trimpath", "-mod=readonly", "-ldflags", "-s -w", "-o", str(program), source]
    environ = os.environ | {"GOWORK": "off", "GOPROXY": "off"}
    done = subprocess.run(
        command, cwd=ROOT / "toolchain" / "providers", env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode and "module lookup disabled" in done.stderr:
        pytest.skip("the driver is not in the Go module cache")
    assert done.returncode == 0, done.stderr
    return program


def asked(driver: Path, account: Account, statements: list[str]) -> list[Any]:
    """The answer to each statement, in one session."""
    key = "".join(account.state.key_file("ada").read_text().split("-----")[2].split())
    query = {
        "authenticator": "SNOWFLAKE_JWT", "privateKey": key.translate(str.maketrans("+/", "-_")), "protocol": "http",
        "role": "ACCOUNTADMIN", "account": identities.SNOWFLAKE_ACCOUNT,
    }  # fmt: skip
    where = f"ADA@{account.endpoints.host}:{account.endpoints.snowflake_port}"
    done = subprocess.run(
        [str(driver), f"{where}?{urlencode(query)}"],
        input=json.dumps(statements), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


def told(value: Any) -> Any:
    """A value of the Python driver as the Go driver's text of it, numbers by their value."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"  # the driver hands on the text of the wire
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        return moment
    return Decimal(str(value))


def read(text: Any, like: Any) -> Any:
    """The Go driver's text as a value like another."""
    if isinstance(text, str) and isinstance(like, datetime):
        return datetime.fromisoformat(text.replace("Z", ""))
    if isinstance(text, str) and isinstance(like, Decimal):
        return Decimal(text)
    return text


def test_the_go_driver_gives_the_same_values(driver: Path, account: Account) -> None:
    """Every query and script of the ordinary statements; a NULL is a NULL, a time is a time."""
    asks: list[tuple[str, list[str], ordinary.Rows]] = [(query, [], rows) for query, rows in ordinary.QUERIES]
    asks += [(question, statements, rows) for statements, question, rows in ordinary.SCRIPTS.values()]
    sent = ["USE SCHEMA DESK.RISK"]
    places = []
    for question, statements, _ in asks:
        sent += [*statements, question]
        places.append(len(sent) - 1)
    answers = asked(driver, account, sent)
    wrong = []
    for (question, _, rows), place in zip(asks, places, strict=True):
        wanted = [[told(value) for value in row] for row in rows]
        found = answers[place]
        if isinstance(found, list) and len(found) == len(wanted):
            found = [
                [read(text, like) for text, like in zip(*pair, strict=True)] for pair in zip(found, wanted, strict=True)
            ]
        if found != wanted:
            wrong.append((question, found, wanted))
    assert not wrong, wrong
    assert len(asks) >= 40


def test_a_refusal_has_its_number(driver: Path, account: Account) -> None:
    """The driver tells Snowflake's number and words."""
    [said] = asked(driver, account, ["SELECT * FROM DESK.RISK.NOWHERE"])
    assert "002003" in said and "NOWHERE" in said
