"""`quantctl sandbox soak`: days of scheduled runs, in seconds. Every job runs once a day, and the clock goes on.

Of several environments on the same days, so that their results can be compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from databricks.sdk import WorkspaceClient
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.jobs import BaseJob, RunLifecycleStateV2State, RunResultState

from quantctl.errors import UserError
from sandbox import clock
from sandbox.state import State

_WAIT_SECONDS = 20 * 60
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Outcome:
    """One run of one job on one day."""

    day: int
    job: str
    succeeded: bool
    why: str = ""


def jobs_of(client: WorkspaceClient, env: str) -> list[BaseJob]:
    """The jobs of an environment, as the program names them: `<environment> <workflow>`."""
    found = [job for job in client.jobs.list() if job.settings and (job.settings.name or "").startswith(f"{env} ")]
    return sorted(found, key=lambda job: (job.settings and job.settings.name) or "")


def soak(
    state: State, client: WorkspaceClient, envs: Sequence[str], days: int, progress: Callable[[int, str], None]
) -> Iterator[Outcome]:
    """Run every job once a day for so many days, and move the clock after each day.

    Raises:
        UserError: the environment has no jobs yet, or the caller may not run one.
    """
    by_env = {env: jobs_of(client, env) for env in envs}
    if env := next((env for env, jobs in by_env.items() if not jobs), ""):
        raise UserError(
            f"{env} has no jobs.", expected="an environment that was deployed", do_next="`quantctl up`, then soak it"
        )
    for day in range(1, days + 1):
        for job in [job for jobs in by_env.values() for job in jobs]:
            name = (job.settings and job.settings.name) or ""
            progress(day, name)
            yield _run(client, job, name, day)
        clock.forward(state.folder, clock.DAY)


def _run(client: WorkspaceClient, job: BaseJob, name: str, day: int) -> Outcome:
    deadline = time.monotonic() + _WAIT_SECONDS
    try:
        run_id = client.jobs.run_now(job.job_id or 0).run_id
        while True:
            run = client.jobs.get_run(run_id)
            if run.status and run.status.state is RunLifecycleStateV2State.TERMINATED:
                break
            if time.monotonic() > deadline:
                return Outcome(day, name, False, f"run {run_id} has not ended after {_WAIT_SECONDS // 60} minutes")
            time.sleep(_POLL_SECONDS)  # the SDK's own waiter sleeps longer than a run here takes
    except (DatabricksError, OSError) as error:
        raise UserError(
            f"{name} could not be run.", found=str(error), do_next="is the sandbox running? quantctl sandbox status"
        ) from None
    succeeded = run.state is not None and run.state.result_state is RunResultState.SUCCESS
    return Outcome(day, name, succeeded, (run.state and run.state.state_message) or f"run {run_id}")
