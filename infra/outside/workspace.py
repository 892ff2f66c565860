"""The one door to the Databricks workspace: how it is asked, how it answers, and what it hides.

It reads, but for `update_job`, which puts right what the provider leaves.

Everything that is known of its manners stands here once: how a Git folder is found, paging, throttling, logins, refusals.
`quantctl.workspace` adds what changes something.
"""

from __future__ import annotations

import datetime
import email.utils
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from infra.errors import UserError, without_credentials

ANSWER_SECONDS = 15.0  # for one answer
THROTTLED_SECONDS = 60.0  # waited in all for a workspace that asks for patience
_CONNECT_SECONDS = 3.0
_CONNECTIONS = 16
_PAGE = 100  # jobs: https://docs.databricks.com/api/workspace/jobs/list
_RUNS_PAGE = 25  # runs: https://docs.databricks.com/api/workspace/jobs/listruns
_ACTIVE = frozenset({"QUEUED", "PENDING", "RUNNING", "TERMINATING", "BLOCKED", "WAITING_FOR_RETRY"})
_FAILED = frozenset({"FAILED", "TIMEDOUT", "UPSTREAM_FAILED", "SUCCESS_WITH_FAILURES"})
_LOGIN = "DATABRICKS_HOST and DATABRICKS_TOKEN, or a profile in DATABRICKS_CONFIG_PROFILE"
Say = Callable[[str], None]
Json = dict[str, Any]


class Unreadable(UserError):
    """The workspace did not say what was asked; the message tells what it said instead, and what to check."""


class Missing(Unreadable):
    """The workspace says that there is no such thing, or hides it from whoever asks."""


@dataclass(frozen=True)
class GitFolder:
    """A Git folder as it is: the branch and commit that it is at ("" for none)."""

    id: int
    path: str
    branch: str
    commit: str


@dataclass(frozen=True)
class Run:
    """A run of a job. `result` is what the Jobs API says of a run that has ended, "" while it has not."""

    job_id: int
    run_id: int
    started: datetime.datetime
    result: str

    @property
    def succeeded(self) -> bool:
        """Every task did what it should."""
        return self.result == "SUCCESS"

    @property
    def failed(self) -> bool:
        """It ended with a failure; a run that somebody cancelled, or that was skipped, is neither."""
        return self.result in _FAILED


