"""What is wrong, and what is right to know, in which environments. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from infra.naming import names_of
from infra.settings import Settings
from infra.vocabulary import Environment
from infra.workflows import Definitions, Files, Note, Problem, Refused, Scene


@dataclass(frozen=True)
class Verdict:
    """The mistakes and the notes of a repository, each with the environments that it is in; how many workflows are right."""

    problems: dict[Problem, list[Environment]]
    notes: dict[Note, list[Environment]]
    workflows: int


def judge(
    files: Files,
    present: frozenset[str],
    settings: Mapping[Environment, Settings],
    declarations: Mapping[str, bytes] | None = None,
) -> Verdict:
    """Read the definitions for every environment; each file is parsed once for those that read the same folder.

    `declarations`: contracts and declared changes of results, path -> content.
    """
    problems: dict[Problem, list[Environment]] = {}
    notes: dict[Note, list[Environment]] = {}
    found: set[str] = set()
    names: set[str] = set()
    parsed: dict[str, Definitions] = {}
    for environment, one in settings.items():
        definitions = parsed.get(one.workflows) or parsed.setdefault(
            one.workflows, Definitions(files, present, one.workflows)
        )
        try:
            reading = definitions.read(Scene(one, names_of(one), present))
        except Refused as error:
            for problem in error.problems:
                problems.setdefault(problem, []).append(environment)
            continue
        found |= {workflow.key for workflow in reading.workflows}
        names |= {str(workflow.job["name"]) for workflow in reading.workflows}
        for note in reading.notes:
            notes.setdefault(note, []).append(environment)
    for problem in _of_results(declarations or {}, None if problems else names):
        problems[problem] = list(Environment)
    ordered = dict(sorted(problems.items(), key=lambda entry: (entry[0].mark, entry[0].key)))
    return Verdict(ordered, notes, len(found))


def _of_results(declarations: Mapping[str, bytes], names: Iterable[str] | None) -> Sequence[Problem]:
    """What is wrong with contracts and declared changes; `names` of the workflows, None where they are not known."""
    if not declarations:
        return ()
    from quantctl.results.contract import contract_files, read_contracts  # half a second, for who has contracts
    from quantctl.results.declared import change_files, read_changes

    try:
        known = read_contracts({path: declarations[path] for path in contract_files(declarations)}, names)
        read_changes({path: declarations[path] for path in change_files(declarations)}, known)
    except Refused as error:
        return error.problems
    return ()
