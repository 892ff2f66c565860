"""One environment's part of the note: the loudest first, then what changes, the raw diff folded away at the end. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from quantctl.engine.said import helps
from quantctl.preview.access import Direction
from quantctl.preview.fields import Field
from quantctl.preview.story import NOTHING, Change, Commits, Story
from quantctl.text.markdown import code, fenced, inline, linked, sentence
from quantctl.text.plain import counted, shorten


@dataclass(frozen=True)
class Detail:
    """How much of each environment is shown: commits, files, fields of a resource, items of a list, raw diff in lines."""

    commits: int
    files: int
    fields: int
    items: int
    raw: int


def described(story: Story, detail: Detail, where: str = "") -> Iterator[str]:
    """The lines about one environment. `where` is the address of the pipeline."""
    yield f"#### `{story.environment}`: {counts(story) or ('failed' if story.failed else 'no change')}"
    if story.what_if:
        yield f"As it would be after the branch has moved to {code(story.what_if)}."
    if story.first:
        yield "The first deployment of this environment: everything in it is made."
    yield from _policies(story, detail)
    if story.failed:
        yield from _failure(story, detail)
    for loss in story.losses:
        yield f"\n⚠️ **{inline(loss[0].upper() + loss[1:])}.**"
    yield from _access(story, detail)
    yield from _commit_lines(story, detail)
    yield from _changes("Workflows", story.workflows, detail, story.pages)
    yield from _changes("Schema", story.schema, detail)
    yield from _changes("Other resources", story.others, detail)
    for warning in story.warnings[: detail.items]:
        yield f"\nWarning: {code(warning, 500)}"
    yield from _more(len(story.warnings) - detail.items, "warning")
    yield from _raw(story, detail, where)


def _failure(story: Story, detail: Detail) -> Iterator[str]:
    if story.errors:
        yield "\n**The preview failed.** The engine said:"
        text = [line for error in story.errors[: detail.items] for line in shorten(error, 4000).splitlines()]
        yield "\n" + fenced(text)
        yield from _more(len(story.errors) - detail.items, "message")
        if way := helps(story.environment, "\n".join(story.errors)):
            yield f"\nWhat helps: {sentence(way)}"
    elif not story.refused:
        yield "\n**The preview failed** and said nothing of why."
    if story.changes and story.errors:
        yield "\nIt ended early: what follows is what had been seen by then."


def _access(story: Story, detail: Detail) -> Iterator[str]:
    for direction, heading in (
        (Direction.WIDENED, "⚠️ **ACCESS IS WIDENED**"),
        (Direction.NARROWED, "**Access is narrowed**"),
    ):
        chosen = [change for change in story.access if change.direction is direction]
        if chosen:
            yield f"\n{heading}"
        for change in chosen[: detail.items]:
            on = f" ({_names(change.names, story.pages)})" if change.names else ""
            what = change.what if re.fullmatch("[a-z ]+", change.what) else code(change.what)
            yield f"- {code(change.who)}: {what}{on}: {code(change.old)} → {code(change.new)}"
        yield from _more(len(chosen) - detail.items, "change of access", "changes of access")


def _commit_lines(story: Story, detail: Detail) -> Iterator[str]:
    commits = story.commits
    if commits is None or commits.old == commits.new:
        return
    number = len(commits.subjects)
    what = counted(number, "commit")
    heading = linked("**Code**", story.folder_page)
    if commits.old is None:
        yield f"\n{heading} at `{commits.new[:7]}`: {what}"
    else:
        yield f"\n{heading} {arrow(commits)}: " + (f"goes back, {what} taken away" if commits.back else f"{what} more")
    if commits.diverged:
        yield (
            f"The branch holds {counted(commits.diverged, 'commit')} that this does not: merging makes a commit of its own,"
            " and what is deployed then may differ from this preview."
        )
    yield from (f"- `{short}` {code(subject, 100)}" for short, subject in commits.subjects[: detail.commits])
    rest = commits.subjects[detail.commits : detail.commits * 11]
    if rest:
        yield f"\n<details><summary>{counted(len(rest), 'older commit')}</summary>\n"
        yield from (f"- `{short}` {code(subject, 100)}" for short, subject in rest)
        yield "\n</details>"
    yield from _more(
        number - detail.commits * 11, "commit", elsewhere=f"git log {(commits.old or '')[:12]}..{commits.new[:12]}"
    )
    if commits.files:
        shown = ", ".join(map(code, commits.files[: detail.files]))
        yield f"\n{counted(len(commits.files), 'file')}: {shown}{_and_more(len(commits.files) - detail.files)}".replace(
            ": ,", ","
        )


def _names(names: Sequence[str], pages: Mapping[str, str]) -> str:
    """Names, each with a link to its page where it has one."""
    return ", ".join(linked(code(name), pages.get(name, "")) for name in names[:20]) + _and_more(len(names) - 20)


def _changes(heading: str, changes: Sequence[Change], detail: Detail, pages: Mapping[str, str] = NOTHING) -> Iterator[str]:
    if changes:
        yield f"\n**{heading}**"
    alike: dict[Change, list[str]] = {}
    for change in changes:
        alike.setdefault(replace(change, name=""), []).append(change.name)
    for change, names in list(alike.items())[: detail.items]:
        kind = "" if change.kind in ("workflow", "Schema") else f"{change.kind} "
        yield f"- {change.op} {inline(kind)}{_names(names, pages)}"
        yield from (
            f"  - {inline(note_.partition(': ')[0])}: {code(note_.partition(': ')[2])}"
            for note_ in change.notes
            if ": " in note_
        )
        yield from (f"  - {inline(note_)}" for note_ in change.notes if ": " not in note_)
        yield from (f"  - {_field(found)}" for found in change.fields[: detail.fields])
        if len(change.fields) > detail.fields:
            yield f"  - and {counted(len(change.fields) - detail.fields, 'more field', 'more fields')}, left out here"
    yield from _more(len(alike) - detail.items, "more of these", "more of these")


def _field(found: Field) -> str:
    if found.old is None:
        return f"{code(found.name)}: now {code(found.new or '')}"
    if found.new is None:
        return f"{code(found.name)}: {code(found.old)} is taken away"
    if found.old == found.new:
        return f"{code(found.name)}: changes; the value is not shown"
    return f"{code(found.name)}: {code(found.old)} → {code(found.new)}"


def _policies(story: Story, detail: Detail) -> Iterator[str]:
    for mandatory, heading in ((True, "⛔ **A policy refuses this**"), (False, "**Policies warn**")):
        chosen = [violation for violation in story.violations if violation.mandatory is mandatory]
        if chosen:
            yield f"\n{heading}"
        for violation in chosen[: detail.items]:
            yield f"- {code(violation.policy)}, {code(violation.resource)}: {code(violation.message, 500)}"
        yield from _more(len(chosen) - detail.items, "violation")


def _raw(story: Story, detail: Detail, where: str) -> Iterator[str]:
    if not story.raw:
        return
    shown = [shorten(line, 2000) for line in story.raw[: detail.raw]]
    if shown:
        yield f"\n<details><summary>Raw diff, {counted(len(story.raw), 'line')}</summary>\n"
        yield fenced(shown, "diff")
        yield "\n</details>"
    if len(shown) < len(story.raw):
        left = counted(len(story.raw) - len(shown), "line")
        yield f"\n{left} of the raw diff left out: a note has a limit. {elsewhere(story.environment, where)}"


def elsewhere(env: str, where: str) -> str:
    """Where the whole is, in a sentence."""
    return f"The whole: `quantctl preview {env} --format json`" + (f", or [the pipeline]({where})." if where else ".")


def _more(number: int, one: str, many: str = "", elsewhere: str = "") -> Iterator[str]:
    if number > 0:
        yield f"- and {counted(number, one, many)} left out here: `{elsewhere or 'quantctl preview --format json'}`"


def _and_more(number: int) -> str:
    return f", and {number} more" if number > 0 else ""


def arrow(commits: Commits | None) -> str:
    """From which commit to which."""
    if commits is None:
        return ""
    if commits.old is None or commits.old == commits.new:
        return f"`{commits.new[:7]}`"
    return f"`{commits.old[:7]}` → `{commits.new[:7]}`"


def counts(story: Story) -> str:
    """How many resources change, in words; empty when none does."""
    return ", ".join(f"{number} {op}" for op, number in story.counts.items() if number and op != "unchanged")
