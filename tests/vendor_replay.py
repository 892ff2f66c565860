"""The vendor's recorded requests, sent to the sandbox: what has to be there is made first, and the answers are compared."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from tests.vendor_requests import Recorded
from tests.workspace_sandbox import RULE_SETS, SCIM, Workspace

_IDS = ("id", "value", "job_id", "run_id", "object_id", "git_credential_id")
# What cannot be the same: numbers, times, and what a run has come to by now.
_FREE = (
    *_IDS, "etag", "head_commit_id", "branch", "path", "url", "$ref", "created_time", "creator_user_name", "start_time",
    "end_time", "last_updated_timestamp", "number_in_job", "life_cycle_state", "result_state", "state_message",
)  # fmt: skip
_PRINCIPALS = {"user_name": "Users", "group_name": "Groups", "service_principal_name": "ServicePrincipals"}
_RULE_KINDS = {"users": "Users", "groups": "Groups", "servicePrincipals": "ServicePrincipals"}
SLEEPER = "sleeper.py"


@dataclass
class Replay:
    """One of the vendor's tests against the sandbox; `ids` maps what the vendor calls something to its number here."""

    workspace: Workspace
    folder: str  # a Git folder with a program that sleeps
    sequence: list[Recorded]
    ids: dict[str, str] = field(default_factory=dict)
    made: list[tuple[str, str, Any]] = field(default_factory=list)

    def run(self) -> Iterator[tuple[Recorded, str]]:
        """Each request with how the sandbox's answer differs, "" where it is alike."""
        try:
            for one in self.sequence:
                self._prepare(one)
                yield one, self._compare(one)
        finally:
            for method, path, body in reversed(self.made):
                self.workspace.http(method, path, json=body)

    def _compare(self, one: Recorded) -> str:
        answer = self.workspace.http(one.method, self._path(one.path), json=self._body(one.request))
        said = answer.json() if answer.content else {}
        self._remember(one, said)
        wanted = one.response
        if isinstance(wanted, str):
            wanted = json.loads(wanted) if wanted.strip().startswith("{") else None
        if one.status is not None and one.status >= 400:
            code = (wanted or {}).get("ErrorCode") or (wanted or {}).get("error_code")
            found = said.get("error_code", code)  # SCIM's refusals have none
            return "" if (answer.status_code, found) == (one.status, code or found) else f"{answer.status_code} {said}"
        if not answer.ok:
            return f"{answer.status_code} {said}"
        return difference(self._asked_for(one.path, wanted), said, "")

    def _asked_for(self, path: str, wanted: Any) -> Any:
        """The vendor's server tells attributes that were not asked for, and everybody's own user."""
        asked = dict(parse_qsl(path.partition("?")[2])).get("attributes")
        if isinstance(wanted, dict) and asked and path.startswith(SCIM):
            names = {name.partition(".")[0].lower() for name in asked.split(",")}
            return {key: value for key, value in wanted.items() if key.lower() in names or key == "id"}
        if isinstance(wanted, dict) and path.startswith(f"{SCIM}/Me"):
            return {key: value for key, value in wanted.items() if key not in ("userName", "displayName", "groups")}
        return wanted

    def _path(self, path: str) -> str:
        where, _, query = path.partition("?")
        parts = [self.ids.get(part, part) for part in where.split("/")]
        pairs = [f"{name}={quote(self._named(value))}" for name, value in parse_qsl(query, keep_blank_values=True)]
        return "/".join(parts) + ("?" + "&".join(pairs) if pairs else "")

    def _named(self, text: str) -> str:
        """The same with our numbers in the place of the vendor's, alone or in the quotes of a filter."""
        ours = self.ids.get(text, text)
        return re.sub(
            r'\b(id|value) eq "([^"]*)"', lambda match: f'{match[1]} eq "{self.ids.get(match[2], match[2])}"', ours
        )

    def _body(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: self._body(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._body(inner, key) for inner in value]
        if key in _IDS and str(value) in self.ids:
            here = self.ids[str(value)]
            return int(here) if isinstance(value, int) else here
        if key == "url":
            return self.workspace.endpoints.remote_url
        if key == "path" and isinstance(value, str) and "value eq" in value:
            return self._named(value)
        return value

    def _remember(self, one: Recorded, said: Any) -> None:
        """The number of what was made."""
        for name in ("id", "job_id", "run_id", "credential_id"):
            if one.method == "POST" and name in said:
                theirs = one.response.get(name) if isinstance(one.response, dict) else None
                self.ids[str(theirs)] = str(said[name])
                if name == "job_id" and one.path.endswith("create"):
                    self.made.append(("POST", "/api/2.2/jobs/delete", {"job_id": said["job_id"]}))
                elif name == "id" and said["id"]:
                    self.made.append(("DELETE", f"{one.path}/{said['id']}", None))
        if one.path.endswith("scopes/create") and one.request:
            self.made.append(("POST", "/api/2.0/secrets/scopes/delete", {"scope": one.request["scope"]}))

    # What must be there before a request is answered as the vendor recorded it

    def _prepare(self, one: Recorded) -> None:
        refused = one.status is not None and one.status >= 400
        if refused and not one.path.startswith(RULE_SETS) and one.method != "PATCH":
            return
        where, _, query = one.path.partition("?")
        asked = dict(parse_qsl(query))
        self._principals(one)
        if where.startswith(RULE_SETS):
            self._rules(one)
        elif where.startswith(SCIM):
            self._scim(one, where)
        elif where.startswith("/api/2.0/secrets"):
            self._secrets(one, asked)
        elif where.startswith("/api/2.0/repos"):
            self._repo(one, where)
        elif "/jobs/" in where:
            self._job(one, where, asked)
        elif where == "/api/2.0/workspace/delete" or (where.endswith("get-status") and _directory(one)):
            path = (one.request or asked).get("path")
            self.workspace.http("POST", "/api/2.0/workspace/mkdirs", json={"path": path})
            self.made.append(("POST", "/api/2.0/workspace/delete", {"path": path, "recursive": True}))

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.workspace.http(method, path, json=body)
        return answer.json() if answer.content else {}

    def _told(self, where: str) -> dict[str, Any]:
        """What the vendor's server tells first of an object."""
        answers = (one.response for one in self.sequence if one.path.partition("?")[0] == where)
        return next((answer for answer in answers if isinstance(answer, dict)), {})

    def _principals(self, one: Recorded) -> None:
        """Whoever is named in permissions, rules and run_as."""
        making = one.path == f"{SCIM}/Users" and one.method == "POST"
        for key, value in _fields([one.request, one.response]):
            if key in _PRINCIPALS and isinstance(value, str) and not making:
                self._person(_PRINCIPALS[key], value)
            elif key == "principals":
                for kind, _, name in (str(each).partition("/") for each in value):
                    self._person(_RULE_KINDS[kind], name)

    def _person(self, kind: str, name: str, display: str | None = None) -> str:
        """The number of somebody, made where there is none."""
        attribute = {"Users": "userName", "Groups": "displayName", "ServicePrincipals": "applicationId"}[kind]
        found = self._ask("GET", f"{SCIM}/{kind}?filter={quote(f'{attribute} eq {json.dumps(name)}')}").get("Resources", [])
        if found:
            return str(found[0]["id"])
        made = self._ask("POST", f"{SCIM}/{kind}", {attribute: name, "displayName": display or name})
        self.made.append(("DELETE", f"{SCIM}/{kind}/{made['id']}", None))
        if kind == "ServicePrincipals":
            self.workspace.may_use("ada@quant.example", name)
        return str(made["id"])

    def _rules(self, one: Recorded) -> None:
        named = str((one.request or {}).get("name") or dict(parse_qsl(one.path.partition("?")[2])).get("name", ""))
        if found := re.search(r"servicePrincipals/([^/]+)", named):
            self._person("ServicePrincipals", found[1])
        for wanted in (one.request or {}).get("rule_set") or {}, one.response:
            if one.method == "GET" and wanted is one.response and isinstance(wanted, dict):
                rules = {"name": named, "grant_rules": wanted.get("grant_rules", [])}
                self._ask("PUT", RULE_SETS, {"name": named, "rule_set": rules})
        if one.method == "PUT" and not (one.status or 0) >= 400:
            now = self._ask("GET", f"{RULE_SETS}?name={quote(named)}&etag=")
            one.request["rule_set"]["etag"] = now.get("etag", "")

    def _scim(self, one: Recorded, where: str) -> None:
        kind, _, number = where.removeprefix(SCIM + "/").partition("/")
        if kind == "Me" or (kind == "Users" and one.method == "POST"):
            return
        if not number:
            answered = one.response if one.method == "GET" and isinstance(one.response, dict) else {}
            sought = re.fullmatch(r'(\w+) eq "(.*)"', dict(parse_qsl(one.path.partition("?")[2])).get("filter", ""))
            named = {sought[1]: sought[2]} if sought else {}
            resources = [{**named, **found} for found in answered.get("Resources") or answered.get("resources") or []]
        else:
            resources = [] if number in self.ids else [{**self._told(where), "id": number}]
        for resource in resources:
            self._resource(kind, resource)
        for part in _fields([one.request]):
            if part[0] == "value" and one.method in ("PATCH", "PUT", "POST") and kind == "Groups":
                self._members(one.request)
                break

    def _members(self, request: Any) -> None:
        named = [item for key, items in _fields([request]) if key == "members" and isinstance(items, list) for item in items]
        for operation in (request or {}).get("Operations", []):
            if str(operation.get("path", "")).startswith("members") and isinstance(operation.get("value"), list):
                named += operation["value"]
        for member in named:
            known = member.setdefault("value", f"shown-{member.get('display')}")
            if str(member.get("$ref", "")).startswith("Groups/"):
                self._resource("Groups", {**self._told(f"{SCIM}/Groups/{known}"), "id": known})
            elif known not in self.ids:
                self.ids[known] = self._person("Users", f"{known}@x.y", member.get("display"))

    def _resource(self, kind: str, resource: dict[str, Any]) -> None:
        """A user, group or service principal like the vendor's."""
        if str(resource.get("id")) in self.ids:
            return
        self._members(resource)
        body = {key: value for key, value in resource.items() if key not in ("id", "groups", "meta")}
        number = str(resource.get("id") or f"unnumbered {len(self.ids)}")
        attribute = {"Users": "userName", "Groups": "displayName", "ServicePrincipals": "applicationId"}[kind]
        fallback = f"{number}@x.y" if kind == "Users" else f"name-{number}"
        body.setdefault(attribute, fallback)
        made = self._ask("POST", f"{SCIM}/{kind}", self._body(body))
        if "id" not in made:
            made = {"id": self._person(kind, body[attribute])}
        self.ids[number] = str(made["id"])
        self.made.append(("DELETE", f"{SCIM}/{kind}/{made['id']}", None))
        for group in resource.get("groups") or []:
            above = self._person("Groups", group.get("display") or f"group-{group.get('value')}")
            self.ids[str(group.get("value"))] = above
            add = {"op": "add", "path": "members", "value": [{"value": made["id"]}]}
            self._ask("PATCH", f"{SCIM}/Groups/{above}", {"Operations": [add]})

    def _secrets(self, one: Recorded, asked: dict[str, str]) -> None:
        said = {**asked, **(one.request or {})}
        answered = one.response if isinstance(one.response, dict) else {}
        if not one.path.endswith("scopes/create"):
            for scope in filter(None, [said.get("scope"), *(each["name"] for each in answered.get("scopes", []))]):
                self._ask("POST", "/api/2.0/secrets/scopes/create", {"scope": scope})
                self.made.append(("POST", "/api/2.0/secrets/scopes/delete", {"scope": scope}))
        scope = said.get("scope")
        if said.get("principal"):
            self._person("Groups", said["principal"])
        if one.path.endswith("acls/delete") or "acls/get" in one.path:
            acl = {"scope": scope, "principal": said["principal"], "permission": answered.get("permission", "READ")}
            self._ask("POST", "/api/2.0/secrets/acls/put", acl)
        keys = [each["key"] for each in answered.get("secrets", [])]
        for key in [said["key"]] if one.path.endswith("secrets/delete") else keys:
            self._ask("POST", "/api/2.0/secrets/put", {"scope": scope, "key": key, "string_value": "x"})

    def _repo(self, one: Recorded, where: str) -> None:
        for key, value in _fields([one.request, one.response]):
            if key in ("branch", "tag") and value and isinstance(value, str):
                command = ["git", key, "--force", value, "quant"]
                subprocess.run(command, cwd=self.workspace.state.remote, check=False, capture_output=True)
            if key == "path" and isinstance(value, str) and value.startswith("/"):
                self._ask("POST", "/api/2.0/workspace/mkdirs", {"path": value.rstrip("/").rpartition("/")[0] or "/"})
            if key == "git_credential_id" and str(value) not in self.ids:
                body = {"git_provider": "gitHub", "git_username": "ada"}
                self.ids[str(value)] = str(self._ask("POST", "/api/2.0/git-credentials", body).get("credential_id"))
                self.made.append(("DELETE", f"/api/2.0/git-credentials/{self.ids[str(value)]}", None))
        number = where.removeprefix("/api/2.0/repos").strip("/")
        listed = one.response.get("repos", []) if not number and isinstance(one.response, dict) else []
        for repo in [{**self._told(where), "id": number}] if number else listed if one.method == "GET" else []:
            if str(repo["id"]) not in self.ids:
                self._make_repo(repo)

    def _make_repo(self, repo: dict[str, Any]) -> None:
        path = repo.get("path") or f"/repo-{repo['id']}"
        self._ask("POST", "/api/2.0/workspace/mkdirs", {"path": path.rpartition("/")[0] or "/"})
        body = {"url": self.workspace.endpoints.remote_url, "provider": repo.get("provider", "gitHub"), "path": path}
        sparse = [value for key, value in _fields([[each.request, each.response] for each in self.sequence])
                  if key == "sparse_checkout" and value]  # fmt: skip
        body |= {"sparse_checkout": sparse[0]} if sparse else {}
        made = self._ask("POST", "/api/2.0/repos", body)
        self.ids[str(repo["id"])] = str(made.get("id"))
        self.made.append(("DELETE", f"/api/2.0/repos/{made.get('id')}", None))
        if repo.get("branch"):
            self._ask("PATCH", f"/api/2.0/repos/{made.get('id')}", {"branch": repo["branch"]})

    def _job(self, one: Recorded, where: str, asked: dict[str, str]) -> None:
        said, answered = {**asked, **(one.request or {})}, one.response if isinstance(one.response, dict) else {}
        jobs = list(answered.get("jobs", [])) if where.endswith("jobs/list") else []
        if where.endswith(("jobs/get", "jobs/reset", "jobs/update", "jobs/delete", "jobs/run-now")) or said.get("job_id"):
            jobs.append({**answered, "job_id": said["job_id"]})
        jobs = [{"settings": {"name": asked.get("name", "any")}, **job} for job in jobs]
        for job in jobs:
            if str(job["job_id"]) not in self.ids:
                settings = {**job["settings"], **self._run_as(job.get("run_as_user_name"))}
                made = self._ask("POST", "/api/2.2/jobs/create", self._body(settings))
                self.ids[str(job["job_id"])] = str(made.get("job_id"))
                self.made.append(("POST", "/api/2.2/jobs/delete", {"job_id": made.get("job_id")}))
        listed = answered.get("runs", []) if where.endswith("runs/list") else []
        wanted = [run.get("run_id", 0) for run in listed] + ([said["run_id"]] if "run_id" in said else [])
        for number in wanted:
            if str(number) not in self.ids:
                self._run(str(number), self.ids.get(str(said.get("job_id"))), ends="completed_only" in asked)

    def _run_as(self, name: str | None) -> dict[str, Any]:
        if not name:
            return {}
        key = "user_name" if "@" in name else "service_principal_name"
        self._person(_PRINCIPALS[key], name)
        return {"run_as": {key: name}}

    def _run(self, number: str, job: str | None, *, ends: bool) -> None:
        """A run that goes on for a while, or that has ended."""
        file = "/absent.py" if ends else f"{self.folder}/{SLEEPER}"
        task = {"task_key": "t", "spark_python_task": {"python_file": file}}
        settings = {"name": "sleeps", "tasks": [task], "max_concurrent_runs": 9}
        job = job or str(self._ask("POST", "/api/2.2/jobs/create", settings)["job_id"])
        self._ask("POST", "/api/2.2/jobs/reset", {"job_id": job, "new_settings": settings})
        self.ids[number] = str(self._ask("POST", "/api/2.2/jobs/run-now", {"job_id": job}).get("run_id"))
        self.made.append(("POST", "/api/2.2/jobs/runs/cancel", {"run_id": self.ids[number]}))
        if ends:
            self.workspace.client().jobs.wait_get_run_job_terminated_or_skipped(int(self.ids[number]))


def _directory(one: Recorded) -> bool:
    return isinstance(one.response, dict) and one.response.get("object_type") == "DIRECTORY"


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Every field at any depth."""
    for item in value if isinstance(value, list) else []:
        yield from _fields(item)
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield key, inner
        yield from _fields(inner)


def difference(wanted: Any, found: Any, where: str = "") -> str:
    """What of the vendor's answer the sandbox's has not: a field, a type, a value; "" where it has all."""
    if wanted is None:
        return ""
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return f"{where} is {found!r}, not an object"
        found = {key.lower(): value for key, value in found.items()}  # as Go reads JSON
        for name, inner in wanted.items():
            key = name.lower()
            if inner in (None, "", 0, False, [], {}):
                continue  # left out by the product, or its default
            if key not in found:
                return f"{where}.{key} is missing"
            if name in _FREE:
                if type(inner) is not type(found[key]) and not isinstance(inner, int | str):
                    return f"{where}.{key} is {found[key]!r}, not like {inner!r}"
                continue
            if why := difference(inner, found[key], f"{where}.{key}"):
                return why
        return ""
    if isinstance(wanted, list):
        if not isinstance(found, list):
            return f"{where} is {found!r}, not an array"
        for item in wanted:
            reasons = [difference(item, other, f"{where}[]") for other in found]
            if not any(reason == "" for reason in reasons):
                return next(iter(reasons), f"{where} is empty")
        return ""
    same = str(wanted).lower() == str(found).lower() or unquote(str(wanted)) == str(found)
    return "" if same else f"{where} is {found!r}, not {wanted!r}"
