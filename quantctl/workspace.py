"""The Databricks workspace as promotion and status read it: the folder's commit, runs, and what time it is. Reads only."""

from __future__ import annotations

import datetime
import email.utils
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.errors import UserError
from infra.outside.preflight import reach_databricks
from infra.sdk import workspace_client
from infra.settings import Settings

_SECONDS = 15  # for one answer
_ACTIVE = frozenset({"QUEUED", "PENDING", "RUNNING", "TERMINATING", "BLOCKED", "WAITING_FOR_RETRY"})
_FAILED = frozenset({"FAILED", "TIMEDOUT", "UPSTREAM_FAILED", "SUCCESS_WITH_FAILURES"})


@dataclass(frozen=True)
class Folder:
    """A Git folder: the branch and commit that it is at."""

    id: int
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
    """One workspace, with any of Databricks' ways to authenticate (from the environment)."""

    def __init__(self) -> None:
        self._client: Any = None

    def knock(self) -> None:
        """Refuse in seconds where nobody answers; the SDK would try for most of a minute.

        Raises:
            UserError: names the address and the setting.
        """
        reach_databricks(os.environ)

    def now(self) -> datetime.datetime:
        """The workspace's own clock, in UTC: a wrong clock of somebody's laptop passes no gate."""
        answer = self._ask("/api/2.0/preview/scim/v2/Me", response_headers=["Date"])
        given = answer.get("Date") if isinstance(answer, dict) else None
        try:
            return email.utils.parsedate_to_datetime(str(given)).astimezone(datetime.UTC)
        except ValueError:
            raise UserError("Databricks: an answer came without a Date header, so the time is not known.") from None

    def folder(self, settings: Settings) -> Folder | None:
        """The environment's Git folder; None before the first deployment."""
        answer = self._ask("/api/2.0/repos", {"path_prefix": settings.folder})
        found = next((repo for repo in answer.get("repos", []) if repo.get("path") == settings.folder), None)
        if found is None:
            return None
        return Folder(int(found["id"]), str(found.get("branch", "")), str(found.get("head_commit_id", "")))

    def jobs(self, settings: Settings) -> dict[str, int]:
        """Workflow -> job id of the environment's jobs, by the name that the program gives them."""
        prefix = f"{settings.environment} "
        found: dict[str, int] = {}
        for job in self._pages("/api/2.2/jobs/list", "jobs", {"limit": 100}):
            name = str((job.get("settings") or {}).get("name", ""))
            if name.startswith(prefix):
                found[name.removeprefix(prefix)] = int(job["job_id"])
        return found

    def runs(self, job_id: int, since: datetime.datetime) -> list[Run]:
        """Runs of a job that were started since then, the newest first."""
        query = {"job_id": job_id, "start_time_from": int(since.timestamp() * 1000), "limit": 25}
        return [_run(one) for one in self._pages("/api/2.2/jobs/runs/list", "runs", query)]

    def active_runs(self, jobs: dict[str, int]) -> dict[str, list[int]]:
        """Workflow -> ids of the runs that have not ended."""
        found: dict[str, list[int]] = {}
        names = {job_id: name for name, job_id in jobs.items()}
        for one in self._pages("/api/2.2/jobs/runs/list", "runs", {"active_only": "true", "limit": 25}):
            run = _run(one)
            if run.job_id in names:
                found.setdefault(names[run.job_id], []).append(run.run_id)
        return found

    def _pages(self, path: str, key: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            answer = self._ask(path, {**query, **({"page_token": token} if token else {})})
            yield from answer.get(key, [])
            token = answer.get("next_page_token") or None
            if token is None:
                return

    def _ask(self, path: str, query: dict[str, Any] | None = None, **more: Any) -> Any:
        try:
            if self._client is None:
                self.knock()
                self._client = workspace_client(_SECONDS)
            return self._client.do("GET", path, query=query, **more)
        except (OSError, ValueError) as error:  # the SDK's errors are the former, a wrong profile the latter
            text = str(error).strip().splitlines()
            raise UserError(
                f"Databricks: {text[0][:200] if text else type(error).__name__}. Check DATABRICKS_HOST and"
                " DATABRICKS_TOKEN, or a profile in DATABRICKS_CONFIG_PROFILE."
            ) from None


def _run(body: dict[str, Any]) -> Run:
    state = body.get("state") or {}
    active = state.get("life_cycle_state") in _ACTIVE
    result = "" if active else str(state.get("result_state") or state.get("life_cycle_state") or "")
    started = datetime.datetime.fromtimestamp(int(body.get("start_time", 0)) / 1000, datetime.UTC)
    return Run(int(body.get("job_id", 0)), int(body["run_id"]), started, "FAILED" if result == "INTERNAL_ERROR" else result)
