"""No secret in plain text: the real values are searched for wherever the engine leaves or shows something."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path

import pytest

from sandbox.identities import ENVIRONMENTS
from tests.conftest import Team

pytestmark = pytest.mark.real
TOKEN = "glpat-" + "q7Rz" * 5


def secrets_of(team: Team) -> dict[str, str]:
    """What it is -> a piece of its value that nothing else holds."""
    found = {"git token": TOKEN}
    for env in ENVIRONMENTS:
        held = team.workspace(f"service_principal:{env}").secrets.get_secret(env, "snowflake_private_key").value or ""
        found[f"key of {env}, a line"] = base64.b64decode(held).decode().splitlines()[9]
    for persona, entry in team.credentials.items():
        found[f"token of {persona}"] = entry["databricks_token"]
    return found


def leaks(team: Team, text: str) -> list[str]:
    return [what for what, value in secrets_of(team).items() if value in text]


def test_nothing_shows_a_secret(team: Team) -> None:
    """State, previews, logs at the highest verbosity and process lists, with a rotation and a Git credential in between."""
    seen: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    config = team.config("quant_stg", gitCredential={"username": "deploy-token"})
    try:
        assert team.quantctl("keys", "rotate", "quant_stg", "--yes").returncode == 0
        up = team.pulumi("up", "--yes", "-s", "quant_stg", "--diff", "--config-file", config, QUANT_GIT_TOKEN=TOKEN)
        assert up.returncode == 0, up.stdout
        # A new value of every secret, so that a preview has something to show.
        other = {"QUANT_GIT_TOKEN": TOKEN[:-1] + "X"}
        places = {"up": up.stdout + up.stderr}
        for name, words in {
            "preview --diff": ["preview", "--diff", "--show-secrets=false"],
            "preview --json": ["preview", "--json"],
            "refresh --diff": ["refresh", "--preview-only", "--diff"],
            "log": ["preview", "--logtostderr", "--logflow", "-v=8"],
        }.items():
            done = team.pulumi(*words, "-s", "quant_stg", "--config-file", config, **other)
            assert done.returncode == 0, done.stdout + done.stderr
            places[name] = done.stdout + done.stderr
        # From 9 on the engine itself logs every value: the program refuses before it hands one over.
        for trace in (["-v=11", "--logtostderr", "--logflow"], ["--verbose", "9", "--logtostderr"]):
            done = team.pulumi("preview", *trace, "-s", "quant_stg", "--config-file", config, **other)
            assert done.returncode != 0
            assert "from 9 on it writes every secret" in done.stdout + done.stderr
            places[" ".join(trace)] = done.stdout + done.stderr
        places["stack export"] = team.pulumi("stack", "export", "-s", "quant_stg").stdout
        assert json.loads(places["stack export"])["deployment"]["resources"]
        for env in ENVIRONMENTS:  # what somebody has who holds a preview's variables: backend and passphrase
            whole = team.pulumi("stack", "export", "--show-secrets", "-s", env).stdout
            assert json.loads(whole)["deployment"]["resources"] and "PRIVATE KEY" not in whole
            places[f"whole state of {env}"] = whole.replace(TOKEN, "")  # the one secret of a state: docs/state.md
    finally:
        over.set()
        watcher.join()
        assert team.pulumi("up", "--yes", "--skip-preview", "-s", "quant_stg").returncode == 0
    backend = Path(team.environ["PULUMI_BACKEND_URL"].removeprefix("file://"))
    for file in backend.rglob("*.json*"):
        places[str(file.relative_to(backend))] = file.read_text()
    assert any("pulumi up" in line for line in seen)
    places["process list"] = "\n".join(seen)
    found = {name: leaked for name, text in places.items() if (leaked := leaks(team, text))}
    assert found == {}
