"""What stops an adoption before anything is generated: each with its reason and the way out. Pure."""

from __future__ import annotations

from quantctl.adopt.model import Look
from quantctl.text.plain import counted

_SHOWN = 5


def refusals(look: Look) -> list[str]:
    """Why an environment cannot be adopted as it is; nothing where it can."""
    env = look.environment
    found = []
    if look.holds:
        found.append(
            f"the stack {env} holds {counted(len(look.holds), 'resource')} already ({_some(look.holds)}). What it declares"
            " needs no adoption; a single object that it lacks: docs/state.md."
        )
    if look.locked:
        found.append(f"the stack is locked by {look.locked}: wait for the update, or quantctl lock {env}.")
    if look.folder is None:
        found.append(
            f"there is no Git folder called {env}: say where it is in quant:folder of Pulumi.{env}.yaml. Where nothing runs"
            f" by hand there is nothing to adopt: quantctl up {env}."
        )
    else:
        found += _folder(look)
    if look.schema_ is None:
        found.append(
            "no schema is seen that quant:schema names: either it is called otherwise (set quant:schema), or the role that"
            " looks is not shown it (look with SNOWFLAKE_ROLE=ACCOUNTADMIN)."
        )
    elif look.schema_.transient:
        found.append(
            f"the schema {look.schema_.name} is transient, and would be replaced with its tables: make a permanent one, copy"
            " the tables (CREATE TABLE ... AS SELECT; a transient one cannot be cloned into a permanent one), and rename it."
        )
    return found


def _folder(look: Look) -> list[str]:
    folder, env, found = look.folder, look.environment, []
    assert folder is not None
    if folder.path.rsplit("/", 1)[-1] != env:
        found.append(f"the Git folder {folder.path} is not called {env}: rename it in the workspace, jobs follow by hand.")
    if folder.branch != env:
        found.append(
            f"the Git folder {folder.path} is on branch {folder.branch or '(none)'}, not on {env}: check out {env} there,"
            " once what runs is on that branch."
        )
    if folder.edited:
        found.append(
            f"the Git folder {folder.path} has local edits ({_some(folder.edited)}): commit them to {env}, or discard them."
        )
    elif folder.branch == env and folder.code_differs:
        found.append(
            f"the Git folder {folder.path} is at {folder.commit[:12]} and the branch at {folder.head[:12]}, with other code"
            f" ({_some(folder.code_differs)}): pull the folder, once that code may run there; an adoption brings no code."
        )
    return found


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
