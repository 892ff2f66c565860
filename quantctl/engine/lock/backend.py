"""Read the locks of a backend, and ask this machine about their owners."""

from __future__ import annotations

import datetime
import json
import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from quantctl.engine.lock.locks import Lock, Owner, OwnerState, Process, from_file, from_message, judge, refusal
from quantctl.engine.process import quiet, run
from quantctl.errors import UserError
from quantctl.project import PROJECT

_EXISTS = "already exists"


def locks(env: str, environ: dict[str, str]) -> list[Lock]:
    """The locks on a stack, wherever its backend is.

    Raises:
        UserError: the backend could not be read, so nothing is known.
    """
    url = _backend(environ)
    if url.startswith("file://"):
        return _of_folder(env, _folder(url))
    if url.startswith(("https://", "http://")):
        return _of_cloud(env, url, environ)
    return _of_engine(env, environ)


def owner(lock: Lock) -> Owner:
    """Whether the owner lives, as far as this machine can know."""
    return judge(lock, socket.gethostname(), _process(lock.pid))


def cancel(env: str, environ: dict[str, str]) -> None:
    """Take away every lock on a stack. `pulumi cancel` asks nothing where there is no terminal."""
    run(["cancel", "--yes", "-s", env], environ)


def release_gone(env: str, environ: dict[str, str]) -> list[Lock]:
    """Take away the locks on a stack whose owner is known to be gone; none while another's owner lives or is not known.

    Only in a folder: elsewhere the owner is hardly ever on this machine, and asking the engine takes the lock for a moment.
    """
    if not _backend(environ).startswith("file://"):
        return []
    held = locks(env, environ)
    if held and all(owner(lock).state is OwnerState.GONE for lock in held) and locks(env, environ) == held:
        cancel(env, environ)
        return held
    return []


def need_free(env: str, environ: dict[str, str], *, except_gone: bool = False) -> None:
    """Go on only where no update of the stack runs; `except_gone`: or where whoever ran it is known to be gone.

    Raises:
        Locked: says who holds the stack, and what to do.
    """
    held = locks(env, environ)
    if except_gone:
        held = [lock for lock in held if owner(lock).state is not OwnerState.GONE]
    if held:
        raise refusal(env, held, datetime.datetime.now(datetime.UTC))


def folder_of(environ: Mapping[str, str]) -> Path | None:
    """The folder in which the states are; None where the backend is something else."""
    url = _backend(environ)
    return _folder(url) if url.startswith("file://") else None


def _backend(environ: Mapping[str, str]) -> str:
    if chosen := environ.get("PULUMI_BACKEND_URL"):
        return chosen
    told = json.loads(run(["whoami", "--json"], environ).out)
    return str(told.get("url", ""))


def _folder(url: str) -> Path:
    parts = urlsplit(url)
    return Path(unquote(parts.netloc + parts.path)).expanduser()


def _of_folder(env: str, folder: Path) -> list[Lock]:
    if not folder.is_dir():
        raise UserError("The backend cannot be read.", found=f"no folder {folder}", do_next="check PULUMI_BACKEND_URL")
    place = folder / ".pulumi" / "locks" / "organization" / PROJECT / env
    found = []
    for file in sorted(place.glob("*.json")):
        try:
            found.append(from_file(env, str(file), file.read_text(errors="replace")))
        except FileNotFoundError:  # released since
            continue
    return found


def _of_cloud(env: str, url: str, environ: dict[str, str]) -> list[Lock]:
    """Pulumi Cloud has no lock files: it says whether an update runs, and its page says whose."""
    return [Lock(env, url) for stack in _stacks(environ) if _short(stack["name"]) == env and stack.get("updateInProgress")]


def _of_engine(env: str, environ: dict[str, str]) -> list[Lock]:
    """Object storage is read by the engine: to make a stack that exists is refused, and for its lock first."""
    if not any(_short(stack["name"]) == env for stack in _stacks(environ)):
        return []
    done = run(["stack", "init", env, "--no-select"], environ, must=False)
    said = done.out + done.err
    held = from_message(env, said)
    if not held and _EXISTS not in said:
        raise UserError(f"The lock of {env} could not be read. The engine said:\n{quiet(said)}")
    return held


def _stacks(environ: dict[str, str]) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads(run(["stack", "ls", "--json"], environ).out)
    return listed


def _short(name: object) -> str:
    return str(name).rsplit("/", 1)[-1]


def _process(pid: int) -> Process | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    except OverflowError:
        return None
    try:
        shown = subprocess.run(
            ["ps", "-o", "stat=,lstart=,comm=", "-p", str(pid)],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
    except FileNotFoundError:
        return Process()
    if len(shown) < 7:
        return Process()
    if shown[0].startswith("Z"):  # ended; its parent has not asked how
        return None
    started = datetime.datetime.strptime(" ".join(shown[1:6]), "%a %b %d %H:%M:%S %Y").astimezone()
    return Process(Path(shown[6]).name, started)
