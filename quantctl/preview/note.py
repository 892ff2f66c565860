"""The note on a merge request: summary first, then each environment that changes. Pure.

It fits the forge: what does not is folded and shortened, with a sentence that says what is left out and where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from quantctl.preview.access import AccessChange, Direction
from quantctl.preview.detail import Detail, arrow, counts, described, elsewhere
from quantctl.preview.story import Change, Story
from quantctl.text.plain import counted, one_line

# Characters of one note. https://docs.gitlab.com/administration/instance_limits/; GitHub answers 422 above its own.
LIMITS = {"gitlab": 1_000_000, "github": 65_536}
SPARE = 200  # characters of it that whoever posts it needs for a marker
_ADDRESSES = 10  # of jobs and folder, on a terminal
SMALLEST = min(LIMITS.values()) - SPARE


# From everything that helps to the least that still says what happens.
_DETAILS = (
    Detail(10, 10, 30, 100, 4000),
    Detail(10, 10, 30, 100, 400),
    Detail(10, 10, 30, 50, 60),
    Detail(5, 5, 10, 30, 0),
    Detail(3, 3, 3, 10, 0),
    Detail(1, 0, 0, 3, 0),
)


def note(stories: Sequence[Story], limit: int = SMALLEST, where: str = "") -> str:
    """The note, at most `limit` characters long. `where` is the address of the pipeline that made it."""
    for detail in _DETAILS:
        text = _note(stories, detail, where)
        if len(text) <= limit:
            return text
    told = f"\n\n**The rest is left out: a note holds {limit} characters.** {elsewhere('ENV', where)}\n"
    head = "\n".join(_head(stories))
    kept = head if len(head) + len(told) <= limit else head[: max(0, limit - len(told))].rpartition("\n")[0]
    return (kept + told)[:limit]


def title(stories: Sequence[Story]) -> str:
    """What happens, in one line without Markdown."""
    parts = []
    for words, chosen in (
        ("refused by a policy: {}", [s for s in stories if s.refused]),
        ("no preview of {}", [s for s in stories if s.failed and not s.refused]),
        ("{} would change", [s for s in stories if s.changes and not s.failed]),
        ("ACCESS IS WIDENED in {}", [s for s in stories if any(c.direction is Direction.WIDENED for c in s.access)]),
        ("nothing changes in {}", [s for s in stories if not s.changes and not s.failed]),
    ):
        if chosen:
            parts.append(words.format(", ".join(s.environment for s in chosen)))
    return "; ".join(parts)


def section(story: Story) -> str:
    """One environment as it is shown on a terminal before an update, without the raw diff; addresses stand at the end."""
    shown = replace(story, raw=(), pages={}, folder_page="")
    return "\n".join([*described(shown, _DETAILS[0]), *_addresses(story)]) + "\n"


def _addresses(story: Story) -> Iterator[str]:
    """The folder and the jobs in the workspace, a line each."""
    named = [("the Git folder", story.folder_page), *((one_line(name), page) for name, page in story.pages.items())]
    listed = [(name, page) for name, page in named if page]
    if story.changes and listed:
        width = max(len(name) for name, _ in listed[:_ADDRESSES])
        yield "\nIn the workspace:"
        yield from (f"  {name:{width}}  {page}" for name, page in listed[:_ADDRESSES])
        if len(listed) > _ADDRESSES:
            yield f"  and {len(listed) - _ADDRESSES} more"


def _note(stories: Sequence[Story], detail: Detail, where: str) -> str:
    lines = _head(stories)
    for story in stories:
        if story.changes or story.failed or story.violations or story.warnings:
            lines += ["", *described(story, detail, where)]
    by = f"Previewed by `quantctl preview`{f', [this pipeline]({where})' if where else ''}: nothing has been changed."
    lines += ["", f"<sub>{by} Whole, with every value: `quantctl preview --format json`.</sub>"]
    return "\n".join(lines) + "\n"


def _head(stories: Sequence[Story]) -> list[str]:
    rows = ["| environment | commit | workflows | access | schema | resources | policies |", "|" + " --- |" * 7]
    return [f"### Preview: {title(stories)}", "", *rows, *(_row(story) for story in stories)]


def _row(story: Story) -> str:
    cells = [f"`{story.environment}`", arrow(story.commits), _numbers(story.workflows), _access_word(story.access)]
    cells += [_numbers(story.schema), counts(story) or "no change", _policy_word(story)]
    if story.failed:
        cells[5] = "**failed**"
    return f"| {' | '.join(cells)} |"


def _numbers(changes: Sequence[Change]) -> str:
    ops = [change.op for change in changes]
    return ", ".join(f"{ops.count(op)} {op}" for op in dict.fromkeys(ops))


def _access_word(changes: Sequence[AccessChange]) -> str:
    directions = {change.direction for change in changes}
    words = [f"**{d.upper()}**" if d is Direction.WIDENED else d.value for d in Direction if d in directions]
    return " and ".join(words)


def _policy_word(story: Story) -> str:
    mandatory = sum(violation.mandatory for violation in story.violations)
    if mandatory:
        return f"**{mandatory} broken**"
    if story.violations:
        return counted(len(story.violations), "warning")
    return f"{story.policies} hold" if story.policies and not story.failed else ""
