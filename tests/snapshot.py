"""A deployed sandbox, deployed once a run: every worker and module gets a copy with ports of its own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sandbox.state import Endpoints

_TEXTS: tuple[str, ...] = (
    "pulumi/.pulumi/**/*.json",
    "pulumi/.pulumi/**/*.bak",
    "folders/*/.git/config",
    "remote.git/config",
    "hooks/*",
)
_TEXTS += ("folders/*/.git/logs/**/*", "endpoints.json", "remote.git/hooks/*", "folders/*/.git/FETCH_HEAD")


def copy_of(shared: Path, target: Path, deploy: Callable[[Path], None]) -> None:
    """Fill `target` with a deployed state; the first one to come calls `deploy`, which leaves a stopped one in `shared`."""
    shared.parent.mkdir(parents=True, exist_ok=True)
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        whole = shared.with_suffix(".whole")  # what was cut short is made again
        if not whole.exists():
            shutil.rmtree(shared, ignore_errors=True)
            deploy(shared)
            whole.touch()
    shutil.copytree(shared, target, symlinks=True)
    shutil.copy2(shared / "endpoints.json", target / "endpoints.json")
    _move(shared, target)


def _move(source: Path, target: Path) -> None:
    """The copy's own folder and ports, wherever its servers and the engine wrote the first one's."""
    old = Endpoints(**json.loads((source / "endpoints.json").read_text()))
    ports = (old.databricks_port, old.snowflake_port, old.git_port)
    other = {f"{old.host}:{port}": f"{old.host}:{free}" for port, free in zip(ports, _free_ports(len(ports)), strict=True)}
    other[str(source)] = str(target)
    for file in (file for pattern in _TEXTS for file in target.glob(pattern) if file.is_file() and not file.is_symlink()):
        with contextlib.suppress(UnicodeDecodeError):
            text = file.read_text()
            for before, after in other.items():
                text = text.replace(before, after)
            file.write_text(text)
    endpoints = json.loads((target / "endpoints.json").read_text())
    for name in ("databricks_port", "snowflake_port", "git_port"):
        endpoints[name] = int(other[f"{old.host}:{endpoints[name]}"].rpartition(":")[2])
    (target / "endpoints.json").write_text(json.dumps(endpoints))
    for database in target.glob("*.db"):
        _replace(database, other)


def _replace(database: Path, other: dict[str, str]) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            for _, column, *_ in connection.execute(f'pragma table_info("{table}")').fetchall():
                for before, after in other.items():
                    connection.execute(
                        f'update "{table}" set "{column}" = replace("{column}", ?, ?)'
                        f' where typeof("{column}") = \'text\' and instr("{column}", ?)',
                        (before, after, before),
                    )


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def shared_folder(base: Path) -> Path:
    """Where the workers of this run find it; `base` is a folder of this worker's."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    return base.parent.parent / f"deployed-{run}" if run else base.parent / "deployed"
