"""Stack, branch, folder, schema, secret scope and jobs bear one name, so that nothing is deployed to the wrong place."""

from __future__ import annotations

from collections.abc import Iterator

from rules.inputs import STACKS, Inputs


def one_name(kind: str, inputs: Inputs, stack: str) -> Iterator[str]:
    """Every name that an environment bears."""
    if kind == "pulumi:pulumi:Stack":
        if stack not in STACKS:
            yield f"the stack is {stack!r}; environments are {', '.join(STACKS)}."
    elif kind == "databricks:index/repo:Repo":
        yield from _folder(inputs, stack)
    elif kind == "snowflake:index/schema:Schema":
        yield from _is(inputs, "name", stack.upper(), "the schema")
        if str(inputs.get("withManagedAccess")).lower() != "true":
            yield "the schema has no managed access: whoever makes a table could grant it."
    elif kind == "databricks:index/secretScope:SecretScope":
        yield from _is(inputs, "name", stack, "the secret scope")
    elif kind == "databricks:index/job:Job":
        name = inputs.get("name")
        if name is not None and not str(name).startswith(f"{stack} "):
            yield f"the job is called {name!r}; in this stack names begin with {stack + ' '!r}."


def _folder(inputs: Inputs, stack: str) -> Iterator[str]:
    path, branch = str(inputs.get("path") or ""), inputs.get("branch")
    if path.startswith(("/Users/", "/Workspace/Users/")):
        if stack != "quant":
            yield f"{path}: personal folders are the stack quant's alone."
        return
    if path.rsplit("/", 1)[-1] != stack:
        yield f"the folder is {path!r}; in this stack it ends in /{stack}."
    if branch != stack:
        yield f"the folder is on branch {branch!r}; in this stack the branch is {stack!r}."


def _is(inputs: Inputs, key: str, expected: str, what: str) -> Iterator[str]:
    if inputs.get(key) not in (None, expected):
        yield f"{what} is called {inputs[key]!r}; in this stack it is {expected!r}."
