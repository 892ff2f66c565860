"""What `make up` and `make down` do."""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rich.table import Table

import toolchain
from infra.errors import UserError as InfraError
from quantctl import project
from quantctl.engine import planned, process, stacks
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.forge import connect
from quantctl.keys import rotation
from quantctl.laptop import first_deployment, place, turn
from quantctl.laptop.exports import process_environment
from quantctl.promotion.deploy import make_ready, record_updates, settle_planned
from quantctl.stack_settings import stack_settings
from quantctl.text.terminal import Console
from quantctl.update.whole import whole
from quantctl.workspace import Workspace
from sandbox import control, sample
from sandbox.identities import ENVIRONMENTS
from sandbox.state import State

AT_ONCE = 2
_TOLD = 2.0  # seconds between two lines of a log


def up(state: State, console: Console) -> None:
    """Everything that `make up` is, from the toolchain on; another one of the same sandbox is refused meanwhile."""
    with turn.taken(state, "up"):
        _up(state, console)


def _up(state: State, console: Console) -> None:
    began = time.monotonic()
    found = toolchain.obtain(toolchain.Report(console))
    report = toolchain.Report(console, every=_TOLD)
    report(f"toolchain   {found.way}")
    if first_deployment.did_not_end(state):
        report("The first deployment did not end, and its state is not whole: the sandbox starts empty again.")
        turn.need_idle(state)
        with place.told():
            control.reset(state)
    with report.timed("sandbox     starting"):
        endpoints = place.start(state)
    report(f"sandbox     Databricks {endpoints.databricks_host}, Snowflake port {endpoints.snowflake_port}")
    with report.timed("pipelines   making the sample repository"):
        made = sample.create(state.remote)
    report(f"pipelines   {'made' if made else 'kept'}: {endpoints.remote_url}")
    environ = process_environment(state)
    with first_deployment.begun(state) as more:
        with report.timed("stacks      making those that are not there"):
            for env in ENVIRONMENTS:
                ensure_stack(state, env, environ)
        results = _deploy(state, environ | more, report)
    os.environ.update(environ)  # the clients read it there
    with report.timed("recording what is deployed"):
        settings = [stack_settings(env, environ) for env in ENVIRONMENTS]
        record_updates(settings, Workspace(environ), connect(settings[0], environ))
    with report.timed("reading what the stacks say"):
        table = _table([stacks.outputs(env, environ) for env in ENVIRONMENTS])
    console.print(table)
    _report(results, time.monotonic() - began, console)


def down(state: State, console: Console) -> None:
    """Stop the sandbox and delete its folder, unless somebody is at work on it."""
    if not state.folder.exists():
        console.print("There is no sandbox: nothing to do.")
        return
    if not state.credentials_file.exists():
        raise UserError(
            f"{state.folder} is not a sandbox's state folder, so it is not deleted.",
            do_next="check QUANT_SANDBOX",
        )
    with turn.taken(state, "down"):
        turn.need_idle(state)
        with place.told():
            stopped = control.stop(state)
        shutil.rmtree(state.folder)
    console.print(f"{'Stopped' if stopped else 'Was not running'}; its state is deleted: {state.folder}")


def _deploy(state: State, environ: dict[str, str], report: toolchain.Report) -> list[stacks.Result]:
    now: dict[str, str] = {}  # what is going on, by environment

    def deploy(env: str) -> stacks.Result | InfraError:
        began, steps, states = time.monotonic(), 0, States(environ)

        def say(text: str) -> None:
            report(f"{env:<11} {text}")

        def step(_: str) -> None:
            nonlocal steps
            steps += 1
            now[env] = f"pulumi up, step {steps}"

        now[env] = "looking at what an update has left"
        try:
            make_ready(env, states, say)
            if planned.needs_a_look(env, states):
                settle_planned(env, states, say)
            pair = rotation.first_pair(env, environ)
            now[env] = "pulumi up"
            result = whole(env, states, lambda: stacks.up(env, environ, step), say)
            if pair is not None:
                rotation.hand_over(env, pair, environ)
        except InfraError as error:
            report(f"{env:<11} failed")
            return error
        finally:
            del now[env]
        report(f"{env:<11} {_counts(result)} in {time.monotonic() - began:.0f} s")
        return result

    def described() -> str:
        between = "\n" if report.console.is_terminal else ", "
        return between.join(f"{env:<11} {what}, {time.monotonic() - all_began:.0f} s" for env, what in list(now.items()))

    all_began = time.monotonic()
    with report.during(described), ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(deploy, ENVIRONMENTS))
    errors = [str(answer) for answer in answers if isinstance(answer, InfraError)]
    if errors:
        raise UserError("\n\n".join(errors))
    return [answer for answer in answers if isinstance(answer, stacks.Result)]


def ensure_stack(state: State, env: str, environ: dict[str, str]) -> None:
    """Create the stack where the sandbox's folder has none."""
    if not (state.pulumi / ".pulumi" / "stacks" / project.PROJECT / f"{env}.json").exists():
        process.run(["stack", "init", env, "--no-select"], environ)


def _counts(result: stacks.Result) -> str:
    return ", ".join(f"{number} {what}" for what, number in result.counts.items()) or "done"


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("branch", "commit", "folder", "jobs", "schema")
    for row in rows:
        jobs = row.get("jobs") or {}
        table.add_row(
            str(row.get("branch", "")),
            str(row.get("commit", ""))[:10],
            str(row.get("folder", "")),
            str(len(jobs)),
            str(row.get("schema", "")),
        )
    return table


def _report(results: list[stacks.Result], seconds: float, console: Console) -> None:
    changed = sum(result.changed for result in results)
    if changed:
        console.print(f"The four environments are up: {changed} changes in {seconds:.0f} s.")
    else:
        console.print(f"Nothing has changed: the four environments were up already ({seconds:.0f} s).")
    console.print(
        "\nWhat to try next:\n"
        '  eval "$(.venv/bin/quantctl env)"          plain pulumi works in this shell\n'
        "  git clone $QUANT_REMOTE pipelines         the sample repository\n"
        "  git -C pipelines push origin origin/quant:quant_stg\n"
        "                                            promote quant to quant_stg\n"
        "  pulumi preview -s quant_stg --diff        names the commit to deploy\n"
        "  pulumi up -s quant_stg                    deploys it\n"
        "  quantctl status                           one look at the four environments\n"
        "  quantctl promote quant_stg quant_lr --dry-run\n"
        "                                            the gates of a promotion (docs/promotion.md)\n"
        "  quantctl sandbox credentials              who may try what\n"
        "  make down                                 stop and forget everything",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
