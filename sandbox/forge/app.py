"""GitLab's REST API v4. The route table below is the list of what is emulated; anything else names itself.

https://docs.gitlab.com/api/rest/
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.forge import (
    approvals,
    commits,
    history,
    issues,
    labels,
    merge_requests,
    merging,
    notes,
    people,
    projects,
    protection,
    push_rules,
    rules,
    users,
)
from sandbox.forge.call import Call, Handler, Listed, World
from sandbox.forge.errors import ApiError, bad, unauthorized
from sandbox.forge.users import User

BASE = "/api/v4"
_MERGE_REQUEST = "/projects/:id/merge_requests/:iid"
_REPOSITORY = "/projects/:id/repository"
_log = logging.getLogger(__name__)

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/version", people.version),
    ("GET", "/user", people.current),
    ("GET", "/users", people.users),
    ("GET", "/users/:id", people.user),
    ("GET", "/groups", people.groups),
    ("GET", "/groups/:id", people.group),
    ("GET", "/groups/:id/members", people.group_members),
    ("GET", "/groups/:id/members/all", people.group_members),
    ("GET", "/projects", projects.listed),
    ("GET", "/projects/:id", projects.get),
    ("PUT", "/projects/:id", projects.update),
    ("GET", "/projects/:id/members", people.members),
    ("GET", "/projects/:id/members/all", people.members),
    ("GET", "/projects/:id/members/:user", people.member),
    ("GET", "/projects/:id/members/all/:user", people.member),
    ("GET", f"{_REPOSITORY}/branches", commits.branches),
    ("POST", f"{_REPOSITORY}/branches", commits.create_branch),
    ("GET", f"{_REPOSITORY}/branches/:branch", commits.branch),
    ("DELETE", f"{_REPOSITORY}/branches/:branch", commits.delete_branch),
    ("GET", f"{_REPOSITORY}/commits", commits.commits),
    ("GET", f"{_REPOSITORY}/commits/:sha", commits.commit),
    ("GET", f"{_REPOSITORY}/commits/:sha/merge_requests", merge_requests.of_commit),
    ("GET", f"{_REPOSITORY}/commits/:sha/discussions", notes.discussions),
    ("POST", f"{_REPOSITORY}/commits/:sha/discussions", notes.discuss),
    ("PUT", f"{_REPOSITORY}/commits/:sha/discussions/:discussion/notes/:note", notes.edit_comment),
    ("GET", f"{_REPOSITORY}/compare", commits.compare),
    ("GET", f"{_REPOSITORY}/tags", commits.tags),
    ("POST", f"{_REPOSITORY}/tags", commits.create_tag),
    ("GET", f"{_REPOSITORY}/tags/:tag", commits.tag),
    ("DELETE", f"{_REPOSITORY}/tags/:tag", commits.delete_tag),
    ("GET", "/projects/:id/merge_requests", merge_requests.listed),
    ("POST", "/projects/:id/merge_requests", merge_requests.create),
    ("GET", _MERGE_REQUEST, merge_requests.get),
    ("PUT", _MERGE_REQUEST, merge_requests.update),
    ("GET", f"{_MERGE_REQUEST}/commits", merge_requests.commit_list),
    ("GET", f"{_MERGE_REQUEST}/changes", merge_requests.changes),
    ("GET", f"{_MERGE_REQUEST}/diffs", merge_requests.diffs),
    ("GET", f"{_MERGE_REQUEST}/approvals", approvals.get),
    ("GET", f"{_MERGE_REQUEST}/approval_state", approvals.state),
    ("POST", f"{_MERGE_REQUEST}/approve", approvals.approve),
    ("POST", f"{_MERGE_REQUEST}/unapprove", approvals.unapprove),
    ("PUT", f"{_MERGE_REQUEST}/reset_approvals", approvals.reset),
    ("PUT", f"{_MERGE_REQUEST}/merge", merging.merge),
    ("GET", f"{_MERGE_REQUEST}/resource_state_events", history.events),
    ("GET", "/projects/:id/:kind{merge_requests,issues}/:iid/notes", notes.listed),
    ("POST", "/projects/:id/:kind{merge_requests,issues}/:iid/notes", notes.create),
    ("GET", "/projects/:id/:kind{merge_requests,issues}/:iid/notes/:note", notes.get),
    ("PUT", "/projects/:id/:kind{merge_requests,issues}/:iid/notes/:note", notes.update),
    ("DELETE", "/projects/:id/:kind{merge_requests,issues}/:iid/notes/:note", notes.delete),
    ("GET", "/projects/:id/issues", issues.listed),
    ("POST", "/projects/:id/issues", issues.create),
    ("GET", "/projects/:id/issues/:iid", issues.get),
    ("PUT", "/projects/:id/issues/:iid", issues.update),
    ("GET", "/projects/:id/labels", labels.listed),
    ("POST", "/projects/:id/labels", labels.create),
    ("PUT", "/projects/:id/labels", labels.update),
    ("GET", "/projects/:id/labels/:name", labels.get),
    ("PUT", "/projects/:id/labels/:name", labels.update),
    ("DELETE", "/projects/:id/labels/:name", labels.delete),
    ("GET", "/projects/:id/protected_branches", protection.branches),
    ("POST", "/projects/:id/protected_branches", protection.protect_branch),
    ("GET", "/projects/:id/protected_branches/:name", protection.branch),
    ("PATCH", "/projects/:id/protected_branches/:name", protection.update_branch),
    ("DELETE", "/projects/:id/protected_branches/:name", protection.unprotect_branch),
    ("GET", "/projects/:id/protected_tags", protection.tags),
    ("POST", "/projects/:id/protected_tags", protection.protect_tag),
    ("GET", "/projects/:id/protected_tags/:name", protection.tag),
    ("DELETE", "/projects/:id/protected_tags/:name", protection.unprotect_tag),
    ("GET", "/projects/:id/push_rule", push_rules.get),
    ("POST", "/projects/:id/push_rule", push_rules.update),
    ("PUT", "/projects/:id/push_rule", push_rules.update),
    ("GET", "/projects/:id/approvals", rules.get_settings),
    ("POST", "/projects/:id/approvals", rules.update_settings),
    ("GET", "/projects/:id/approval_rules", rules.listed),
    ("POST", "/projects/:id/approval_rules", rules.create),
    ("GET", "/projects/:id/approval_rules/:rule", rules.get),
    ("PUT", "/projects/:id/approval_rules/:rule", rules.update),
    ("DELETE", "/projects/:id/approval_rules/:rule", rules.delete),
)
_STATUS = {"GET": 200, "PUT": 200, "PATCH": 200, "POST": 201, "DELETE": 204}


def endpoint(world: World, url: str) -> Callable[[Request], Any]:
    """The whole API as one endpoint: paths are matched before they are decoded, for `quant%2Fpipelines` is one part."""

    async def answer(request: Request) -> Response:
        raw = await request.body()
        return await run_in_threadpool(_answer, world, url, request, raw)

    return answer


def _answer(world: World, url: str, request: Request, raw: bytes) -> Response:
    pairs: dict[str, str] = {}
    for name, value in parse_qsl(request.url.query, keep_blank_values=True):
        pairs[name] = f"{pairs[name]},{value}" if name in pairs else value  # iids[]=1&iids[]=2
    path = request.scope["raw_path"].decode().partition("?")[0].removeprefix(BASE)
    try:
        who = _who(world, request)
        handler, found = _route(request.method, path)
        if path.startswith("/projects/"):
            projects.check(found["id"])
        result = handler(Call(world, who, url, found, pairs, _body(request, raw)))
        if isinstance(result, list):
            result = Listed(result, lambda item: item)
        if isinstance(result, Listed):
            return _page(result, pairs, f"{url}{BASE}{path}")
    except ApiError as error:
        return JSONResponse(error.body, error.status)
    except Exception as error:  # a defect of the sandbox, not of what was asked; clients repeat a 500
        _log.exception("a defect of this sandbox")
        return JSONResponse({"message": f"{error!r} (sandbox)"}, 400)
    if result is None:
        return Response(status_code=204) if request.method == "DELETE" else JSONResponse({}, 202)
    return JSONResponse(result, _STATUS[request.method])


def _who(world: World, request: Request) -> User:
    """PRIVATE-TOKEN or a bearer token: https://docs.gitlab.com/api/rest/authentication/"""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    token = request.headers.get("private-token") or (bearer if scheme.lower() == "bearer" else "")
    found = users.by_token(world.store, token) if token else None
    if found is None:
        raise unauthorized()
    return found


