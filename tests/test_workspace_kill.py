"""What a kill -9 of the sandbox leaves: all that was answered, and no process."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from databricks.sdk.service.jobs import SparkPythonTask, Task

from sandbox import control
from tests.workspace_sandbox import Workspace, git

pytest_plugins = ["tests.workspace_sandbox"]
SLEEP = "import os, sys, time\nopen(sys.argv[1], 'w').write(str(os.getpid()))\ntime.sleep(120)\n"


def killed(workspace: Workspace) -> None:
    """kill -9, and started again on the same ports."""
    os.kill(workspace.endpoints.pid, signal.SIGKILL)
    again = control.start(workspace.state)
    assert again.databricks_port == workspace.endpoints.databricks_port
    workspace.endpoints = again


@pytest.mark.parametrize("round_", range(3))
def test_every_answered_write_is_there(own: Workspace, round_: int) -> None:
    """Killed in the middle of a loop of writes by four clients: what had been answered is there after the restart."""
    answered: dict[str, list[str]] = {"dir": [], "job": [], "group": [], "scope": []}
    stop = threading.Event()
    writes: dict[str, tuple[str, Callable[[str], dict[str, str]]]] = {
        "dir": ("/api/2.0/workspace/mkdirs", lambda name: {"path": f"/Users/{name}"}),
        "job": ("/api/2.2/jobs/create", lambda name: {"name": name}),
        "group": ("/api/2.0/preview/scim/v2/Groups", lambda name: {"displayName": name}),
        "scope": ("/api/2.0/secrets/scopes/create", lambda name: {"scope": name}),
    }

    def write(kind: str) -> None:
        path, body = writes[kind]
        number = 0
        while not stop.is_set():
            name = f"{kind}-{number}"
            try:
                if own.http("POST", path, json=body(name)).ok:
                    answered[kind].append(name)
            except requests.RequestException:
                return
            number += 1

    threads = [threading.Thread(target=write, args=(kind,)) for kind in writes]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 120
    while min(map(len, answered.values())) <= 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3 * round_)
    os.kill(own.endpoints.pid, signal.SIGKILL)
    stop.set()
    for thread in threads:
        thread.join()
    own.endpoints = control.start(own.state)
    assert all(len(names) > 3 for names in answered.values()), answered
    admin = own.client()
    there: dict[str, set[str | None]] = {
        "dir": {(entry.path or "").rsplit("/", 1)[-1] for entry in admin.workspace.list("/Users")},
        "job": {job.settings.name for job in admin.jobs.list() if job.settings},
        "group": {group.display_name for group in admin.groups.list()},
        "scope": {scope.name for scope in admin.secrets.list_scopes()},
    }
    for kind, names in answered.items():
        assert set(names) <= there[kind]
    number = admin.jobs.create(name="after").job_id
    assert len({job.job_id for job in admin.jobs.list()}) == len(list(admin.jobs.list()))
    assert number == max(job.job_id or 0 for job in admin.jobs.list())


def test_a_checkout_that_was_cut_short_is_undone(own: Workspace) -> None:
    """Half-written files and a lock that git left do not make a folder dirty for ever; edits of a person are kept."""
    folder, edited = own.folder("quant"), own.folder("quant")
    admin = own.client()
    admin.workspace.upload(f"{edited.path}/README.md", b"mine", overwrite=True)
    clone = own.state.folders / str(folder.id)
    os.kill(own.endpoints.pid, signal.SIGKILL)
    # As it is between the first file that git writes and the moving of HEAD:
    (clone / ".git" / "index.lock").touch()
    (clone / "README.md").write_text("half")
    (clone / "new.txt").write_text("half")
    with sqlite3.connect(own.state.database) as connection:
        connection.execute("insert into ws_checkout values (?)", (folder.id,))
    (own.state.folders / "12345").mkdir()
    own.endpoints = control.start(own.state)
    admin = own.client()
    admin.repos.update(folder.id or 0, branch="quant_live")
    assert admin.repos.get(folder.id or 0).head_commit_id == git(own.state.remote, "rev-parse", "quant_live")
    assert admin.workspace.download(f"{edited.path}/README.md").read() == b"mine"
    assert not (own.state.folders / "12345").exists()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_no_task_outlives_the_sandbox(own: Workspace, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process ends when the sandbox stops and when it is killed; the run is told as lost."""
    own.commit(tmp_path / "clone", "sleep", {"sleep.py": SLEEP})
    folder, note = own.folder("sleep"), tmp_path / "pid"
    admin = own.client()
    task = Task("sleep", spark_python_task=SparkPythonTask(f"{folder.path}/sleep.py", parameters=[str(note)]))
    run = admin.jobs.run_now(admin.jobs.create(name="sleep", tasks=[task]).job_id or 0).run_id
    deadline = time.monotonic() + 120
    while not (note.exists() and note.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    pid = note.read_text()
    if how == "stop":
        sent, send = list[int](), os.kill

        def noting(pid: int, number: int) -> None:
            sent.append(number)
            send(pid, number)

        monkeypatch.setattr(control, "STOP_SECONDS", 120.0)
        monkeypatch.setattr("os.kill", noting)
        control.stop(own.state)
        assert sent == [signal.SIGTERM]  # asked once, it ends: nobody insists
        own.endpoints = control.start(own.state)
    else:
        killed(own)
    deadline = time.monotonic() + 120
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    state = subprocess.run(["ps", "-o", "stat=", "-p", pid], capture_output=True, text=True, check=False).stdout.strip()
    assert state in ("", "Z")
    found = own.client().jobs.get_run(run)
    assert found.state and found.state.life_cycle_state and found.state.life_cycle_state.value == "INTERNAL_ERROR"
    assert [t.state.life_cycle_state.value for t in found.tasks or [] if t.state and t.state.life_cycle_state] == [
        "INTERNAL_ERROR"
    ]
