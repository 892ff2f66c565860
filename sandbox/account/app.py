"""The local Snowflake account: the drivers' protocol. Routes that are not below are refused by name."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.account import execute, login, sessions
from sandbox.account.errors import SqlError, unsupported
from sandbox.account.execute import Account
from sandbox.account.rows import Rows
from sandbox.account.sessions import Validity
from sandbox.account.state import State
from sandbox.account.wire import failure

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Call:
    """One request, unpacked."""

    account: Account
    validity: Validity
    body: dict[str, Any]
    query: dict[str, str]
    authorization: str
    address: str


Answer = Callable[[Call], dict[str, Any]]


def create_app(db_path: Path, validity: Validity | None = None) -> Starlette:
    """The account over a state file; tokens are good for an hour and four, unless told otherwise."""
    account = Account(State(db_path), Rows(db_path))
    how_long = validity or Validity()
    routes: tuple[tuple[str, Answer], ...] = (
        ("/session/v1/login-request", _login),
        ("/session/token-request", _renew),
        ("/session/heartbeat", _heartbeat),
        ("/session", _session),
        ("/queries/v1/query-request", _query),
        ("/queries/v1/abort-request", _abort),
        ("/telemetry/send", _telemetry),
    )
    known = [Route(path, _endpoint(account, how_long, answer), methods=["POST"]) for path, answer in routes]
    return Starlette(routes=[*known, Route("/{path:path}", _not_emulated, methods=_METHODS)])


async def _not_emulated(request: Request) -> Response:
    error = unsupported(f"{request.method} {request.url.path}")
    return JSONResponse(failure(error.code, error.state, error.message), 404)


def _endpoint(account: Account, validity: Validity, answer: Answer) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()

        def respond() -> dict[str, Any]:
            query, address = dict(request.query_params), request.client.host if request.client else ""
            authorization = request.headers.get("authorization", "")
            return answer(Call(account, validity, _unpacked(request, raw), query, authorization, address))

        try:
            return JSONResponse(await run_in_threadpool(respond))
        except SqlError as error:
            return JSONResponse(failure(error.code, error.state, error.message))
        except Exception as error:
            # Drivers repeat a 500 for minutes; Snowflake itself answers an internal error as an SQL error.
            _log.exception("a defect of this sandbox")
            return JSONResponse(failure("300002", "XX000", f"Processing aborted by error 300002: {error!r} (sandbox)"))

    return endpoint


def _unpacked(request: Request, raw: bytes) -> dict[str, Any]:
    try:
        text = gzip.decompress(raw) if request.headers.get("content-encoding") == "gzip" else raw
        body = json.loads(text) if text.strip() else {}
    except (OSError, EOFError, ValueError):
        raise SqlError("390400", "08001", "Bad request: the body is no JSON.") from None
    if not isinstance(body, dict):
        raise SqlError("390400", "08001", "Bad request: the body is no JSON object.")
    return body


def _login(call: Call) -> dict[str, Any]:
    data = call.body.get("data")
    return _ok(
        login.log_in(call.account.state, data if isinstance(data, dict) else {}, call.query, call.address, call.validity)
    )


def _renew(call: Call) -> dict[str, Any]:
    return _ok(sessions.renew(call.account.state, sessions.token_of(call.authorization), call.body, call.validity))


def _heartbeat(call: Call) -> dict[str, Any]:
    sessions.of_token(call.account.state, call.authorization, call.validity)
    return _ok(None)


def _session(call: Call) -> dict[str, Any]:
    """Looked at, or ended with delete=true: what its transaction has not committed is rolled back."""
    ending = call.query.get("delete") == "true"
    session = sessions.of_token(call.account.state, call.authorization, call.validity, also_expired=ending)
    if ending:
        call.account.rows.finish(session, "rollback")
        sessions.end(call.account.state, session)
    return _ok(None)


def _query(call: Call) -> dict[str, Any]:
    session = sessions.of_token(call.account.state, call.authorization, call.validity)
    if call.body.get("asyncExec"):
        raise unsupported("asynchronous execution")
    for name, value in (call.body.get("parameters") or {}).items():
        if name == "MULTI_STATEMENT_COUNT" and str(value) not in ("0", "1"):
            raise unsupported("several statements in one request")
    request = execute.Request(
        str(call.body.get("sqlText", "")),
        call.body.get("bindings") or {},
        bool(call.body.get("describeOnly")),
        call.query.get("requestId", ""),
    )
    return execute.execute(call.account, session, request)


def _abort(call: Call) -> dict[str, Any]:
    """Statements here are over before they can be aborted."""
    sessions.of_token(call.account.state, call.authorization, call.validity)
    return _ok(None)


def _telemetry(call: Call) -> dict[str, Any]:
    return _ok(None)


def _ok(data: Any) -> dict[str, Any]:
    return {"data": data, "message": None, "code": None, "success": True}