class Workspace:
    """One workspace, with any of Databricks' ways to log in.

    `seconds` is for one answer; `patience` seconds are waited in all when the workspace says that there are too many
    requests, and each wait is told to `say`. `token` logs in as somebody else than the environment says.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        seconds: float = ANSWER_SECONDS,
        patience: float = THROTTLED_SECONDS,
        say: Say = lambda _: None,
        token: str | None = None,
    ) -> None:
        self._environ, self._seconds, self._patience, self._say, self._token = environ, seconds, patience, say, token
        self._waited = 0.0
        self._entered: tuple[str, requests.Session] | None = None

    def now(self) -> datetime.datetime:
        """The workspace's own clock, in UTC: a wrong clock of somebody's laptop passes no gate."""
        answer = self._exchange("GET", "/api/2.0/preview/scim/v2/Me")
        try:
            return email.utils.parsedate_to_datetime(str(answer.headers.get("Date"))).astimezone(datetime.UTC)
        except ValueError:
            raise Unreadable("Databricks: an answer came without a Date header, so the time is unknown.") from None

    def me(self) -> Json:
        """Who is logged in, with groups. https://docs.databricks.com/api/workspace/currentuser/me"""
        return self._ask("/api/2.0/preview/scim/v2/Me")

    def number(self) -> str:
        """The workspace's own id, as every answer bears it; empty where none does."""
        return self._exchange("GET", "/api/2.0/preview/scim/v2/Me").headers.get("X-Databricks-Org-Id", "")

    def git_folder(self, path: str) -> GitFolder | None:
        """The Git folder at `path`; None where the workspace has nothing there.

        By its path and then by its id: the list of Git folders is deprecated, leaves out those with Git CLI access and
        those on which the caller has no CAN_MANAGE (databricks-sdk, docstrings of ReposAPI.list and DirectoryInfo).

        Raises:
            Unreadable: it cannot be read, or something else is there.
        """
        needs = f"CAN_READ on the folder {path}"
        try:
            found = self._ask("/api/2.0/workspace/get-status", {"path": path}, needs)
        except Missing:
            return None
        kind, info = found.get("object_type"), found.get("directory_info") or {}
        if kind != "REPO" and not info.get("is_git_folder"):
            raise Unreadable(
                f"Databricks: {path} is no Git folder but a {str(kind).lower()}: somebody has put it there by hand."
                " Move it away in the workspace, and deploy again."
            )
        return self.git_folder_of(int(found["object_id"]), needs)

    def git_folder_of(self, number: int, needs: str = "CAN_READ on the Git folder") -> GitFolder:
        """The Git folder of an id. https://docs.databricks.com/api/workspace/repos/get

        Raises:
            Unreadable: it cannot be read; Missing: there is none, or the caller may not see it.
        """
        repo = self._ask(f"/api/2.0/repos/{number}", None, needs)
        path = str(repo["path"]).removeprefix("/Workspace")
        return GitFolder(int(repo["id"]), path, str(repo.get("branch") or ""), str(repo.get("head_commit_id") or ""))

    def export(self, path: str) -> bytes:
        """The folder as a ZIP archive; refused above 10 MB. https://docs.databricks.com/api/workspace/workspace/export"""
        query = {"path": path, "format": "AUTO", "direct_download": "true"}
        headers = {"Accept": "application/octet-stream"}
        return self._exchange("GET", "/api/2.0/workspace/export", query, None, f"CAN_READ on {path}", headers).content

    def git_credentials(self) -> list[Json]:
        """The caller's own. https://docs.databricks.com/api/workspace/gitcredentials/list"""
        return list(self._ask("/api/2.0/git-credentials").get("credentials") or [])

    def has_service_principal(self, application_id: str) -> bool:
        """Whether the workspace has it. https://docs.databricks.com/api/workspace/serviceprincipals/list"""
        query = {"filter": f'applicationId eq "{application_id}"', "attributes": "applicationId"}
        return any(True for _ in self._scim("/api/2.0/preview/scim/v2/ServicePrincipals", query))

    def principal_rules(self, account_id: str, application_id: str) -> list[Json]:
        """Who may use and manage a principal. https://docs.databricks.com/api/workspace/accountaccesscontrolproxy"""
        name = f"accounts/{account_id}/servicePrincipals/{application_id}/ruleSets/default"
        path = "/api/2.0/preview/accounts/access-control/rule-sets"
        needs = "the Service Principal Manager role on it"
        return list(self._ask(path, {"name": name, "etag": ""}, needs).get("grant_rules") or [])

    def groups(self, names: list[str]) -> set[str]:
        """Which of these groups are there, in lower case. https://docs.databricks.com/api/workspace/groups/list"""
        quoted = " or ".join('displayName eq "{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"')) for name in names)
        query = {"filter": quoted, "attributes": "displayName"}
        return {str(one.get("displayName")).lower() for one in self._scim("/api/2.0/preview/scim/v2/Groups", query)}

    def jobs(self, **query: str) -> list[Json]:
        """Every job that the caller may see, with its tasks. https://docs.databricks.com/api/workspace/jobs/list"""
        asked = {"expand_tasks": "true", "limit": str(_PAGE), **query}
        return list(self._pages("/api/2.2/jobs/list", "jobs", asked))

    def job(self, number: int | str) -> Json:
        """One job as it is. https://docs.databricks.com/api/workspace/jobs/get"""
        return self._ask("/api/2.2/jobs/get", {"job_id": str(number)}, f"CAN_VIEW on the job {number}")

    def update_job(self, number: int | str, settings: Mapping[str, Any]) -> None:
        """Replace these settings of a job. https://docs.databricks.com/api/workspace/jobs/update"""
        body = {"job_id": int(number), "new_settings": dict(settings)}
        self._exchange("POST", "/api/2.2/jobs/update", None, body, f"CAN_MANAGE on the job {number}")

    def permissions(self, what: str, number: int | str) -> list[Json]:
        """Who may do what with an object. https://docs.databricks.com/api/workspace/permissions/get"""
        needs = f"CAN_MANAGE on {what}/{number}"
        return list(self._ask(f"/api/2.0/permissions/{what}/{number}", None, needs).get("access_control_list") or [])

    def runs(self, job_id: int, since: datetime.datetime) -> list[Run]:
        """Runs of a job that were started since then, the newest first."""
        query = {"job_id": str(job_id), "start_time_from": str(int(since.timestamp() * 1000)), "limit": str(_RUNS_PAGE)}
        return [_run(one) for one in self._pages("/api/2.2/jobs/runs/list", "runs", query, f"CAN_VIEW on the job {job_id}")]

    def active_runs(self, jobs: Mapping[str, int]) -> dict[str, list[int]]:
        """Workflow -> ids of the runs that have not ended."""
        found: dict[str, list[int]] = {}
        names = {job_id: name for name, job_id in jobs.items()}
        query = {"active_only": "true", "limit": str(_RUNS_PAGE)}
        for one in self._pages("/api/2.2/jobs/runs/list", "runs", query):
            run = _run(one)
            if run.job_id in names:
                found.setdefault(names[run.job_id], []).append(run.run_id)
        return found

    def secret_scopes(self) -> list[str]:
        """Names of the scopes that the caller may see. https://docs.databricks.com/api/workspace/secrets/listscopes"""
        return [str(scope.get("name")) for scope in self._ask("/api/2.0/secrets/scopes/list").get("scopes", [])]

    def secret_acls(self, scope: str) -> dict[str, str]:
        """Principal -> permission. https://docs.databricks.com/api/workspace/secrets/listacls"""
        acls = self._ask("/api/2.0/secrets/acls/list", {"scope": scope}, f"MANAGE on the scope {scope}").get("items", [])
        return {str(entry["principal"]): str(entry["permission"]) for entry in acls}

    def secrets(self, scope: str) -> dict[str, int]:
        """Key -> when it was last written, in milliseconds. https://docs.databricks.com/api/workspace/secrets/listsecrets"""
        found = self._ask("/api/2.0/secrets/list", {"scope": scope}, f"READ on the scope {scope}").get("secrets", [])
        return {str(entry["key"]): int(entry["last_updated_timestamp"]) for entry in found}

    def _pages(self, path: str, key: str, query: Mapping[str, str], needs: str = "") -> Iterator[Json]:
        token = ""
        while True:
            answer = self._ask(path, {**query, **({"page_token": token} if token else {})}, needs)
            yield from answer.get(key) or []
            token = answer.get("next_page_token") or ""
            if not token:
                return

    def _scim(self, path: str, query: Mapping[str, str]) -> Iterator[Json]:
        """SCIM counts instead of handing out tokens: https://datatracker.ietf.org/doc/html/rfc7644#section-3.4.2.4"""
        start = 1
        while True:
            answer = self._ask(path, {**query, "startIndex": str(start), "count": str(_PAGE)})
            found = answer.get("Resources") or []
            yield from found
            start += len(found)
            if not found or start > int(answer.get("totalResults") or 0):
                return

    def _ask(self, path: str, query: Mapping[str, str] | None = None, needs: str = "") -> Json:
        """What a GET is answered with; `needs` says which permission level on what is enough."""
        return _json(self._exchange("GET", path, query, None, needs), path)

    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        needs: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        host, session = self._enter()
        attempt = 0
        while True:
            try:
                answer = session.request(
                    method,
                    f"{host}{path}",
                    params=query,
                    json=body,
                    headers=headers,
                    timeout=(_CONNECT_SECONDS, self._seconds),
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                raise Unreadable(silence(host, error)) from None
            if answer.status_code not in (429, 503):
                return _accepted(answer, host, path, needs)
            attempt += 1
            pause = _pause(answer, attempt)
            if self._waited + pause > self._patience:
                raise Unreadable(
                    f"Databricks: {host} is throttled: it answered {answer.status_code} to {method} {path}, asked for"
                    f" {pause:.0f} s more, and {self._patience:.0f} s is the most that is waited. Run again later."
                )
            self._waited += pause
            self._say(f"Databricks: throttled, waiting {pause:.0f} s")
            time.sleep(pause)

    def _enter(self) -> tuple[str, requests.Session]:
        if self._entered is None:
            host, login = _login(self._environ, self._token)
            session = requests.Session()
            session.auth = login
            session.mount("https://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
            session.mount("http://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
            self._entered = (host, session)
        return self._entered


def reach_databricks(environ: Mapping[str, str]) -> None:
    """Refuse when the workspace does not answer within seconds; without DATABRICKS_HOST the client finds it.

    Raises:
        UserError: names the address and the setting.
    """
    if host := environ.get("DATABRICKS_HOST"):
        try:  # any HTTP answer is an answer
            requests.get(_address(host), timeout=(_CONNECT_SECONDS, 6.0), allow_redirects=False, stream=True).close()
        except requests.RequestException as error:
            raise UserError(silence(_address(host), error)) from None


def silence(host: str, error: BaseException) -> str:
    """What is told where nobody answers."""
    return (
        f"Databricks: {without_credentials(host)} does not answer ({first_line(error)})."
        " Check DATABRICKS_HOST and the network."
    )


def first_line(error: BaseException) -> str:
    """The innermost reason, on one line."""
    cause: BaseException = error
    while cause.__cause__ is not None or cause.__context__ is not None:
        cause = cause.__cause__ or cause.__context__ or cause
    text = str(cause).strip().splitlines()
    return text[0][:200] if text else type(cause).__name__


def _login(environ: Mapping[str, str], token: str | None) -> tuple[str, Callable[[Any], Any]]:
    """The workspace's address, and what logs a request in.

    A host and a token need no SDK, which takes a second to load; every other way is the SDK's.
    """
    host, chosen = environ.get("DATABRICKS_HOST", ""), token or environ.get("DATABRICKS_TOKEN", "")
    if host and chosen and (token or environ.get("DATABRICKS_AUTH_TYPE", "pat") == "pat"):
        return _address(host), lambda request: _signed(request, {"Authorization": f"Bearer {chosen}"})
    from databricks.sdk.core import Config

    try:
        config = Config(token=token, auth_type="pat") if token else Config()
        config.authenticate()
    except (OSError, ValueError) as error:  # the SDK's errors are the former, a wrong profile the latter
        raise Unreadable(f"Databricks: no login: {first_line(error)} Check {_LOGIN}.") from None
    return _address(str(config.host)), lambda request: _signed(request, config.authenticate())


def _signed(request: Any, headers: Mapping[str, str]) -> Any:
    request.headers.update(headers)
    return request


def _address(host: str) -> str:
    return (host if "://" in host else f"https://{host}").rstrip("/")


def _pause(answer: requests.Response, attempt: int) -> float:
    """Seconds: what the workspace asks for, else doubling. https://docs.databricks.com/aws/en/resources/limits"""
    try:
        return max(1.0, float(answer.headers.get("Retry-After", "")))
    except ValueError:
        return float(min(2 ** (attempt - 1), 16))


def _accepted(answer: requests.Response, host: str, path: str, needs: str) -> requests.Response:
    if answer.status_code < 300:
        return answer
    try:
        body = answer.json()
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    said = " ".join(str(body.get("message") or body.get("detail") or answer.reason or "").split())[:300].rstrip(".")
    told = f"Databricks: {host} answered {answer.status_code} to {path}: {said}."
    if answer.status_code == 404 or body.get("error_code") == "RESOURCE_DOES_NOT_EXIST":
        raise Missing(told)
    if answer.status_code == 401:
        raise Unreadable(f"{told} It does not accept the login: check {_LOGIN}.")
    if answer.status_code == 403:
        enough = f" {needs} is enough." if needs else ""
        raise Unreadable(f"{told} Whoever is logged in may not do this.{enough}")
    if answer.status_code < 400:
        raise Unreadable(f"{told} That is a redirection, which the API never sends: check DATABRICKS_HOST.")
    raise Unreadable(told)


def _json(answer: requests.Response, path: str) -> Json:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unreadable(
            f"Databricks: {path} was answered with something that is no JSON object: {answer.text[:60]!r}."
            " Check DATABRICKS_HOST, and whether a proxy answers in its place."
        )
    return found


def _run(body: Mapping[str, Any]) -> Run:
    state = body.get("state") or {}
    active = state.get("life_cycle_state") in _ACTIVE
    result = "" if active else str(state.get("result_state") or state.get("life_cycle_state") or "")
    started = datetime.datetime.fromtimestamp(int(body.get("start_time", 0)) / 1000, datetime.UTC)
    return Run(int(body.get("job_id", 0)), int(body["run_id"]), started, "FAILED" if result == "INTERNAL_ERROR" else result)
