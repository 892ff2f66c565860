"""The local Databricks workspace. The route table below is the list of what it emulates; anything else names itself."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.workspace import (
    git_credentials,
    git_folders,
    jobs,
    objects,
    permissions,
    rule_sets,
    run_state,
    runs,
    scim,
    secrets,
)
from sandbox.workspace.auth import who_calls
from sandbox.workspace.call import Call, Handler
from sandbox.workspace.errors import ApiError, malformed
from sandbox.workspace.execution import Runner
from sandbox.workspace.store import Store
from sandbox.workspace.throttle import RETRY_AFTER, Throttle
from sandbox.workspace.world import WORKSPACE_ID, World

# The SDK and the provider fail with "failed to resolve workspace_id" where an answer does not carry it.
_HEADERS = {"X-Databricks-Org-Id": WORKSPACE_ID}
_log = logging.getLogger(__name__)
_SCIM = "/api/2.0/preview/scim/v2"
_ACCESS = "/api/2.0/preview/accounts/access-control"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_JOBS_VERSIONS = ("2.0", "2.1", "2.2")

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/api/2.0/repos", git_folders.list_),
    ("POST", "/api/2.0/repos", git_folders.create),
    ("GET", "/api/2.0/repos/{id}", git_folders.get),
    ("PATCH", "/api/2.0/repos/{id}", git_folders.update),
    ("DELETE", "/api/2.0/repos/{id}", git_folders.delete),
    ("POST", "/api/2.0/workspace/mkdirs", objects.mkdirs),
    ("GET", "/api/2.0/workspace/get-status", objects.get_status),
    ("GET", "/api/2.0/workspace/list", objects.list_),
    ("GET", "/api/2.0/workspace/export", objects.export),
    ("POST", "/api/2.0/workspace/import", objects.import_),
    ("POST", "/api/2.0/workspace/delete", objects.delete),
    ("POST", "/api/{version}/jobs/create", jobs.create),
    ("GET", "/api/{version}/jobs/get", jobs.get),
    ("GET", "/api/{version}/jobs/list", jobs.list_),
    ("POST", "/api/{version}/jobs/reset", jobs.reset),
    ("POST", "/api/{version}/jobs/update", jobs.update),
    ("POST", "/api/{version}/jobs/delete", jobs.delete),
    ("POST", "/api/{version}/jobs/run-now", runs.run_now),
    ("POST", "/api/{version}/jobs/runs/submit", runs.submit),
    ("GET", "/api/{version}/jobs/runs/get", runs.get),
    ("GET", "/api/{version}/jobs/runs/list", runs.list_),
    ("GET", "/api/{version}/jobs/runs/get-output", runs.get_output),
    ("POST", "/api/{version}/jobs/runs/cancel", runs.cancel),
    ("GET", "/api/2.0/permissions/{kind}/{id}", permissions.read),
    ("PUT", "/api/2.0/permissions/{kind}/{id}", permissions.replace),
    ("PATCH", "/api/2.0/permissions/{kind}/{id}", permissions.update),
    ("GET", "/api/2.0/permissions/{kind}/{id}/permissionLevels", permissions.levels),
    ("GET", f"{_ACCESS}/rule-sets", rule_sets.get),
    ("PUT", f"{_ACCESS}/rule-sets", rule_sets.replace),
    ("GET", f"{_ACCESS}/assignable-roles", rule_sets.assignable),
    ("GET", f"{_SCIM}/Me", scim.me),
    ("GET", _SCIM + "/{kind}", scim.list_),
    ("POST", _SCIM + "/{kind}", scim.create),
    ("GET", _SCIM + "/{kind}/{id}", scim.get),
    ("PATCH", _SCIM + "/{kind}/{id}", scim.patch),
    ("PUT", _SCIM + "/{kind}/{id}", scim.replace),
    ("DELETE", _SCIM + "/{kind}/{id}", scim.delete),
    ("POST", "/api/2.0/secrets/scopes/create", secrets.create_scope),
    ("POST", "/api/2.0/secrets/scopes/delete", secrets.delete_scope),
    ("GET", "/api/2.0/secrets/scopes/list", secrets.list_scopes),
    ("POST", "/api/2.0/secrets/put", secrets.put),
    ("POST", "/api/2.0/secrets/delete", secrets.delete),
    ("GET", "/api/2.0/secrets/get", secrets.get),
    ("GET", "/api/2.0/secrets/list", secrets.list_),
    ("POST", "/api/2.0/secrets/acls/put", secrets.put_acl),
    ("GET", "/api/2.0/secrets/acls/get", secrets.get_acl),
    ("GET", "/api/2.0/secrets/acls/list", secrets.list_acls),
    ("POST", "/api/2.0/secrets/acls/delete", secrets.delete_acl),
    ("GET", "/api/2.0/git-credentials", git_credentials.list_),
    ("POST", "/api/2.0/git-credentials", git_credentials.create),
    ("GET", "/api/2.0/git-credentials/{id}", git_credentials.get),
    ("PATCH", "/api/2.0/git-credentials/{id}", git_credentials.update),
    ("DELETE", "/api/2.0/git-credentials/{id}", git_credentials.delete),
)


def create_app(db_path: Path, folders: Path, job_env: Callable[[str], dict[str, str]]) -> Starlette:
    """The workspace over a state file; `job_env` gives the environment of an identity's job processes."""
    folders.mkdir(parents=True, exist_ok=True)
    world = World(Store(db_path), folders, job_env, db_path.parent)
    runner, throttle = Runner(), Throttle()

    def endpoint(handler: Handler, version: str) -> Callable[[Request], Any]:
        return _endpoint(world, runner, throttle, handler, {"version": version})

    run_state.end_interrupted(world.store)
    git_folders.fix(world)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(runner.stop)

    return Starlette(
        routes=[
            Route("/.well-known/databricks-config", _discovery, methods=["GET"]),
            *(
                Route(path.replace("{version}", version), endpoint(handler, version), methods=[method])
                for method, path, handler in ROUTES
                for version in (_JOBS_VERSIONS if "{version}" in path else ("",))
            ),
            Route("/{rest:path}", _unknown, methods=_METHODS),
        ],
        lifespan=lifespan,
    )


