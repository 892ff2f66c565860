"""Who gets and who loses access, by person: what is there against what would be declared. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from infra.settings import Settings
from infra.vocabulary import FolderLevel, JobLevel, Persona, SchemaAccess
from quantctl.adopt.decisions import CHANGE, KEEP, Item
from quantctl.adopt.model import Entry, Look

_ORDER = {"folder": [one.value for one in FolderLevel], "job": [one.value for one in JobLevel]}
_NONE = "none"
_READS = ("SELECT", "OWNERSHIP")


@dataclass(frozen=True)
class Target:
    """Objects that are declared alike: the folder, the directory above it, or all jobs; entries before and after."""

    what: str  # folder or job: whose levels they are
    title: str
    before: Sequence[Sequence[Entry]]
    after: Sequence[Entry]


def access_items(targets: Iterable[Target], look: Look, settings: Settings) -> list[Item]:
    """Levels on folder and jobs, and the reading of the schema."""
    own = {settings.service_principal.lower(), settings.deployer.lower()}
    found: list[Item] = []
    for target in targets:
        principals = sorted({(one.who, one.kind) for one in (*target.after, *(e for each in target.before for e in each))})
        for who, kind in principals:
            if who.lower() not in own and (item := _level(target, who, kind, look, settings)) is not None:
                found.append(item)
    return [*found, *_schema(look, settings)]


def _level(target: Target, who: str, kind: str, look: Look, settings: Settings) -> Item | None:
    order = _ORDER[target.what]
    before = [_held(entries, who) for entries in target.before]
    after = _held(target.after, who)
    least = min(before, key=order.index, default=_NONE)
    wider = [one for one in before if order.index(one) < order.index(after)]
    narrower = [one for one in before if order.index(one) > order.index(after)]
    if not wider and not narrower:
        return None
    group = "widened" if wider else "narrowed"
    people = _affected(target, who, kind, look, rises=bool(wider))
    persona = next((one for one in Persona if kind == "group" and settings.names(one).group == who), None)
    may = (CHANGE, KEEP) if group == "widened" and persona is not None and target.title != "directory" else (CHANGE,)
    told = ", ".join(sorted({_word(one) for one in (wider or narrower)}, key=str))
    key = f"{group}/{target.what}/{persona.value if persona and KEEP in may else who}/"
    return Item(
        group=group,
        id=key + (least if KEEP in may else target.title),
        what=f"{target.title}: {who}",
        there=told,
        declared=_word(after),
        may=may,
        people=tuple(people),
    )


def _affected(target: Target, who: str, kind: str, look: Look, *, rises: bool) -> list[str]:
    """Those who really get or lose something: a level that somebody has by another group is not lost with this one."""
    order = _ORDER[target.what]

    def best(entries: Iterable[Entry], person: str) -> int:
        mine = {person, *(group for group, members in look.groups.items() if person in members)}
        return max((order.index(one.level) for one in entries if one.who in mine), default=0)

    candidates = look.groups.get(who, []) if kind == "group" else [who]
    found = []
    for person in candidates:
        after = best(target.after, person)
        before = [best(entries, person) for entries in target.before] or [0]
        if (min(before) < after) if rises else (max(before) > after):
            found.append(person)
    return found


def _held(entries: Iterable[Entry], who: str) -> str:
    return next((one.level for one in entries if one.who.lower() == who.lower()), _NONE)


def _word(level: str) -> str:
    return "nothing" if level == _NONE else level


def readers(look: Look) -> dict[str, set[str]]:
    """Role -> tables and views of the schema that it may read; `*` for those to come."""
    found: dict[str, set[str]] = {}
    for one in look.grants:
        if one.holder_kind == "ROLE" and one.privilege in _READS and (one.on in ("TABLE", "VIEW") or one.future):
            found.setdefault(one.holder, set()).add("*" if one.future else one.name)
    return found


def _schema(look: Look, settings: Settings) -> list[Item]:
    """Personas that would read all of the schema, and by hand read less or nothing."""
    if look.schema_ is None:
        return []
    now, items = readers(look), []
    everything = {f"{settings.database.upper()}.{look.schema_.name}.{table.name}" for table in look.tables}
    for persona, access in settings.row.items():
        role = settings.names(persona).role.upper()
        if access.schema is not SchemaAccess.READ or (everything and everything <= now.get(role, set())):
            continue
        held = now.get(role, set())
        reads_all = {person for other, tables in now.items() if everything <= tables for person in look.roles.get(other, [])}
        people = [person for person in look.roles.get(role, []) if person not in reads_all]
        items.append(
            Item(
                group="widened",
                id=f"widened/schema/{persona.value}/{_NONE}",
                what=f"schema: {role}",
                there=f"reads {len(held)} of {len(everything)} tables and views" if held else "nothing",
                declared="reads the schema",
                may=(CHANGE, KEEP),
                people=tuple(people),
            )
        )
    return items


def by_person(items: Iterable[Item]) -> Mapping[str, Mapping[str, list[str]]]:
    """widened and narrowed -> person -> what."""
    found: dict[str, dict[str, list[str]]] = {"widened": {}, "narrowed": {}}
    for one in items:
        for person in one.people if one.group in found and one.decision != KEEP else ():
            found[one.group].setdefault(person, []).append(f"{one.what}: {one.there} -> {one.declared}")
    return found
