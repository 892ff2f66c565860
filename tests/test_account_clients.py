"""Which clients work with the account: each in an environment of its own, made on the fly. `pytest -m clients`.

What they do is told in the table of sandbox/account/README.md, which this test writes; it fails when the table changes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.state import State
from tests.account_sandbox import Account, running
from tests.paths import ROOT

pytestmark = pytest.mark.clients
_README = ROOT / "sandbox" / "account" / "README.md"
_BETWEEN = re.compile(r"(?<=<!-- clients -->\n).*?(?=<!-- end of clients -->)", re.S)
# Versions that install without a download from elsewhere, with a connector that knows local stages (before 5).
_PACKAGES = {
    "SQLAlchemy": ["snowflake-sqlalchemy<2", "sqlalchemy<2.1", "snowflake-connector-python<5", "pandas", "pyarrow"],
    "dbt": ["dbt-snowflake>=1.9,<1.11", "dbt-core>=1.9,<1.11"],
    "Snowflake CLI": ["snowflake-cli<4"],
    "SnowDDL": ["snowddl==0.70.1", "snowflake-connector-python<5"],
}
_DBT = ("seed", "run", "run", "test", "run --full-refresh")
_SNOW = (
    "connection test", "sql -q 'create or replace table T (N int); insert into T values (1); select * from T'",
    "object list table", "stage create S", "stage list-files @S", "object list task",
)  # fmt: skip
_ROLES = "--include-object-types database,schema,role,user,warehouse"
_SNOWDDL = (
    f"{_ROLES} plan", f"{_ROLES} apply", f"{_ROLES} --detailed-exitcode plan", "plan", f"{_ROLES} destroy",
)  # fmt: skip
Told = list[tuple[str, str, str]]


def test_the_clients_do_what_the_readme_says(tmp_path: Path) -> None:
    """A row for each client and what was tried."""
    with running(State(tmp_path / "state")) as account:
        account.sql("CREATE DATABASE CLIENTS")
        clients = (_sqlalchemy, _dbt, _snow, _snowddl)
        told = [row for client in clients for row in client(account, tmp_path)]
    table = "| client | what | |\n|---|---|---|\n" + "".join(f"| {' | '.join(row)} |\n" for row in told)
    before = _README.read_text()
    _README.write_text(_BETWEEN.sub(lambda _: table, before))
    assert _README.read_text() == before


def _environment(client: str, tmp_path: Path) -> Path:
    """The folder of its programs."""
    folder = tmp_path / client.replace(" ", "-")
    uv = shutil.which("uv")
    assert uv is not None, "uv makes the environments of the clients"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([uv, "pip", "install", "-q", "--python", python, *_PACKAGES[client]], check=True)
    return folder / "bin"


def _run(command: list[str], cwd: Path) -> tuple[bool, str]:
    environ = os.environ | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=environ, timeout=300)
    return done.returncode == 0, done.stdout + done.stderr


def _result(done: tuple[bool, str]) -> str:
    """`works`, or the refusal in the sandbox's words."""
    good, said = done
    words = re.sub(r"[\s│]+", " ", said)
    found = re.search(r"Unsupported feature '.*?' \(this sandbox does not emulate it\)", words)
    return "works" if good else found[0] if found else f"fails: {words[-160:]}"


def _where(account: Account) -> tuple[str, str, str]:
    return account.endpoints.host, str(account.endpoints.snowflake_port), str(account.state.key_file("ada"))


def _sqlalchemy(account: Account, tmp_path: Path) -> Told:
    python = _environment("SQLAlchemy", tmp_path) / "python"
    _, said = _run([str(python), str(ROOT / "tests" / "clients" / "sqlalchemy_steps.py"), *_where(account)], tmp_path)
    steps = [line.partition("\t") for line in said.splitlines() if "\t" in line]
    assert steps, said
    return [("SQLAlchemy with pandas", name, result) for name, _, result in steps]


def _dbt(account: Account, tmp_path: Path) -> Told:
    programs, project = _environment("dbt", tmp_path), tmp_path / "project"
    shutil.copytree(ROOT / "tests" / "clients" / "dbt", project)
    host, port, key = _where(account)
    settings = (
        f"type: snowflake, account: sandbox, user: ADA, private_key_path: {key}, role: ACCOUNTADMIN, database: CLIENTS,"
        f" schema: DBT, warehouse: QUANT_WH, threads: 2, host: {host}, port: {port}, protocol: http"
    )
    (project / "profiles.yml").write_text(f"desk: {{target: dev, outputs: {{dev: {{{settings}}}}}}}\n")
    commands = [[str(programs / "dbt"), *command.split(), "--profiles-dir", str(project)] for command in _DBT]
    results = [_result(_run(command, project)) for command in commands]
    return [("dbt", f"`dbt {name}`", result) for name, result in zip(_DBT, results, strict=True)]


def _snow(account: Account, tmp_path: Path) -> Told:
    program, config = _environment("Snowflake CLI", tmp_path) / "snow", tmp_path / "config.toml"
    host, port, key = _where(account)
    config.write_text(
        f'[connections.s]\naccount = "sandbox"\nuser = "ADA"\nhost = "{host}"\nport = {port}\nprotocol = "http"\n'
        f'authenticator = "SNOWFLAKE_JWT"\nprivate_key_file = "{key}"\nrole = "ACCOUNTADMIN"\ndatabase = "CLIENTS"\n'
        'schema = "PUBLIC"\nwarehouse = "QUANT_WH"\n'
    )
    config.chmod(0o600)
    told = []
    for name in _SNOW:
        words = [part.strip("'") for part in re.findall(r"'[^']*'|\S+", name)]
        command = [str(program), "--config-file", str(config), *words, "-c", "s"]
        told.append(("Snowflake CLI", f"`snow {name.split(' -q')[0]}`", _result(_run(command, tmp_path))))
    return told


def _snowddl(account: Account, tmp_path: Path) -> Told:
    """Databases, schemas, warehouses, users, roles and their grants; the third plan must find nothing to change."""
    python, (host, port, key) = _environment("SnowDDL", tmp_path) / "python", _where(account)
    clients = ROOT / "tests" / "clients"
    who = ["-a", "sandbox", "-u", "ADA", "-k", key, "-r", "ACCOUNTADMIN", "-w", "QUANT_WH", "--env-prefix", "DEV"]
    common = [str(python), str(clients / "snowddl_here.py"), host, port, "-c", str(clients / "snowddl"), *who]
    results = [_result(_run([*common, *each.split()], tmp_path)) for each in _SNOWDDL]
    return [("SnowDDL", f"`snowddl {each}`", result) for each, result in zip(_SNOWDDL, results, strict=True)]
