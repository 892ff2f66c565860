"""The local Snowflake account: the drivers' protocol. The routes below are what it emulates; anything else is 404."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.account import login
from sandbox.account.errors import SqlError
from sandbox.account.execute import execute
from sandbox.account.state import State
from sandbox.account.wire import failure, success

_log = logging.getLogger(__name__)
Answer = Callable[[State, Request, dict[str, Any]], dict[str, Any]]


def create_app(db_path: Path) -> Starlette:
    """The account over a state file."""
    state = State(db_path)
    routes: tuple[tuple[str, Answer], ...] = (
        ("/session/v1/login-request", _login),
        ("/session/token-request", _renew),
        ("/session/heartbeat", _heartbeat),
        ("/session", _session),
        ("/queries/v1/query-request", _query),
        ("/queries/v1/abort-request", _nothing),
        ("/telemetry/send", _nothing),
    )
    return Starlette(routes=[Route(path, _endpoint(state, answer), methods=["POST"]) for path, answer in routes])


def _endpoint(state: State, answer: Answer) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()

        def respond() -> dict[str, Any]:
            unpacked = gzip.decompress(raw) if request.headers.get("content-encoding") == "gzip" else raw
            return answer(state, request, json.loads(unpacked) if unpacked.strip() else {})

        try:
            return JSONResponse(await run_in_threadpool(respond))
        except SqlError as error:
            return JSONResponse(failure(error.code, error.state, error.message))
        except Exception as error:
            # Drivers repeat a 500 for minutes; Snowflake itself answers an internal error as an SQL error.
            _log.exception("a defect of this sandbox")
            return JSONResponse(failure("300002", "XX000", f"Processing aborted by error 300002: {error!r} (sandbox)"))

    return endpoint


def _login(state: State, request: Request, body: dict[str, Any]) -> dict[str, Any]:
    return _ok(login.log_in(state, body.get("data", {}), dict(request.query_params)))


def _renew(state: State, request: Request, body: dict[str, Any]) -> dict[str, Any]:
    return _ok(login.renew(state, login.master_of(request.headers.get("authorization", ""))))


def _heartbeat(state: State, request: Request, body: dict[str, Any]) -> dict[str, Any]:
    login.session_of(state, request.headers.get("authorization", ""))
    return _ok(None)


def _session(state: State, request: Request, body: dict[str, Any]) -> dict[str, Any]:
    session = login.session_of(state, request.headers.get("authorization", ""))
    if request.query_params.get("delete") == "true":
        login.log_out(state, session)
    return _ok(None)


def _query(state: State, request: Request, body: dict[str, Any]) -> dict[str, Any]:
    session = login.session_of(state, request.headers.get("authorization", ""))
    bound = body.get("bindings") or {}
    values = [bound[key].get("value") for key in sorted(bound, key=int)]
    return success(execute(state, session, str(body.get("sqlText", "")), values), session)


def _nothing(state: State, request: Request, body: dict[str, Any]) -> dict[str, Any]:
    return _ok(None)


def _ok(data: Any) -> dict[str, Any]:
    return {"data": data, "message": None, "code": None, "success": True}
