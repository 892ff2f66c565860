"""Faults between the engine and the two systems, and the matrix of them: `make faults`.

A fault strikes one request of a run, before or after its handler; afterwards one documented command must make everything
whole: no job twice, nothing stuck, no traceback, and no "clean" that is not.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import http.server
import json
import random
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import requests
import yaml
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.jobs import JobSettings

from infra.naming import SECRET_KEY
from tests.conftest import Team, deployed
from tests.paths import ROOT

ENV = "quant_stg"
KINDS = (
    "reset before", "reset after", "504 before", "504 after",
    "garbage after", "truncated after", "html before", "429 before",
)  # fmt: skip
# What a request is called, its method, and what is looked for in its path and body.
REQUESTS = {
    "create a job": ("POST", "/jobs/create"),
    "change a job": ("POST", "/jobs/reset"),
    "create the folder": ("POST", "/api/2.0/repos"),
    "move the folder": ("PATCH", "/api/2.0/repos/"),
    "create the scope": ("POST", "/secrets/scopes/create"),
    "set permissions": ("PUT", "/api/2.0/permissions/"),
    "create the schema": ("POST", "CREATE SCHEMA"),
    "create a database role": ("POST", "CREATE DATABASE ROLE"),
    "create the service user": ("POST", "CREATE USER"),
    "grant": ("POST", "GRANT "),
    "list jobs": ("GET", "/jobs/list"),
    "list runs": ("GET", "/jobs/runs/list"),
    "read a job": ("GET", "/jobs/get"),
    "read the folder": ("GET", "/api/2.0/repos"),
    "read permissions": ("GET", "/api/2.0/permissions/"),
    "list secrets": ("GET", "/secrets/list"),
    "read grants": ("POST", "SHOW GRANTS"),
    "read the schema": ("POST", "SHOW SCHEMAS"),
}
_READING = (
    "list jobs",
    "read a job",
    "read the folder",
    "read permissions",
    "list secrets",
    "read grants",
    "read the schema",
)
FIRST = tuple(name for name in REQUESTS if name.startswith(("create", "set", "grant")))
# What is done -> the requests of it that are struck.
SITUATIONS = {
    "first deployment": FIRST,
    "update": ("move the folder", "change a job"),
    "fix": ("create a job", "set permissions", "change a job"),
    "promotion": ("move the folder", "change a job", "list runs", "read the folder"),
    "rollback": ("move the folder", "change a job", "read the folder"),
    "drift": _READING,
    "status": ("list jobs", "list runs", "read the folder"),
    "preview": ("read the folder", "list jobs"),
}
EDGES = ("quant -> quant_stg", "quant_stg -> quant_lr", "quant_lr -> quant_live")
OPEN = {"soakDays": 0, "successfulRuns": 0, "failedRuns": 99, "approvals": 0, "signOff": False, "releaseManager": False}
LOOKS = ("drift", "status", "preview")


@dataclass
class Fault:
    """One request that goes wrong: the `nth` of its name. `struck` is whether it came."""

    kind: str
    request: str
    nth: int = 1
    struck: bool = False
    situation: str = ""

    def __str__(self) -> str:
        return f"{self.kind}, {self.request} ({self.nth})"


@contextlib.contextmanager
def faulty(target: str, fault: Fault) -> Iterator[str]:
    """The system at `target` behind a host at which one request goes wrong."""
    seen, lock = 0, threading.Lock()
    method, needle = REQUESTS[fault.request]

    def strikes(command: str, path: str, body: bytes) -> bool:
        nonlocal seen
        text = path if "statement" not in path and "query-request" not in path else _statement(body)
        if command != method or needle not in text or fault.struck:
            return False
        with lock:
            seen += 1
            fault.struck = seen == fault.nth
            return fault.struck

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            struck = strikes(self.command, self.path, body)
            if struck and fault.kind.endswith("before"):
                self._wrong(b"")
                return
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            found = requests.request(self.command, target + self.path, data=body, headers=kept, timeout=120)
            if struck:
                self._wrong(found.content)
                return
            self._send(found.status_code, found.content, found.headers.get("Content-Type", "application/json"))

        def _wrong(self, content: bytes) -> None:
            kind = fault.kind.split()[0]
            if kind == "429":
                self._send(429, b'{"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "Too many"}', "application/json")
            elif kind == "504":
                self._send(504, b"<html>gateway timeout</html>", "text/html")
            elif kind == "html":
                self._send(200, b"<html>a proxy answers</html>", "text/html")
            elif kind == "garbage":
                self._send(200, b'{"job_id": 12, \x00\xff', "application/json")
            else:
                if kind == "truncated":
                    self._send(200, content[: len(content) // 2], "application/json", len(content))
                self.close_connection = True
                self.connection.close()

        def _send(self, status: int, content: bytes, kind: str, length: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("X-Databricks-Org-Id", "4000000000000001")
            self.send_header("Content-Length", str(len(content) if length is None else length))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing on the output."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A connection that was broken on purpose."""

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _statement(body: bytes) -> str:
    with contextlib.suppress(ValueError):
        return str(json.loads(body).get("sqlText", ""))
    return ""


