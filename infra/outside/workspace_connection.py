"""How the workspace is asked over HTTP: logins, throttling, pages, refusals, and answers that are none."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from infra.errors import UserError, without_credentials

if TYPE_CHECKING:
    import requests  # loaded with the first request: it takes a tenth of a second, which `--help` does not wait for

ANSWER_SECONDS = 15.0  # for one answer
THROTTLED_SECONDS = 60.0  # waited in all for a workspace that asks for patience
_CONNECT_SECONDS = 3.0
_CONNECTIONS = 16
_SCIM_PAGE = 100
_LOGIN = "DATABRICKS_HOST and DATABRICKS_TOKEN, or a profile in DATABRICKS_CONFIG_PROFILE"
_NO_JOB = re.compile(r"(Job|Run) \S+ does not exist|Run: .* in job: .* doesn't exist")
Say = Callable[[str], None]
Json = dict[str, Any]


class Unreadable(UserError):
    """The workspace did not say what was asked; the message tells what it said instead, and what to check."""


class Missing(Unreadable):
    """The workspace says that there is no such thing, or hides it from whoever asks."""


class Connection:
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
            answer = self._ask(path, {**query, "startIndex": str(start), "count": str(_SCIM_PAGE)})
            found = answer.get("Resources") or []
            yield from found
            start += len(found)
            if not found or start > int(answer.get("totalResults") or 0):
                return

    def _ask(self, path: str, query: Mapping[str, str] | None = None, needs: str = "") -> Json:
        """What a GET is answered with; `needs` says which permission level on what is enough."""
        return _json(self._exchange("GET", path, query, None, needs), path)

    def _told(self, method: str, path: str, body: Json, needs: str) -> Json:
        """What a request that changes something is answered with."""
        return _json(self._exchange(method, path, None, body, needs), path)

    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
        needs: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        from requests import RequestException

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
            except RequestException as error:
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
            import requests
            from requests.adapters import HTTPAdapter

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
    import requests

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
    if answer.status_code == 404 or body.get("error_code") == "RESOURCE_DOES_NOT_EXIST" or _no_job(body, said):
        raise Missing(told)
    # A token that is unknown or has expired is a 403 too: "Invalid access token."
    if answer.status_code == 401 or (answer.status_code == 403 and "access token" in said.lower()):
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


def _no_job(body: Mapping[str, Any], said: str) -> bool:
    """The Jobs API answers 400 for a job or a run that there is none of (databricks-sdk-py, errors/overrides.py)."""
    return body.get("error_code") == "INVALID_PARAMETER_VALUE" and bool(_NO_JOB.match(said))
