"""The newest report on record, as the gates see it: is it still true of the runs that there are?"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

from infra.outside.workspace import Run
from infra.vocabulary import Environment
from quantctl.promotion.results_gate import ReportSeen, ResultsSeen
from quantctl.records import reports
from quantctl.records.repository import Pipelines
from quantctl.records.signoffs import SignOff
from quantctl.results.contract import contract_files
from quantctl.results.report import Report, parsed

RunsOf = Callable[[str, str, datetime.datetime], Sequence[Run]]  # environment, workflow, since


def seen(
    pipelines: Pipelines, source: str, target: str, commit: str, signed: Callable[[], Sequence[SignOff]], runs: RunsOf
) -> ResultsSeen | None:
    """What is on record of a commit's results; None where the commit has no contracts.

    Raises:
        infra.errors.UserError: runs or sign-offs cannot be read.
    """
    if not contract_files(pipelines.blobs(commit)):
        return None
    found = reports.of(pipelines, source, commit, parsed)
    fitting = [one for one in found.reports if one.report.against in (target, Environment.LIVE.value)]
    if not fitting:
        return ResultsSeen(None, signed(), found.void)
    newest = fitting[-1]
    report = newest.report
    told = ReportSeen(
        digest=report.digest,
        verdict=report.verdict,
        against=report.against,
        days=len(report.days_by_this_code),
        findings=[one.id for one in report.findings],
        by=newest.by,
        stale=run_again(report, runs),
    )
    return ResultsSeen(told, signed(), found.void)


def run_again(report: Report, runs: RunsOf) -> str:
    """Which day of the window was run again since, "" when none was: then the numbers are no longer those of the report."""
    begin = datetime.datetime.combine(report.first, datetime.time(), datetime.UTC)
    for workflow, nights in report.runs.items():
        if isinstance(nights, str):
            continue
        for number, env in enumerate((report.environment, report.against)):
            last: dict[datetime.date, Run] = {}
            for run in sorted(runs(env, workflow, begin), key=lambda run: run.started):
                last[run.started.date()] = run
            for day, both in nights.items():
                now = last.get(day)
                told = both[number]
                # A repair keeps the run's id: https://docs.databricks.com/api/workspace/jobs/repairrun
                if (now.run_id if now else None, now.result if now else "") != (told.run, told.result):
                    ran = f"run {now.run_id}" if now else "its run is gone"
                    return f"{workflow} of {env} was run again for {day:%m-%d} ({ran})"
    return ""
