"""Faults between the engine and the two systems, and the matrix of them: `make faults`.

A fault strikes one request of a run, before or after its handler; afterwards one documented command must make everything
whole: no job twice, nothing stuck, no traceback, and no "clean" that is not.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from tests.conftest import Team
from tests.matrix import run
from tests.rewound import Rewound, tracebacks
from tests.situations import TAKEN_BACK
from tests.world import differences

KINDS = (
    "reset before", "reset after", "504 before", "504 after",
    "garbage after", "truncated after", "html before", "429 before",
)  # fmt: skip
# What a request is called, its method, and what is looked for in its path and body.
REQUESTS = {
    "create a job": ("POST", "/jobs/create"),
    "change a job": ("POST", "/jobs/reset"),
    "delete a job": ("POST", "/jobs/delete"),
    "create the folder": ("POST", "/api/2.0/repos"),
    "move the folder": ("PATCH", "/api/2.0/repos/"),
    "create the scope": ("POST", "/secrets/scopes/create"),
    "set permissions": ("PUT", "/api/2.0/permissions/"),
    "create the schema": ("POST", "CREATE SCHEMA"),
    "create a database role": ("POST", "CREATE DATABASE ROLE"),
    "create the service user": ("POST", "CREATE USER"),
    "grant": ("POST", "GRANT "),
    "revoke": ("POST", "REVOKE "),
    "drop": ("POST", "DROP "),
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
    TAKEN_BACK: ("move the folder", "change a job", "delete a job"),
    "destroy": ("delete a job", "revoke", "drop"),
    "fix": ("create a job", "set permissions", "change a job"),
    "promotion": ("move the folder", "change a job", "list runs", "read the folder"),
    "rollback": ("move the folder", "change a job", "read the folder"),
    "drift": _READING,
    "status": ("list jobs", "list runs", "read the folder"),
    "preview": ("read the folder",),
}


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


def strike(stage: Rewound, fault: Fault) -> tuple[bool, list[str]]:
    """The situation's command with a fault: whether it came, and what is not whole after the one documented command."""
    scene = stage.scene(fault.situation)
    with behind(stage.team, fault) as struck:
        # `pulumi destroy` is no command of quantctl's.
        ended = (struck.pulumi if scene.command[0] == "destroy" else struck.quantctl)(*scene.command)
    said = ended.stdout + ended.stderr
    if scene.before is not scene.after:
        return fault.struck, stage.made_whole(scene, ended.returncode, said)
    # What only reads has nothing to make whole: it changes nothing, and never says that all is well.
    expected = (1, 2) if scene.command[0] == "drift" else (0, 1)  # somebody has changed a job by hand
    found = [] if ended.returncode in expected else [f"{scene.command[0]} exits {ended.returncode}: {said[-600:]}"]
    return fault.struck, [*found, *tracebacks(said), *differences(scene.before, stage.world())]


def sample(seed: int, count: int) -> list[Fault]:
    """So many of situation x request x kind, the same for the same seed."""
    cases = [
        Fault(kind, request, situation=where) for where, names in SITUATIONS.items() for request in names for kind in KINDS
    ]
    return random.Random(seed).sample(cases, min(count, len(cases))) if count else cases


if __name__ == "__main__":
    run(sample, strike, __doc__ or "", 0)
