"""`pulumi import` of one file, in a state that is thrown away: its result is a whole state, or nothing.

It is put into the stack in one step, so that an import which was killed has changed nothing.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from infra.outside.branch import Snapshot
from infra.outside.git import run, run_in, said
from infra.what_if import LOOKING
from quantctl.adopt.completed import completed
from quantctl.adopt.folder import Place
from quantctl.adopt.identity import Declared
from quantctl.adopt.import_file import declared
from quantctl.engine.orphans import end_all
from quantctl.engine.process import policy
from quantctl.engine.process import run as engine
from quantctl.engine.state import States
from quantctl.errors import UserError
from quantctl.workspace import Workspace

Json = dict[str, Any]
_PERMISSIONS = "databricks:index/permissions:Permissions"


def would_create(env: str, environ: Mapping[str, str], stack_file: Path | None = None) -> list[Declared]:
    """What the program declares, in a stack that holds nothing.

    Raises:
        UserError: the program refused.
    """
    looking = {**environ, LOOKING: "true"}
    done = engine(["preview", "--json", "-s", env, *_config(stack_file)], looking, must=False)
    if done.code != 0:
        raise UserError(f"What {env} would declare is unknown: {_told(done.out) or done.reason}")
    return declared(done.out)


def preview(env: str, environ: Mapping[str, str], stack_file: Path | None = None, *, judged: bool = False) -> Json:
    """`pulumi preview --json`, by the policy pack too where it is `judged`.

    Raises:
        UserError: the preview failed.
    """
    pack = policy() if judged else ()
    done = engine(["preview", "--json", "-s", env, *_config(stack_file), *pack], environ, must=False)
    if done.code != 0:
        refused = _refused(env, environ, stack_file) if judged else ""
        if refused:
            raise UserError(
                f"The policy pack refuses what {env} would declare:\n{refused}",
                do_next="change it where it runs, or list it where the message says, which is a reviewed change",
            )
        raise UserError(f"The preview of {env} failed: {_told(done.out) or done.reason}", do_next=f"pulumi preview -s {env}")
    found: Json = json.loads(done.out)
    return found


def _refused(env: str, environ: Mapping[str, str], stack_file: Path | None) -> str:
    """What the policy pack says; a preview in JSON does not."""
    said_ = engine(["preview", "-s", env, *_config(stack_file), *policy()], environ, must=False).out
    part = said_.partition("Policies:")[2].partition("Diagnostics:")[0]
    lines = [line.rstrip() for line in part.splitlines() if line.strip()]
    return "\n".join(dict.fromkeys(lines[1:]))


def imported(env: str, environ: Mapping[str, str], file: Path, resources: Iterable[Declared], *, protect: bool) -> Json:
    """The state after an import of the file, completed with what the providers did not read; `resources` are declared.

    Raises:
        UserError: something could not be imported; the state of `environ` may hold a part of it.
    """
    words = [
        "import",
        "-f",
        str(file),
        f"--protect={str(protect).lower()}",
        "--generate-code=false",
        "--yes",
        "--skip-preview",
    ]
    done = engine([*words, "-s", env], environ, must=False)
    if done.code != 0:
        raise UserError(f"The import of {env} failed: {done.reason}", do_next="correct it, and run the same step again")
    exported = States(environ).exported(env)
    workspace = Workspace(environ)
    acls = {}
    for one in exported["deployment"].get("resources") or []:
        if one["type"] == _PERMISSIONS:
            _, what, number = str(one["id"]).split("/")
            acls[str(one["id"])] = workspace.permissions(what, number)
    said = {one.urn: frozenset(one.inputs) for one in resources}
    return completed(exported, str(workspace.me()["userName"]), acls, said)


@contextmanager
def scratch(place: Place, environ: Mapping[str, str], stack_file: Path) -> Iterator[dict[str, str]]:
    """An environment with a state of its own, thrown away afterwards: what is tried there is in nobody's stack.

    What a run that was killed has left there, its engine too, is cleared away first.
    """
    env = place.env
    end_all(f"file://{place.scratch}/")
    shutil.rmtree(place.scratch, ignore_errors=True)
    place.scratch.mkdir(parents=True)
    try:
        tried = {**environ, "PULUMI_BACKEND_URL": f"file://{tempfile.mkdtemp(dir=place.scratch)}"}
        tried.pop("PULUMI_ACCESS_TOKEN", None)
        provider = (yaml.safe_load(stack_file.read_text()) or {}).get("secretsprovider")
        chosen = ["--secrets-provider", str(provider)] if provider else []
        engine(["stack", "init", env, "--no-select", *chosen], tried)
        yield tried
    finally:
        shutil.rmtree(place.scratch, ignore_errors=True)


@contextmanager
def with_files(
    environ: Mapping[str, str], snapshot: Snapshot, files: Mapping[str, bytes], gone: str
) -> Iterator[dict[str, str]]:
    """An environment in which the branch has these files on top, and no others below `gone`. Nothing is pushed anywhere.

    Git reads a local repository in place of the remote, as quantctl.engine.refresh.at_commit does.
    """
    with tempfile.TemporaryDirectory(prefix="quant-adopt-") as folder:
        bare = Path(folder) / "with-files.git"
        _git(run(["git", "init", "--quiet", "--bare", str(bare)]))
        (bare / "objects" / "info" / "alternates").write_text(f"{snapshot.repository / 'objects'}\n")
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        _git(run_in(bare, "read-tree", snapshot.commit, environ=index))
        for path in [path for path in snapshot.tree if path.startswith(f"{gone}/") and path not in files]:
            _git(run_in(bare, "update-index", "--force-remove", path, environ=index))
        for path, content in files.items():
            blob = _git(run_in(bare, "hash-object", "-w", "--stdin", given=content))
            _git(run_in(bare, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", environ=index))
        tree = _git(run_in(bare, "write-tree", environ=index))
        who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _NOBODY.items()}
        commit = _git(run_in(bare, "commit-tree", tree, "-p", snapshot.commit, "-m", "Workflow files", environ=who))
        _git(run_in(bare, "update-ref", f"refs/heads/{snapshot.branch}", commit))
        count = int(environ.get("GIT_CONFIG_COUNT") or 0)
        yield {
            **environ,
            "GIT_CONFIG_COUNT": str(count + 1),
            f"GIT_CONFIG_KEY_{count}": f"url.file://{bare}.insteadOf",
            f"GIT_CONFIG_VALUE_{count}": snapshot.remote,
        }


_NOBODY = {"NAME": "quantctl adopt", "EMAIL": "nobody@localhost", "DATE": "2026-01-01T00:00:00Z"}


def _git(done: Any) -> str:
    if done.returncode:
        raise UserError(f"git could not put the workflow files together: {said(done)}")
    return str(done.stdout.decode().strip())


def _config(stack_file: Path | None) -> list[str]:
    return ["--config-file", str(stack_file)] if stack_file else []


def _told(out: str) -> str:
    """The errors of a preview in JSON; empty where it is none."""
    try:
        listed = json.loads(out).get("diagnostics") or []
    except (ValueError, AttributeError):
        return ""
    return "\n".join(str(one.get("message")).strip() for one in listed if one.get("severity") == "error")