@contextlib.contextmanager
def behind(team: Team, fault: Fault) -> Iterator[Team]:
    """The team's shell with the fault between it and the system that the request goes to."""
    environ = team.environ
    if REQUESTS[fault.request][1].startswith("/"):
        with faulty(environ["DATABRICKS_HOST"], fault) as host:
            yield Team({**environ, "DATABRICKS_HOST": host}, team.clone, team.credentials)
    else:
        target = f"http://{environ['SNOWFLAKE_HOST']}:{environ['SNOWFLAKE_PORT']}"
        with faulty(target, fault) as host:
            port = str(urlsplit(host).port)
            yield Team({**environ, "SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": port}, team.clone, team.credentials)


def wrong(team: Team, *outputs: str) -> list[str]:
    """What is not whole in the environment, and what was told wrongly: tracebacks, jobs that are there twice, drift."""
    found = ["a traceback"] if any(word in text for text in outputs for word in ("Traceback (most", "goroutine ")) else []
    names = [job.settings.name for job in team.workspace("deployer").jobs.list() if job.settings]
    found += [
        f"{name} is there {names.count(name)} times" for name in sorted({str(n) for n in names}) if names.count(name) > 1
    ]
    _with_a_key(team)
    seen = team.quantctl("drift", ENV, "--thorough")
    return found if seen.returncode == 0 else [*found, f"drift exits {seen.returncode}: {seen.stdout[-600:]}"]


def _with_a_key(team: Team) -> None:
    """Give the jobs a key where a scope was made anew: it is in no state, so an update does not put it back."""
    try:
        held = [secret.key for secret in team.workspace("deployer").secrets.list_secrets(ENV)]
    except DatabricksError:
        return  # there is no scope, which drift tells
    if SECRET_KEY not in held:
        done = team.quantctl("keys", "rotate", ENV, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr


def strike(team: Team, fault: Fault, *command: str) -> list[str]:
    """A command with a fault, then the one documented command; what is not whole after it."""
    with behind(team, fault) as struck:
        ended = struck.quantctl(*command)
    if command[0] in LOOKS and "--fix" not in command:
        found = _looked(ended.returncode, command[0], ended.stdout + ended.stderr)
        team.quantctl("drift", ENV, "--fix", "--yes")  # what was changed by hand is not left to the next case
        return found
    if command[0] in ("promote", "rollback") and ended.returncode != 0:
        resumed = team.quantctl(*command)  # "rerun the same command to resume"
        if resumed.returncode != 0:
            return [f"{' '.join(command)} exits {resumed.returncode} again: {resumed.stderr[-800:]}"]
    if ended.returncode == 0 and (left := wrong(team, ended.stdout, ended.stderr)):
        return [f"exit 0, and {text}" for text in left]
    helped = team.quantctl("up", ENV, "--yes")
    told = [] if helped.returncode == 0 else [f"quantctl up exits {helped.returncode}: {helped.stderr[-800:]}"]
    return [*told, *wrong(team, ended.stdout, ended.stderr, helped.stdout, helped.stderr)]


def _looked(status: int, command: str, said: str) -> list[str]:
    """What only reads has nothing to make whole: it says what it could not read, and never that all is well."""
    found = ["a traceback"] if "Traceback (most" in said or "goroutine " in said else []
    if command == "drift" and status not in (1, 2):  # somebody has changed a job by hand
        found.append(f"drift exits {status} though a job was changed: {said[-600:]}")
    if command != "drift" and status not in (0, 1):
        found.append(f"{command} exits {status}: {said[-600:]}")
    return found


def prepare(team: Team, situation: str, number: int) -> tuple[str, ...]:
    """Bring the situation about; the command that is run in it."""
    workspace = team.workspace("deployer")
    if situation == "first deployment":
        team.pulumi("destroy", "--yes", "--skip-preview", "-s", ENV)
        return "up", ENV, "--yes"
    if situation in ("status", "preview"):
        return situation, *((ENV,) if situation == "preview" else ())
    if situation == "rollback":
        prepare(team, "update", number)
        done = team.quantctl("up", ENV, "--yes")
        assert done.returncode == 0, done.stderr
        return "rollback", ENV, "--yes"
    if situation == "promotion":
        text = team.git("show", "origin/quant:workflows/signal_report.yml")
        line = next(line for line in text.splitlines() if line.startswith("timeout_seconds:"))
        changed = text.replace(line, f"timeout_seconds: {3000 + number}")
        team.git("fetch", "-q", "origin")
        team.git("checkout", "-q", "-B", "quant", "origin/quant")
        team.git("merge", "-q", "--no-edit", "-s", "ours", f"origin/{ENV}")  # the target's own commits are in it
        team.git("push", "-q", "origin", "HEAD:refs/heads/quant")
        team.commit("quant", "workflows/signal_report.yml", changed + "\n", "Longer still")
        team.up("quant")
        return "promote", "quant", ENV, "--yes"
    if situation == "update":
        text = team.git("show", f"origin/{ENV}:workflows/signal_report.yml")
        line = next(line for line in text.splitlines() if line.startswith("timeout_seconds:"))
        team.commit(
            ENV, "workflows/signal_report.yml", text.replace(line, f"timeout_seconds: {2000 + number}") + "\n", "Longer"
        )
        return "up", ENV, "--yes"
    [job] = list(workspace.jobs.list(name=f"{ENV} risk_model"))
    if situation == "drift":
        workspace.jobs.update(job.job_id or 0, new_settings=JobSettings(timeout_seconds=4000 + number))
        return "drift", ENV
    workspace.jobs.delete(job.job_id or 0)
    [other] = list(workspace.jobs.list(name=f"{ENV} signal_report"))
    workspace.jobs.update(other.job_id or 0, new_settings=JobSettings(timeout_seconds=4000 + number))
    return "drift", ENV, "--fix", "--yes"


def open_gates(folder: Path) -> Path:
    """A project like the checkout's, in which every gate is open: a fault is not told by one."""
    project = folder / "project"
    project.mkdir()
    for file in ROOT.glob("Pulumi*.yaml"):
        said = yaml.safe_load(file.read_text())
        if file.name == "Pulumi.yaml":
            said["config"]["gates"] = {"value": dict.fromkeys(EDGES, OPEN)}
            said |= {"main": str(ROOT), "runtime": {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}}}
        (project / file.name).write_text(yaml.safe_dump(said))
    shutil.copytree(ROOT / "policy", project / "policy", ignore=shutil.ignore_patterns("__pycache__", "rules"))
    return project


