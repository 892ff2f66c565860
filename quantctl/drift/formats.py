"""A drift run as Markdown, JSON and JUnit XML. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from xml.etree import ElementTree

from quantctl.drift.finding import By, Class, EnvironmentDrift, Finding, Verdict
from quantctl.text.markdown import code as code_span
from quantctl.text.markdown import inline, table
from quantctl.text.xml import xml

MARKER = "<!-- quantctl drift -->"  # by which a pipeline finds the issue that it opened
_HEAD = ("what", "property", "declared", "real", "fix it with")
_TITLES = {
    Class.DRIFT: "Drift: the real thing is not what was deployed",
    Class.UNKNOWN: "Unknown: could not be read",
    Class.WAITING: "A promotion waits: the branch is ahead of the folder, which is no drift",
}


def as_json(reports: Sequence[EnvironmentDrift], exit_status: int) -> str:
    """One object: the exit status, and each environment with its verdict and findings."""
    environments = [
        {
            "environment": each.environment,
            "verdict": each.verdict.value,
            "findings": [finding.as_json() for finding in each.findings],
            "notes": list(each.notes),
        }
        for each in reports
    ]
    return json.dumps({"exit_status": exit_status, "environments": environments}, indent=2)


def as_markdown(reports: Sequence[EnvironmentDrift]) -> str:
    """What a scheduled pipeline puts into its one issue."""
    parts = [MARKER, "", f"## {headline(reports)}", ""]
    parts += [table(("environment", "verdict", *Class), [_counts(each) for each in reports])]
    for each in reports:
        for kind in (Class.DRIFT, Class.UNKNOWN, Class.WAITING):
            if found := each.of(kind):
                parts += [f"### `{each.environment}`: {_TITLES[kind]}", ""]
                parts += [table(_HEAD, [[text or "-" for text in _row(finding)] for finding in found])]
    notes = [note for each in reports for note in each.notes]
    if notes:
        parts += ["Not compared, which stops nothing:", "", *(f"- {inline(note)}" for note in notes), ""]
    parts += [way_out(reports)]
    return "\n".join(parts).rstrip() + "\n"


def way_out(reports: Sequence[EnvironmentDrift]) -> str:
    """The one command that fixes what needs no person; empty where all of it does."""
    fixed = " ".join(each.environment for each in reports if any(f.fix.by is not By.HAND for f in each.of(Class.DRIFT)))
    return f"`quantctl drift {fixed} --fix` fixes all of it that is not left to a person." if fixed else ""


def as_junit(reports: Sequence[EnvironmentDrift]) -> str:
    """A test suite an environment and a test case a finding: drift fails, unknown is an error, waiting is skipped.

    The format is the one that GitLab reads: https://docs.gitlab.com/ci/testing/unit_test_reports/.
    """
    root = ElementTree.Element("testsuites", name="quantctl drift")
    for each in reports:
        counts = {kind: str(len(each.of(kind))) for kind in Class}
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=each.environment,
            tests=str(max(1, len(each.findings))),
            failures=counts[Class.DRIFT],
            errors=counts[Class.UNKNOWN],
            skipped=counts[Class.WAITING],
        )
        if not each.findings:
            ElementTree.SubElement(suite, "testcase", classname=each.environment, name="as deployed")
        for finding in each.findings:
            name = ", ".join(filter(None, (finding.resource, finding.property)))
            case = ElementTree.SubElement(suite, "testcase", classname=each.environment, name=xml(name))
            tag = {Class.DRIFT: "failure", Class.UNKNOWN: "error", Class.WAITING: "skipped"}[finding.kind]
            said = ElementTree.SubElement(case, tag, message=xml(difference(finding)))
            said.text = xml("\n".join(filter(None, (difference(finding), f"fix: {finding.fix.words}", finding.urn))))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def headline(reports: Sequence[EnvironmentDrift]) -> str:
    """One line for all environments."""
    said = []
    for verdict, words in (
        (Verdict.DRIFT, "drifted"),
        (Verdict.UNKNOWN, "unknown"),
        (Verdict.WAITING, "waiting for promotion"),
        (Verdict.CLEAN, "clean"),
    ):
        if named := [each.environment for each in reports if each.verdict is verdict]:
            said.append(f"{', '.join(named)} {words}")
    return "; ".join(said)


def difference(finding: Finding) -> str:
    """Declared and real in one line."""
    return finding.real if finding.kind is Class.UNKNOWN else f"declared {finding.declared}, real {finding.real}"


def _counts(each: EnvironmentDrift) -> list[str]:
    return [f"`{each.environment}`", each.verdict.value, *(str(len(each.of(kind)) or "") for kind in Class)]


def _row(finding: Finding) -> tuple[str, ...]:
    fix = finding.fix.words
    code = fix.startswith(("pulumi ", "REVOKE ", "GRANT ", "ALTER ", "databricks ")) and ", " not in fix and "; " not in fix
    told = (finding.resource, finding.property, finding.declared, finding.real)
    what, *rest = map(inline, told)
    what = f"[{what}]({finding.page})" if finding.page else what
    return (what, *rest, code_span(fix) if code and "|" not in fix else inline(fix))