def _endpoint(
    world: World, runner: Runner, throttle: Throttle, handler: Handler, fixed: dict[str, str]
) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        def answer(raw: bytes, form: dict[str, Any] | None) -> Any:
            who = who_calls(world.store, request.headers.get("authorization"))
            body = _json(raw) if form is None else form
            return handler(Call(world, runner, who, {**fixed, **request.path_params}, dict(request.query_params), body))

        try:
            if throttle.refuses(world.state, request.method, request.url.path):
                raise ApiError(429, "REQUEST_LIMIT_EXCEEDED", "Too many requests. Please wait and try again.")
            uploaded = request.headers.get("content-type", "").startswith("multipart/")
            form = await _form(request) if uploaded else None
            result = await run_in_threadpool(answer, b"" if uploaded else await request.body(), form)
        except ApiError as error:
            return _refusal(request, error)
        except Exception as error:
            # Clients repeat a 500 for minutes; this one is a defect and will not go away.
            _log.exception("a defect of this sandbox")
            return _refusal(request, ApiError(400, "BAD_REQUEST", f"{error!r} (sandbox)"))
        if isinstance(result, Response):
            result.headers.update(_HEADERS)
            return result
        return JSONResponse(result, headers=_HEADERS)

    return endpoint


def _refusal(request: Request, error: ApiError) -> Response:
    headers = {**_HEADERS, "Retry-After": str(RETRY_AFTER)} if error.status == 429 else _HEADERS
    return JSONResponse(error.body(scim=request.url.path.startswith(_SCIM)), status_code=error.status, headers=headers)


def _json(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw, parse_constant=_no_number) if raw.strip() else {}
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        raise malformed("not JSON.") from None
    if not isinstance(body, dict):
        found = "START_ARRAY" if isinstance(body, list) else "VALUE_NULL" if body is None else "VALUE"
        raise malformed(f"Expected 'START_OBJECT' not '{found}'")
    return body


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


async def _form(request: Request) -> dict[str, Any]:
    """The fields of an upload, with the file's bytes in base64 as the JSON form has them."""
    try:
        form = await request.form()
    except HTTPException as error:
        raise malformed(str(error.detail)) from None
    read = {name: item if isinstance(item, str) else await item.read() for name, item in form.items()}
    await form.close()
    return {name: base64.b64encode(item).decode() if isinstance(item, bytes) else item for name, item in read.items()}


async def _discovery(request: Request) -> Response:
    return JSONResponse({"workspace_id": WORKSPACE_ID}, headers=_HEADERS)


async def _unknown(request: Request) -> Response:
    message = f"No API found for '{request.method} {request.url.path}' (this sandbox does not emulate it)"
    return _refusal(request, ApiError(404, "ENDPOINT_NOT_FOUND", message))
