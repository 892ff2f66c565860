"""The one door to the workspace: throttling, refusals, pages, and answers that are none. Against a real HTTP server."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from infra.outside.workspace import GitFolder, Workspace
from infra.outside.workspace_connection import Missing, Unreadable

Answer = tuple[int, dict[str, str], Any]


class Server(http.server.ThreadingHTTPServer):
    """Answers what was put into `answers` (path -> answers, the last one for ever), and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []

    @property
    def environ(self) -> dict[str, str]:
        return {"DATABRICKS_HOST": f"http://127.0.0.1:{self.server_address[1]}", "DATABRICKS_TOKEN": "dapi-secret"}


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        queue = self.server.answers.get(self.path.split("?")[0], [(404, {}, {"error_code": "NOT_FOUND", "message": "no"})])
        status, headers, body = queue.pop(0) if len(queue) > 1 else queue[0]
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(sent))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr("infra.outside.workspace_connection.time.sleep", waited.append)
    return waited


ME = "/api/2.0/preview/scim/v2/Me"
BUSY: Answer = (429, {"Retry-After": "4"}, {"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "slow down"})


def test_a_throttled_question_is_asked_again_when_the_workspace_says(server: Server, slept: list[float]) -> None:
    """Once: the answer comes, and the wait is told as it begins."""
    server.answers[ME] = [BUSY, (200, {}, {"userName": "dana"})]
    told: list[str] = []
    assert Workspace(server.environ, say=told.append).me() == {"userName": "dana"}
    assert (slept, told) == ([4.0], ["Databricks: throttled, waiting 4 s"])


def test_throttling_has_an_end_and_blames_no_token(server: Server, slept: list[float]) -> None:
    """Ten times and more: the budget is spent and no more, and the words do not send anybody to check a login."""
    server.answers[ME] = [BUSY]
    with pytest.raises(Unreadable) as told:
        Workspace(server.environ, patience=20).me()
    assert sum(slept) == 20
    assert "throttled" in str(told.value) and "TOKEN" not in str(told.value)


def test_a_long_wait_is_not_begun(server: Server, slept: list[float]) -> None:
    """Retry-After: 60 within a budget of 15 seconds is told at once."""
    server.answers[ME] = [(503, {"Retry-After": "60"}, {})]
    with pytest.raises(Unreadable, match=r"60 s more, and 15 s is the most"):
        Workspace(server.environ, patience=15).me()
    assert slept == []


def test_without_a_time_the_waits_double(server: Server, slept: list[float]) -> None:
    """No Retry-After."""
    server.answers[ME] = [(429, {}, {}), (503, {}, {}), (429, {"Retry-After": "soon"}, {}), (200, {}, {})]
    assert Workspace(server.environ).me() == {}
    assert slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {}, {"message": "bad token"}), ["401", "bad token", "DATABRICKS_TOKEN"]),
        ((403, {}, {"message": "Invalid access token."}), ["403", "does not accept the login", "DATABRICKS_TOKEN"]),
        ((403, {}, {"message": "not you"}), ["403", "not you", "CAN_READ on the folder /quant is enough"]),
        ((302, {"Location": "https://login"}, {}), ["redirection", "DATABRICKS_HOST"]),
        ((500, {}, {"message": "oh"}), ["500", "oh"]),
        ((200, {}, b"<html>Sign in</html>"), ["no JSON object", "<html>", "DATABRICKS_HOST"]),
        ((200, {}, [1]), ["no JSON object"]),
        ((200, {}, b""), ["no JSON object"]),
    ],
)
def test_what_is_no_answer_is_never_nothing_there(server: Server, answer: Answer, words: list[str]) -> None:
    """Each refusal says what to check, and none of them reads as a folder that is not there."""
    server.answers["/api/2.0/workspace/get-status"] = [answer]
    with pytest.raises(Unreadable) as told:
        Workspace(server.environ).git_folder("/quant")
    for word in words:
        assert word in str(told.value)
    assert "dapi-secret" not in str(told.value)


REPO = {"id": 7, "path": "/Workspace/quant", "branch": "quant", "head_commit_id": "a" * 40}


@pytest.mark.parametrize(
    "status", [{"object_type": "REPO"}, {"object_type": "DIRECTORY", "directory_info": {"is_git_folder": True}}]
)
def test_a_git_folder_is_found_by_its_path_either_way(server: Server, status: dict[str, Any]) -> None:
    """With Git CLI access and without; the deprecated list is never asked."""
    server.answers["/api/2.0/workspace/get-status"] = [(200, {}, {**status, "object_id": 7})]
    server.answers["/api/2.0/repos/7"] = [(200, {}, REPO)]
    assert Workspace(server.environ).git_folder("/quant") == GitFolder(7, "/quant", "quant", "a" * 40)
    assert all(not path.startswith("/api/2.0/repos?") for path in server.asked)


def test_only_a_404_is_nothing_there(server: Server) -> None:
    """The workspace says that there is no such path."""
    assert Workspace(server.environ).git_folder("/quant") is None


@pytest.mark.parametrize(
    ("code", "message", "missing"),
    [
        ("INVALID_PARAMETER_VALUE", "Job 12 does not exist.", True),
        ("INVALID_PARAMETER_VALUE", "Job settings are not valid: the cluster 12 does not exist.", False),
        ("MALFORMED_REQUEST", "Job 12 does not exist.", False),
    ],
)
def test_a_job_that_is_missing_is_a_400(server: Server, code: str, message: str, missing: bool) -> None:
    """As databricks-sdk-py has it (errors/overrides.py); any other 400 says nothing about the job."""
    server.answers["/api/2.2/jobs/get"] = [(400, {}, {"error_code": code, "message": message})]
    with pytest.raises(Unreadable) as told:
        Workspace(server.environ).job(12)
    assert isinstance(told.value, Missing) is missing


def test_something_else_at_the_path_is_told(server: Server) -> None:
    """A plain directory where the Git folder belongs."""
    server.answers["/api/2.0/workspace/get-status"] = [(200, {}, {"object_type": "DIRECTORY", "object_id": 7})]
    with pytest.raises(Unreadable, match="no Git folder but a directory"):
        Workspace(server.environ).git_folder("/quant")


def test_a_folder_that_vanishes_between_two_questions_is_unknown(server: Server) -> None:
    """The path is there and its id is not: nobody knows what it is at."""
    server.answers["/api/2.0/workspace/get-status"] = [(200, {}, {"object_type": "REPO", "object_id": 7})]
    with pytest.raises(Missing):
        Workspace(server.environ).git_folder("/quant")


def test_lists_are_read_to_their_end(server: Server) -> None:
    """By the token that the endpoint hands out; SCIM by its counts."""
    pages: list[Answer] = [
        (200, {}, {"jobs": [{"job_id": 1}], "next_page_token": "t"}),
        (200, {}, {"has_more": True, "next_page_token": "u"}),
        (200, {}, {"jobs": [{"job_id": 2}], "next_page_token": ""}),
    ]
    server.answers["/api/2.2/jobs/list"] = pages
    assert [job["job_id"] for job in Workspace(server.environ).jobs()] == [1, 2]
    assert [path.partition("page_token=")[2] for path in server.asked] == ["", "t", "u"]
    groups = [{"displayName": f"g{number}"} for number in range(3)]
    server.answers["/api/2.0/preview/scim/v2/Groups"] = [
        (200, {}, {"Resources": groups[:2], "totalResults": 3}),
        (200, {}, {"Resources": groups[2:], "totalResults": 3}),
    ]
    assert Workspace(server.environ).groups(["g0", 'a "quoted" \\ one']) == {"g0", "g1", "g2"}
