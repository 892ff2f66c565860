"""A verdict as text, as JSON, and as annotations of GitLab and GitHub. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from infra.vocabulary import Environment
from infra.workflows import Problem
from quantctl.check.judge import Verdict
from quantctl.text.plain import one_line

_SHOWN = 10


def text(verdict: Verdict) -> str:
    """For a terminal: the first ten mistakes, how many there are, and what is right to know."""
    lines = [f"{one_line(str(problem))}{_where(where)}" for problem, where in list(verdict.problems.items())[:_SHOWN]]
    count = len(verdict.problems)
    if count > _SHOWN:
        lines.append(f"... and {count - _SHOWN} more ({count} in all); --format json lists them.")
    lines += [f"note: {one_line(str(note))}{_where(where)}" for note, where in verdict.notes.items()]
    if count:
        return "\n".join([*lines, f"{count} {'problem' if count == 1 else 'problems'}."])
    number = verdict.workflows
    said = f"{number} {'workflow is' if number == 1 else 'workflows are'} right for {', '.join(Environment)}."
    return "\n".join([*lines, said])


def as_json(verdict: Verdict) -> str:
    """Everything, for a program."""
    problems = [
        {"file": one.mark.file, "line": one.mark.line, "key": one.key, "message": one.text, "environments": where}
        for one, where in verdict.problems.items()
    ]
    notes = [
        {"file": one.mark.file, "line": one.mark.line, "message": one.text, "environments": where}
        for one, where in verdict.notes.items()
    ]
    return json.dumps({"workflows": verdict.workflows, "problems": problems, "notes": notes}, indent=2)


def gitlab(verdict: Verdict) -> str:
    """A code quality report. https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format"""
    report = [
        {
            "description": f"{_message(problem)}{_where(where)}",
            "check_name": "quantctl-check",
            "fingerprint": _digest(problem),
            "severity": "blocker",
            "location": {"path": problem.mark.file, "lines": {"begin": max(problem.mark.line, 1)}},
        }
        for problem, where in verdict.problems.items()
    ]
    return json.dumps(report, indent=2)


def _digest(problem: Problem) -> str:
    said = f"{problem.mark.file}\0{problem.key}\0{problem.text}"
    return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()  # a file's name may be no UTF-8


def github(verdict: Verdict) -> str:
    """Workflow commands.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-an-error-message
    """
    lines = []
    for problem, where in verdict.problems.items():
        place = f"file={_property(problem.mark.file)},line={max(problem.mark.line, 1)}"
        lines.append(f"::error {place},title=quantctl check::{_data(_message(problem) + _where(where))}")
    for note, where in verdict.notes.items():
        place = f"file={_property(note.mark.file)},line={max(note.mark.line, 1)}"
        lines.append(f"::notice {place},title=quantctl check::{_data(one_line(note.text) + _where(where))}")
    return "\n".join(lines)


def _message(problem: Problem) -> str:
    return one_line(f"{problem.key}: {problem.text}" if problem.key else problem.text)


def _where(environments: Sequence[Environment]) -> str:
    return "" if len(environments) == len(Environment) else f" [{', '.join(environments)}]"


def _data(said: str) -> str:
    return said.replace("%", "%25")


def _property(said: str) -> str:
    return _data(one_line(said)).replace(":", "%3A").replace(",", "%2C")
