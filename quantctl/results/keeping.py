"""Recording a report in the pipelines repository, and finding one there with who has signed it."""

from __future__ import annotations

from collections.abc import Mapping

from quantctl.errors import UserError
from quantctl.forge import connect
from quantctl.records import reports
from quantctl.records.deployments import PREFIXES
from quantctl.records.repository import read_pipelines
from quantctl.results import signed
from quantctl.results.markdown import markdown
from quantctl.results.report import SHORT, Report, parsed
from quantctl.results.signed import Signed
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace

MARKER = "quantctl results"


def write_record(env: str, report: Report, environ: Mapping[str, str]) -> str:
    """Record a report as whoever runs this; the tag's name.

    Raises:
        UserError: it would be no record, or may not be pushed.
    """
    settings = stack_settings(env, environ)
    pipelines = read_pipelines(settings.remote, (reports.PREFIX,), settings.signers)
    who, at = connect(settings, environ).promoter(), int(Workspace(environ).now().timestamp())
    return reports.write(pipelines, report, report.commits[0], who, at)


def post(env: str, report: Report, environ: Mapping[str, str]) -> str:
    """Write or refresh the note on the open merge request along the edge; answers in words what was done."""
    settings = stack_settings(env, environ)
    forge = connect(settings, environ)
    request = forge.find_merge_request(settings.branch, report.against) if forge.merge_requests else None
    if request is None:
        return f"Not posted: there is no open merge request from {env} to {report.against}."
    told = forge.post_note(request.number, f"{MARKER} {report.environment} {report.against}", markdown(report))
    return f"The note on merge request {request.number}: {told}"


def before(env: str, report: Report, environ: Mapping[str, str]) -> Report:
    """The newest report of an earlier commit with the tree that is deployed now: what a rollback went back to.

    Raises:
        UserError: there is none.
    """
    settings = stack_settings(env, environ)
    pipelines = read_pipelines(settings.remote, PREFIXES, settings.signers)
    here = report.commits[0]
    tree = pipelines.tree(here)
    tags = [tag for tag in pipelines.tags(f"{reports.PREFIX}/{env}") if tag.commit != here and pipelines.knows(tag.commit)]
    commits = {tag.commit for tag in tags if pipelines.tree(tag.commit) == tree}
    found = [one for commit in commits for one in reports.of(pipelines, env, commit, parsed).reports]
    fitting = sorted((one for one in found if one.report.against == report.against), key=lambda one: one.at)
    if not fitting:
        raise UserError(
            f"No report of an earlier deployment of this tree in {env} is on record, so there is nothing to go by.",
            found=f"the tree of {here[:SHORT]}",
            do_next="record reports with --record while all is well",
        )
    return fitting[-1].report


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