def _route(method: str, path: str) -> tuple[Handler, dict[str, str]]:
    parts, other = path.strip("/").split("/"), False
    for wanted, template, handler in ROUTES:
        found = _match(template.strip("/").split("/"), parts)
        if found is not None and wanted == method:
            return handler, found
        other = other or found is not None
    if other:
        words = f"405 Method Not Allowed: this sandbox does not emulate {method} {BASE}{path}"
        raise ApiError(405, words, key="error")
    raise ApiError(404, f"404 Not Found: this sandbox does not emulate {method} {BASE}{path}", key="error")


def _match(template: list[str], parts: list[str]) -> dict[str, str] | None:
    if len(template) != len(parts):
        return None
    found: dict[str, str] = {}
    for wanted, part in zip(template, parts, strict=True):
        name, _, choices = wanted.removeprefix(":").rstrip("}").partition("{")
        if wanted.startswith(":"):
            if not part or (choices and part not in choices.split(",")):
                return None
            found[name] = unquote(part)
        elif wanted != part:
            return None
    return found


def _body(request: Request, raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        return {}
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise bad("Invalid JSON") from None
    if not isinstance(body, dict):
        raise bad("The request body must be an object")
    return body


def _page(listed: Listed, query: dict[str, str], url: str) -> Response:
    """Offset pages: https://docs.gitlab.com/api/rest/#offset-based-pagination"""
    try:
        page, size = int(query.get("page") or 1), min(int(query.get("per_page") or 20), 100)
    except ValueError:
        raise bad("page is invalid") from None
    if page < 1 or size < 1:
        raise bad("per_page does not have a valid value")
    items = listed.items
    pages = max(-(-len(items) // size), 1)
    links = {"first": 1, "last": pages}
    links |= {"prev": page - 1} if page > 1 else {}
    links |= {"next": page + 1} if page < pages else {}
    shown = {rel: f"{url}?{urlencode({**query, 'page': number, 'per_page': size})}" for rel, number in links.items()}
    headers = {
        "X-Total": str(len(items)), "X-Total-Pages": str(pages), "X-Page": str(page), "X-Per-Page": str(size),
        "X-Next-Page": str(links.get("next", "")), "X-Prev-Page": str(links.get("prev", "")),
        "Link": ", ".join(f'<{target}>; rel="{rel}"' for rel, target in shown.items()),
    }  # fmt: skip
    return JSONResponse([listed.shown(item) for item in items[(page - 1) * size : page * size]], headers=headers)
