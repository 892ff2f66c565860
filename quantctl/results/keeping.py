"""Recording a report in the pipelines repository, and finding one there with who has signed it."""

from __future__ import annotations

from collections.abc import Mapping

from quantctl.errors import UserError
from quantctl.forge import connect
from quantctl.records import reports
from quantctl.records.deployments import PREFIXES
from quantctl.records.repository import read_pipelines
from quantctl.results import signed
from quantctl.results.report import SHORT, Report, parsed
from quantctl.results.signed import Signed
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace


def write_record(env: str, report: Report, environ: Mapping[str, str]) -> str:
    """Record a report as whoever runs this; the tag's name.

    Raises:
        UserError: it would be no record, or may not be pushed.
    """
    settings = stack_settings(env, environ)
    pipelines = read_pipelines(settings.remote, (reports.PREFIX,), settings.signers)
    who, at = connect(settings, environ).promoter(), int(Workspace(environ).now().timestamp())
    return reports.write(pipelines, report, report.commits[0], who, at)


def on_record(env: str, digest: str, environ: Mapping[str, str]) -> tuple[Report, Signed]:
    """A recorded report by the begin of its digest, of any commit of the environment, and its signatures.

    Raises:
        UserError: there is none, or several.
    """
    settings = stack_settings(env, environ)
    pipelines = read_pipelines(settings.remote, PREFIXES, settings.signers)
    commits = {tag.commit for tag in pipelines.tags(f"{reports.PREFIX}/{env}")}
    found = [one for commit in sorted(commits) for one in reports.of(pipelines, env, commit, parsed).reports]
    fitting = [one for one in found if one.report.digest.startswith(digest)]
    if len(fitting) != 1:
        listed = ", ".join(one.report.digest[:SHORT] for one in found[-10:]) or "none"
        count = "no" if not fitting else "more than one"
        raise UserError(f"{env} has {count} report {digest}.", expected=f"one of {listed}", do_next="name one of these")
    report = fitting[0].report
    return report, signed.of(report.digest, connect(settings, environ).sign_offs(env, report.commits[0]))
