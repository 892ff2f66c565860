"""The sandbox's Git host: the sample remote over HTTP, by git's own http-backend (https://git-scm.com/docs/git-http-backend).

The Databricks provider takes http and https URLs only. Anybody on this machine may push; who may, is for a forge to say.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


def create_app(remote: Path) -> Starlette:
    """Serve one bare repository under its own name."""

    async def backend(request: Request) -> Response:
        if request.path_params["name"] != remote.name:
            return PlainTextResponse("no such repository\n", 404)
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "GIT_PROJECT_ROOT": str(remote.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": request.url.path,
            "QUERY_STRING": request.url.query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "HTTP_GIT_PROTOCOL": request.headers.get("git-protocol", ""),
            "REMOTE_USER": "sandbox",
            "REMOTE_ADDR": "127.0.0.1",
        }
        process = await asyncio.create_subprocess_exec(
            "git", "-c", "safe.directory=*", "http-backend", env=environment,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await process.communicate(await request.body())
        head, _, body = out.partition(b"\r\n\r\n")
        headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n") if b": " in line)
        status = int(headers.pop("Status", "200").split()[0])
        return Response(body, status, headers)

    return Starlette(routes=[Route("/{name}/{rest:path}", backend, methods=["GET", "POST"])])
