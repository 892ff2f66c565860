"""The sandbox's Git host: the sample remote over HTTP, by git's own http-backend (https://git-scm.com/docs/git-http-backend),
and GitLab's API beside it (sandbox/forge).

The Databricks provider takes http and https URLs only. What one may do without a credential is said by `sandbox.switches`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import gzip
import os
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox import clock, switches
from sandbox.forge import app as forge_app
from sandbox.forge import hook, merge_requests, users
from sandbox.forge.call import PROJECT_PATH, World
from sandbox.forge.pushes import Change, guarded
from sandbox.forge.repository import Repository
from sandbox.forge.store import Store
from sandbox.forge.users import User
from sandbox.switches import Switches

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitLab"'}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(remote: Path, database: Path, hooks: Path, url: str) -> ASGIApp:
    """One bare repository under its own name and the project's, and the API of the forge whose address is `url`."""
    hook.write(hooks)
    world = World(Store(database), Repository(remote))

    async def backend(request: Request) -> Response:
        name, _, rest = request.path_params["path"].partition(".git/")
        if name not in (remote.stem, PROJECT_PATH) or not rest:
            return PlainTextResponse(f"404 Not Found: this sandbox does not emulate {request.url.path}\n", 404)
        who = await run_in_threadpool(_who, world.store, request.headers.get("authorization"))
        body, pushes = await request.body(), request.method == "POST" and rest == "git-receive-pack"
        needs_name = _needs_name(switches.read(database.parent), request, rest)
        if not needs_name and who is None and pushes:
            needs_name = await run_in_threadpool(_guarded, world.store, request, body)
        if who is False or (who is None and needs_name):
            return PlainTextResponse("HTTP Basic: Access denied\n", 401, _CHALLENGE)
        answer = await _http_backend(request, body, {
            "GIT_PROJECT_ROOT": str(remote.parent),
            "PATH_INFO": f"/{remote.name}/{rest}",
            "REMOTE_USER": who.username if who else "anonymous",
            **hook.environment(hooks, database, who.username if who else ""),
        })  # fmt: skip
        if pushes:
            await run_in_threadpool(merge_requests.pushed, world, who or None)
        return answer

    async def unknown(request: Request) -> Response:
        return JSONResponse({"error": f"404 Not Found: this sandbox does not emulate {request.url.path}"}, 404)

    app = Starlette(
        routes=[
            Route(forge_app.BASE + "/{rest:path}", forge_app.endpoint(world, url), methods=_METHODS),
            Route("/{path:path}", backend, methods=["GET", "POST"]),
            Route("/{path:path}", unknown, methods=_METHODS),
        ]
    )
    return clock.dated(app)


async def _http_backend(request: Request, body: bytes, environ: dict[str, str]) -> Response:
    """The CGI program's answer."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "GIT_HTTP_EXPORT_ALL": "1",
        "QUERY_STRING": request.url.query,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "HTTP_GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
        **environ,
    }
    process = await asyncio.create_subprocess_exec(
        "git", "-c", "safe.directory=*", "http-backend", env=environment,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate(body)
    head, _, content = out.partition(b"\r\n\r\n")
    headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n") if b": " in line)
    status = int(headers.pop("Status", "200").split()[0])
    return Response(content, status, headers)


def _who(store: Store, authorization: str | None) -> User | Any | None:
    """None without credentials, False with wrong ones. As in GitLab, any user name goes with a token."""
    if not authorization:
        return None
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, _, token = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    found = users.by_token(store, token) if scheme.lower() == "basic" and name else None
    return found or False


def _needs_name(switches: Switches, request: Request, rest: str) -> bool:
    """Whether git must say who it is, whatever it fetches or pushes."""
    pushes = "git-receive-pack" in (rest, request.query_params.get("service"))
    return switches.protected_remote or (pushes and not switches.anonymous_push)


def _guarded(store: Store, request: Request, body: bytes) -> bool:
    """Whether a push touches what is protected, so that git must say who pushes."""
    if request.headers.get("content-encoding") in ("gzip", "x-gzip"):
        body = gzip.decompress(body)
    return any(guarded(store, change) for change in _commands(body))


def _commands(body: bytes) -> list[Change]:
    """The refs of a push, before its pack: https://git-scm.com/docs/pack-protocol#_reference_update_request_and_packfile_transfer"""
    found: list[Change] = []
    while (size := _size(body)) > 4:
        words = body[4:size].partition(b"\0")[0].decode(errors="replace").rstrip("\n").split(" ", 2)
        if len(words) == 3:
            found.append(Change(*words))
        body = body[size:]
    return found


def _size(body: bytes) -> int:
    try:
        return int(body[:4], 16)
    except ValueError:
        return 0
