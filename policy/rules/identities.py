"""Four stacks, four identities: what must be an environment's own differs between the stack files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rules import stack_files
from rules.environments import ROOT, STACKS, Environment, is_of_another_project, named
from rules.values import kind

_OWN = ("servicePrincipal", "folder", "schema", "branch")


def check(resource_type: str, stack: str, root: Path = ROOT) -> list[str]:
    """Settings of this stack that another one has too; judged once, with the stack itself."""
    mine = named(stack)
    if kind(resource_type) != "pulumi:Stack" or mine is None:
        return []
    found = list(_names(mine))
    if is_of_another_project(stack):
        found.append(f"The pack reads {ROOT}, and the stack has other settings: set QUANT_PROJECT to the project's folder.")
    for other in STACKS:
        if other == stack or not stack_files.is_there(root, other):
            continue
        try:
            theirs = stack_files.configuration(root, other)
        except stack_files.Unreadable as error:
            found.append(f"{error}: whether {stack} and {other} differ is unknown. Correct the file.")
            continue
        files = f"Pulumi.{stack}.yaml and Pulumi.{other}.yaml"
        for key in _OWN:
            value, same = mine.text(key), _same(key, mine.text(key), theirs.get(f"quant:{key}"))
            if same:
                found.append(
                    f"{files}: quant:{key}: found {value!r} in both, expected one for each: they are kept apart by it."
                )
        for key, against in (("servicePrincipal", "deployer"), ("deployer", "servicePrincipal")):
            value = mine.text(key)
            if _same(key, value, theirs.get(f"quant:{against}")):
                found.append(f"{files}: found {value} as quant:{key} and as quant:{against}: what runs jobs never deploys.")
    return found


def _names(mine: Environment) -> Iterator[str]:
    """Names that would give a persona the service user's rights, or that another environment has or usually has."""
    if mine.service_role in mine.roles:
        yield f"quant:names.serviceRole: found {mine.service_role!r}, the role of a persona; the jobs have their own."
    if mine.reader == mine.writer:
        yield f"quant:names: found {mine.reader!r} as readerRole and writerRole; who reads would write."
    for other in STACKS:
        try:
            theirs = named(other) if other != mine.name else None
        except stack_files.Unreadable:
            continue  # told by whoever compares the files
        if theirs is None:
            continue
        files = f"Pulumi.{mine.name}.yaml and Pulumi.{other}.yaml"
        for key, values in mine.names.items():
            taken = {name.lower() for name in theirs.names[key]}
            for name in values:
                if name.lower() in taken:
                    yield f"{files}: quant:{key}: found {name!r} in both, expected one for each: they are kept apart by it."


def _same(key: str, one: str | None, other: str | None) -> bool:
    if not one or not other:
        return False
    if key != "folder":
        return one.lower() == other.lower()
    mine, theirs = (f"{path.removeprefix('/Workspace').rstrip('/')}/" for path in (one, other))
    return mine.startswith(theirs) or theirs.startswith(mine)
