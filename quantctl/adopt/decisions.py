"""decisions.yaml: every difference between what is there and what would be declared, and what becomes of it. Pure.

`keep`: what is there stays, and the settings say so. `change`: what is declared comes with the first update. `leave`: it is
not declared and stays as it is. What is undecided stops the adoption; nothing is ever decided by default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from infra.vocabulary import Persona
from quantctl.errors import UserError

Json = dict[str, Any]
GROUPS = {
    "jobs": "Jobs that are adopted, and what they are called then",
    "widened": "Access that somebody gets",
    "narrowed": "Access that somebody loses",
    "schedules": "Jobs that would start, or would no longer run by themselves",
    "owners": "Who owns, and who runs",
    "changes": "Everything else that would not be as it is",
    "leftovers": "What is not declared: left alone, or taken away by `quantctl drift ENV --fix` after the first update",
}
KEEP, CHANGE, LEAVE = "keep", "change", "leave"


@dataclass(frozen=True)
class Item:
    """One difference. `id` is the same on every run; `of` names what has it, `people` who gets or loses something."""

    group: str
    id: str
    what: str
    there: str
    declared: str
    may: tuple[str, ...]
    of: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    decision: str = ""


@dataclass(frozen=True)
class Decisions:
    """All of them, in the order of the file."""

    items: tuple[Item, ...] = field(default_factory=tuple)

    @property
    def undecided(self) -> list[Item]:
        """Those that stop the adoption."""
        return [one for one in self.items if not one.decision]

    @property
    def narrowing(self) -> dict[Persona, dict[str, str]]:
        """Persona -> folder, job or schema -> the level that stays, of what was kept."""
        found: dict[Persona, dict[str, str]] = {}
        for one in self.items:
            if one.group == "widened" and one.decision == KEEP:
                _, what, persona, level = one.id.split("/")
                found.setdefault(Persona(persona), {})[what] = level
        return found

    @property
    def jobs_left(self) -> frozenset[int]:
        """Ids of the jobs that are not adopted."""
        return frozenset(int(one.id.split("/")[1]) for one in self.items if one.group == "jobs" and one.decision == LEAVE)

    def decided(self, identity: str) -> str:
        """What was decided of one difference; empty where nothing was."""
        return next((one.decision for one in self.items if one.id == identity), "")


def merged(found: Iterable[Item], before: Decisions) -> Decisions:
    """The differences of now with what was decided before; what was kept or left stays in the file, with its reason gone."""
    known = {one.id: one for one in before.items}
    now = [replace(one, decision=known[one.id].decision if _same(one, known.get(one.id)) else "") for one in found]
    here = {one.id for one in now}
    settled = [one for one in before.items if one.id not in here and one.decision in (KEEP, LEAVE)]
    order = list(GROUPS)
    return Decisions(tuple(sorted([*now, *settled], key=lambda one: (order.index(one.group), one.id))))


def _same(now: Item, before: Item | None) -> bool:
    """A decision holds for what it was taken for: other values are another question."""
    return before is not None and (now.there, now.declared) == (before.there, before.declared) and before.decision in now.may


def text(env: str, decisions: Decisions) -> str:
    """The file, as people fill it in."""
    lines = [
        f"# What becomes of each difference between {env} as it is and as it would be declared: write keep, change or leave",
        "# after `decision:`, one of those that `may` lists. Then: quantctl adopt " + env + " decide",
        "#   keep    what is there stays, and the settings say so",
        "#   change  what is declared comes with the first update",
        "#   leave   it is not declared, and stays as it is",
    ]
    for group, title in GROUPS.items():
        items = [one for one in decisions.items if one.group == group]
        if items:
            lines += ["", f"# {title}", f"{group}:"]
            for one in items:
                lines += _entry(one)
    return "\n".join(lines) + "\n"


def _entry(one: Item) -> Iterator[str]:
    fields: Json = {"id": one.id, "what": one.what, "there": one.there, "declared": one.declared}
    if one.of:
        fields["of"] = list(one.of)
    if one.people:
        fields["people"] = list(one.people)
    fields |= {"may": list(one.may)}
    for number, (key, value) in enumerate(fields.items()):
        yield f"{'- ' if number == 0 else '  '}{key}: {_flow(value)}"
    yield f"  decision: {one.decision}".rstrip()


def _flow(value: Any) -> str:
    said = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return str(said.removesuffix("...\n").strip())


def read(file: str, content: str) -> Decisions:
    """What a person wrote.

    Raises:
        UserError: no YAML, or a word that may not stand there.
    """
    try:
        found = yaml.safe_load(content) or {}
        items = [_item(group, one) for group, entries in found.items() for one in entries or []]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise UserError(
            f"{file} cannot be read: {' '.join(str(error).split())[:200]}",
            do_next="correct it; or move it away and run `decide` again, which asks everything anew",
        ) from None
    wrong = [one for one in items if one.decision and one.decision not in one.may]
    if wrong:
        raise UserError(
            "\n".join(f"{file}: {one.id}: found {one.decision!r}, allowed are {', '.join(one.may)}." for one in wrong)
        )
    return Decisions(tuple(items))


def _item(group: str, one: Json) -> Item:
    return Item(
        group=group,
        id=str(one["id"]),
        what=str(one["what"]),
        there=str(one["there"]),
        declared=str(one["declared"]),
        may=tuple(map(str, one["may"])),
        of=tuple(map(str, one.get("of") or ())),
        people=tuple(map(str, one.get("people") or ())),
        decision=str(one.get("decision") or ""),
    )
