"""What is really there, read from the sandbox's own tables and files, through no door of the product.

Two worlds can be compared: objects are named as people name them, and what differs from one making to the next (numbers,
times, a commit's name beside its content) is left out.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import re
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

from quantctl.engine import orphans

World = dict[str, str]
_NUMBER = re.compile(r"\b4\d{9}\b")  # of an object in the workspace
_COMMIT = re.compile(r"\b[0-9a-f]{40}\b")
_AT = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}")  # the end of a record's name
_DIGITS = re.compile(r"\d+")
# What the program leaves as a user's maker said it: an import reads it, a creation says nothing; the account has the same.
_OF_ITS_MAKER = frozenset({"defaultSecondaryRolesOption", "displayName", "loginName", "minsToUnlock"})
_SHOWN = 5


def world(state: Path) -> World:
    """Everything in workspace, account, remote and engine's states: what it is -> what it is like."""
    found: World = {}
    with contextlib.closing(sqlite3.connect(f"file:{state / 'sandbox.db'}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        names = _names(connection)
        found |= _workspace(connection, state, names)
        found |= _account(connection)
    found |= {f"branch {name}": _tree(state / "remote.git", commit) for commit, name in _heads(state / "remote.git")}
    for file in sorted((state / "pulumi/.pulumi/stacks/quant").glob("*.json")):
        found |= _state(file, state / "remote.git", names)
    for lock in (state / "pulumi/.pulumi/locks").rglob("*.json"):
        found[f"lock of {lock.parent.name}"] = "held"
    return found


def leavings(state: Path) -> list[str]:
    """What else the next command finds: records, how updates ended, files that were cut short."""
    tags = _git(state / "remote.git", "for-each-ref", "--format=%(refname:short) %(*tree)", "refs/tags").splitlines()
    found = [_AT.sub("", tag) for tag in tags]
    for file in (state / "pulumi/.pulumi/history").rglob("*.history.json"):
        with contextlib.suppress(ValueError):  # an empty one is told below
            told = json.loads(file.read_text())
            found.append(f"{file.parent.name}: {told['kind']} {told['result']}")
    files = [file for name in ("pulumi/.pulumi", "folders", "remote.git") for file in (state / name).rglob("*")]
    found += [f"{file.parent.name}/{file.name}" for file in files if file.suffix == ".lock"]
    found += [f"empty: {_DIGITS.sub('', file.name)}" for file in files if file.suffix == ".json" and not file.stat().st_size]
    return sorted(found)


def engine_runs(state: Path) -> bool:
    """Whether an engine of these states, or a plugin that a killed one left, is still there."""
    backend = f"file://{state}/pulumi"
    return any(one.backend == backend and (one.of_engine or one.name == "pulumi") for one in orphans.processes().values())


def differences(was: World, there: World) -> list[str]:
    """What one has otherwise than the other, in words; no more than a few of them."""
    names = [name for name in sorted(was.keys() | there.keys()) if was.get(name) != there.get(name)]
    found = [_differs(name, there.get(name, "missing"), was.get(name, "nothing")) for name in names[:_SHOWN]]
    return [*found, *([f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else [])]


def _differs(name: str, there: str, was: str) -> str:
    """From where on the two differ."""
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(there, was, strict=False))
    begins = max(sum(1 for _ in same) - 40, 0)
    return f"{name}: {there[begins:][:120]} (expected {was[begins:][:120]})"


def _names(connection: sqlite3.Connection) -> dict[str, str]:
    """Number -> name of what has both; jobs of one name are told apart."""
    found = {str(row["id"]): str(row["path"]) for table in ("ws_folder", "ws_directory") for row in _rows(connection, table)}
    seen: dict[str, int] = {}
    for row in sorted(_rows(connection, "ws_job"), key=lambda row: int(row["id"])):
        name = str(json.loads(row["settings"])["name"])
        seen[name] = seen.get(name, 0) + 1
        found[str(row["id"])] = name if seen[name] == 1 else f"{name}, the {seen[name]}."
    return found


def _workspace(connection: sqlite3.Connection, state: Path, names: dict[str, str]) -> World:
    found: World = {}
    for row in _rows(connection, "ws_folder"):
        checkout = state / "folders" / str(row["id"])
        at = [_git(checkout, "rev-parse", "HEAD^{tree}"), _git(checkout, "status", "--porcelain")]
        found[f"folder {row['path']}"] = " ".join([row["branch"], row["url"], str(row["cli"]), *at])
    for row in _rows(connection, "ws_job"):
        settings = json.dumps(_said(json.loads(row["settings"])), sort_keys=True)
        found[f"job {names[str(row['id'])]}"] = _NUMBER.sub(lambda it: names.get(it[0], it[0]), settings)
    for row in _rows(connection, "ws_acl"):
        found[f"{row['kind']} {names.get(row['object'], row['object'])}: {row['principal']}"] = str(row["level"])
    found |= {f"directory {row['path']}": "there" for row in _rows(connection, "ws_directory")}
    found |= {f"scope {row['name']}": "there" for row in _rows(connection, "ws_scope")}
    found |= {f"secret {row['scope']} {row['key']}": "there" for row in _rows(connection, "ws_secret")}
    found |= {
        f"reader of {row['scope']}: {row['principal']}": row["permission"] for row in _rows(connection, "ws_secret_acl")
    }
    return found


def _account(connection: sqlite3.Connection) -> World:
    found: World = {}
    for row in _rows(connection, "sf_object"):
        told = {name: value for name, value in json.loads(row["props"]).items() if not name.endswith("_TIME")}
        found[f"{row['kind']} {row['name']}"] = f"{row['owner']} {json.dumps(told, sort_keys=True)}"
    for table in ("sf_grant", "sf_future", "sf_role_grant"):
        for row in _rows(connection, table):
            found[f"{table} " + " ".join(str(row[name]) for name in row.keys() if name != "created")] = "there"  # noqa: SIM118
    return found


def _state(file: Path, remote: Path, names: dict[str, str]) -> World:
    """What the engine's state of a stack says was declared, of which real object; what it began and what failed."""
    found: World = {}
    try:
        latest = json.loads(file.read_text())["checkpoint"]["latest"] or {}
    except (ValueError, LookupError) as error:
        return {f"state of {file.stem}": f"unreadable: {error}"}
    for one in latest.get("resources") or []:
        name = f"state of {file.stem}: {str(one['urn']).rsplit('$', 1)[-1].removeprefix(f'urn:pulumi:{file.stem}::quant::')}"
        if one.get("delete"):
            found[f"{name}, to be deleted"] = "there"
            continue
        identity = str(one.get("id") or "") if "pulumi:providers" not in one["urn"] else ""
        inputs = one.get("inputs")
        if one["type"].endswith(":ServiceUser") and inputs:
            inputs = {name: value for name, value in inputs.items() if name not in _OF_ITS_MAKER}
        told = f"{identity} {json.dumps(_declared(inputs), sort_keys=True)}"
        told += " FAILED" if one.get("initErrors") else ""
        told = _NUMBER.sub(lambda it: names.get(it[0], it[0]), told)
        found[name] = _COMMIT.sub(lambda it: _tree(remote, it[0]), re.sub(r'"ciphertext": "[^"]*"', "secret", told))
    for one in latest.get("pending_operations") or []:
        found[f"state of {file.stem}: begun {one['type']} {one['resource']['urn']}"] = "there"
    return found


def _declared(value: Any) -> Any:
    """Without the bridge's bookkeeping of what it filled in itself, which an import does not have."""
    if isinstance(value, dict):
        return {name: _declared(inner) for name, inner in value.items() if name != "__defaults"}
    return [_declared(inner) for inner in value] if isinstance(value, list) else value


def _rows(connection: sqlite3.Connection, table: str) -> list[sqlite3.Row]:
    return connection.execute(f'select * from "{table}"').fetchall()


def _said(value: Any) -> Any:
    """Without what is empty and what is the product's default: a change sends them, a creation does not."""
    if isinstance(value, dict):
        kept = {name: _said(inner) for name, inner in value.items() if (name, inner) != ("run_if", "ALL_SUCCESS")}
        return {name: inner for name, inner in kept.items() if inner not in ({}, [], "", None)}
    return [_said(inner) for inner in value] if isinstance(value, list) else value


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "--no-optional-locks", "-C", str(folder), *words], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


def _heads(remote: Path) -> list[tuple[str, str]]:
    listed = _git(remote, "for-each-ref", "--format=%(objectname) %(refname:short)", "refs/heads").splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in listed]


@functools.cache
def _tree(remote: Path, commit: str) -> str:
    """What a commit holds: two commits of one content are equal here."""
    return _git(remote, "rev-parse", f"{commit}^{{tree}}")
