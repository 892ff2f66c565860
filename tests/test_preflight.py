"""Before anything is declared: whatever an endpoint does, there is an answer in words, and in time."""

from __future__ import annotations

import http.server
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.errors import UserError
from infra.outside import preflight
from infra.outside.branch import take_snapshot
from tests.test_settings import read

Behaviour = Callable[[http.server.BaseHTTPRequestHandler], None]
Host = Callable[[Behaviour], str]
ended = threading.Event()  # lets what drips end with its test


def drip(handler: http.server.BaseHTTPRequestHandler) -> None:
    """A byte now and then, and never the last one."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not ended.wait(0.2):
        handler.wfile.write(b" ")


def silent(handler: http.server.BaseHTTPRequestHandler) -> None:
    """A connection, and nothing more."""
    ended.wait()


def later(handler: http.server.BaseHTTPRequestHandler) -> None:
    """Come back in a minute."""
    handler.send_response(429)
    handler.send_header("Retry-After", "60")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def page(handler: http.server.BaseHTTPRequestHandler) -> None:
    """A proxy's login page, with status 200."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    body = b"<html><body>Sign in</body></html>"
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    """Starts a server that behaves in one way; its address."""
    servers = []
    ended.clear()

    def start(behave: Behaviour) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                try:
                    behave(self)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    ended.set()
    for server in servers:
        server.shutdown()


@pytest.fixture
def remote(tmp_path: Path) -> str:
    """A pipelines repository with the branch quant."""
    work = tmp_path / "work"
    subprocess.run(["git", "init", "-q", "-b", "quant", str(work)], check=True)
    identity = ["-c", "user.name=Dana", "-c", "user.email=dana@quant.example"]
    subprocess.run(["git", *identity, "-C", str(work), "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    return str(work)


@pytest.mark.parametrize("who", ["Databricks", "Snowflake"])
@pytest.mark.parametrize("behave", [drip, silent, later, page], ids=lambda one: str(one.__name__))
def test_no_endpoint_holds_the_program(
    behave: Behaviour,
    who: str,
    host: Callable[[Behaviour], str],
    remote: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """One deadline for all of it; Snowflake's door asks only whether anybody answers, and its provider logs in."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(preflight, "DEADLINE_SECONDS", 3.0)
    bad, good = host(behave), host(page)
    workspace, account = (bad, good) if who == "Databricks" else (good, bad)
    settings = read("quant").model_copy(update={"remote": remote})
    environ = {
        "DATABRICKS_HOST": workspace,
        "DATABRICKS_TOKEN": "x",
        "SNOWFLAKE_HOST": "127.0.0.1",
        "SNOWFLAKE_PORT": account.rpartition(":")[2],
        "SNOWFLAKE_PROTOCOL": "http",
    }
    done: list[str] = []

    def ask() -> None:
        with pytest.raises(UserError) as told:
            preflight.check(settings, environ)
        done.append(str(told.value))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(60)  # whoever waits for the endpoint waits for ever
    assert done, "there was no answer at all"
    assert "Databricks" in done[0] and "does not exist" not in done[0]


def test_a_page_in_place_of_a_git_host_is_no_missing_branch(
    host: Callable[[Behaviour], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git takes it for an old repository without refs: nobody is told to push a branch."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"no branch at all.*no Git host"):
        take_snapshot(f"{host(page)}/team/pipelines.git", "quant")


def test_what_answers_late_is_waited_for_no_longer() -> None:
    """The others' answers are there; the late one is named with the time that it had."""
    from infra.outside.at_once import ask_at_once

    with pytest.raises(UserError, match=r"^late: no answer in 1 s"):
        ask_at_once({"soon": lambda: 1, "late": lambda: time.sleep(3600)}, {}, time.monotonic() + 1)
    assert ask_at_once({"soon": lambda: 1}, {}, time.monotonic() + 1) == {"soon": 1}
