"""Stack, branch, folder, schema, secret scope and jobs of an environment share one name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rules.environments import DEVELOPMENT, STACKS
from rules.values import UNKNOWN, Props, kind, shown


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """What of this resource belongs to another environment than `stack`."""
    return list(_problems(kind(resource_type), props, stack))


def _problems(what: str, props: Props, stack: str) -> Iterator[str]:
    if what == "pulumi:Stack" and stack not in STACKS:
        yield f"stack: found {stack!r}, allowed are {', '.join(STACKS)}. Select one of these with -s."
    elif what == "databricks:Repo":
        yield from _repo(props, stack)
    elif what == "databricks:Permissions":
        for key in ("directoryPath", "repoPath"):
            yield from _not_of_another(f"Permissions {key}", props.get(key), stack)
    elif what == "databricks:SecretScope":
        yield from _must_be("SecretScope name", props.get("name"), stack)
    elif what == "databricks:Job":
        name = props.get("name")
        if name is not UNKNOWN and not re.match(rf"{re.escape(stack)}(?![A-Za-z0-9_])", name or ""):
            yield (
                f"Job name: found {shown(name)}, expected a name that starts with {stack!r}, so that every list of jobs"
                f" says whose job it is. Begin the name with the word {stack}."
            )
    elif what == "snowflake:Schema":
        name = props.get("name")
        yield from _must_be("Schema name", name.lower() if isinstance(name, str) else name, stack)


def _repo(props: Props, stack: str) -> Iterator[str]:
    path, branch = props.get("path"), props.get("branch")
    if isinstance(path, str):
        if is_personal(path):
            # The branch of a personal folder is its developer's own.
            last = path.rstrip("/").rpartition("/")[2]
            if stack != DEVELOPMENT or last != DEVELOPMENT:
                yield (
                    f"Repo path: found {path!r}, a personal folder; allowed are /Users/<user>/{DEVELOPMENT} and"
                    f" /Repos/<user>/{DEVELOPMENT}, in stack {DEVELOPMENT} alone. Declare it there, or set quant:folder"
                    " to a folder that is nobody's own."
                )
            return
        yield from _must_be("Repo path, last part", path.rstrip("/").rpartition("/")[2], stack)
    elif path is None:
        yield f"Repo path: found nothing, expected a path whose last part is {stack!r}. Set quant:folder."
    if branch is None and props.get("tag"):
        yield f"Repo branch: found tag {shown(props['tag'])}, expected branch {stack!r}. Bind the folder to the branch."
    else:
        yield from _must_be("Repo branch", branch, stack)


def is_personal(path: str) -> bool:
    """`/Users/...`, or below `/Repos` a folder that a user's name begins, with or without `/Workspace` before it."""
    parts = path.removeprefix("/Workspace").strip("/").split("/")
    return parts[0] == "Users" or (parts[0] == "Repos" and "@" in "/".join(parts[1:2]))


def _must_be(what: str, found: Any, stack: str) -> Iterator[str]:
    if found is not UNKNOWN and found != stack:
        yield (
            f"{what}: found {shown(found)}, expected {stack!r}: stack, branch, folder and schema of an environment share"
            f" one name. Correct it in Pulumi.{stack}.yaml, or select the stack that it belongs to."
        )


def _not_of_another(what: str, path: Any, stack: str) -> Iterator[str]:
    last = path.rstrip("/").rpartition("/")[2] if isinstance(path, str) else ""
    if last in STACKS and last != stack:
        yield f"{what}: found {path!r}, the folder of {last}; stack {stack} says nothing about it. Declare it in {last}."