class Strike(Protocol):
    """A case of a matrix."""

    @property
    def situation(self) -> str: ...


Case = TypeVar("Case", bound=Strike)
Say = Callable[[str], None]


def matrix(cases: Iterable[Case], strike: Callable[[Team, Case, int], tuple[str, bool, list[str]]], say: Say) -> int:
    """Each case on one sandbox, in a project whose gates are open; how many did not become whole.

    `strike` says in which situation it was, whether the case came about, and what is not whole after it.
    """
    counts: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    folder = Path(tempfile.mkdtemp(prefix="quant-matrix-"))
    try:
        own = folder / "team"  # what is deployed once, and copied, lies beside it
        own.mkdir()
        with deployed(own) as plain:
            team = Team({**plain.environ, "QUANT_PROJECT": str(open_gates(folder))}, plain.clone, plain.credentials)
            for number, case in enumerate(cases):
                where, came, left = strike(team, case, number)
                outcome = "not whole" if left else "whole" if came else "not struck"
                counts[where][outcome] += 1
                say(f"{where}: {case}: {outcome} {'; '.join(left)}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for where, found in counts.items():
        say(f"{where:<18}" + "".join(f"{found[outcome]:>5} {outcome}" for outcome in ("whole", "not whole", "not struck")))
    return sum(found["not whole"] for found in counts.values())


def run(seeded: Callable[[int, int], Iterable[Case]], strike: Any, help: str, count: int) -> None:
    """The command line of a matrix: [--seed N] [--count N] [--only TEXT]."""
    parser = argparse.ArgumentParser(description=help)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=count, help="so many of the matrix; 0: all of it")
    parser.add_argument("--only", default="", help="those whose line has this text, to repeat one that was not whole")
    asked = parser.parse_args()
    cases = [case for case in seeded(asked.seed, asked.count) if asked.only in f"{case.situation}: {case}"]
    sys.exit(1 if matrix(cases, strike, lambda text: print(text, flush=True)) else 0)


def sample(seed: int, count: int) -> list[Fault]:
    """So many of situation x request x kind, the same for the same seed."""
    cases = [
        Fault(kind, request, situation=where) for where, names in SITUATIONS.items() for request in names for kind in KINDS
    ]
    return random.Random(seed).sample(cases, min(count, len(cases))) if count else cases


def _case(team: Team, fault: Fault, number: int) -> tuple[str, bool, list[str]]:
    left = strike(team, fault, *prepare(team, fault.situation, number))
    return fault.situation, fault.struck, left


if __name__ == "__main__":
    run(sample, _case, __doc__ or "", 0)
