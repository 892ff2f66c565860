"""What stops an adoption in a live workspace: each refusal says why, and its way out, carried out, is enough."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.adoption import Adoption
from tests.estate import FOUND, Estate, by_hand

pytestmark = pytest.mark.real
FILE = "src/factor_returns.py"


@pytest.fixture(scope="module")
def adoption(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adoption]:
    """An estate that each test leaves adoptable again: by the way out that was printed."""
    with by_hand(tmp_path_factory.mktemp("refused"), FOUND) as made:
        yield Adoption(made)


@dataclass
class Case:
    """How something comes to be in the way, what is said of it, and the way out that is named."""

    env: str
    words: tuple[str, ...]
    comes: Callable[[Estate], None]
    goes: Callable[[Estate], None]


def edit(estate: Estate) -> None:
    """Somebody tries something in the folder."""
    upload(estate, estate.team.file(f"/pipelines/quant/{FILE}", "admin") + "\n# tried\n")


def discard(estate: Estate) -> None:
    """As it is in the branch."""
    estate.team.git("fetch", "-q", "origin")
    upload(estate, estate.team.git("show", f"origin/quant:{FILE}") + "\n")


def upload(estate: Estate, content: str) -> None:
    body = {"path": f"/pipelines/quant/{FILE}", "format": "AUTO", "overwrite": True}
    body["content"] = base64.b64encode(content.encode()).decode()
    estate.api("developer", "POST", "/api/2.0/workspace/import", body)


def check_out(env: str, branch: str) -> Callable[[Estate], None]:
    """In the environment's folder, which also pulls it."""

    def checked_out(estate: Estate) -> None:
        estate.api("admin", "PATCH", f"/api/2.0/repos/{estate.folders[env]}", {"branch": branch})

    return checked_out


def push(estate: Estate) -> None:
    """A commit that the folder has not pulled."""
    estate.team.commit("quant_live", FILE, "print('newer')\n", "Newer")


def transient(estate: Estate) -> None:
    """The schema was made transient once."""
    estate.sql(
        "ALTER SCHEMA QUANT.QUANT_LR RENAME TO QUANT.QUANT_LR_BEFORE",
        "CREATE TRANSIENT SCHEMA QUANT.QUANT_LR",
        "CREATE TRANSIENT TABLE QUANT.QUANT_LR.POSITIONS AS SELECT * FROM QUANT.QUANT_LR_BEFORE.POSITIONS",
    )


def permanent(estate: Estate) -> None:
    """A permanent one with copies of its tables, of the same name."""
    estate.sql(
        "CREATE SCHEMA QUANT.QUANT_LR_NEW",
        "CREATE TABLE QUANT.QUANT_LR_NEW.POSITIONS AS SELECT * FROM QUANT.QUANT_LR.POSITIONS",
        "ALTER SCHEMA QUANT.QUANT_LR RENAME TO QUANT.QUANT_LR_TRANSIENT",
        "ALTER SCHEMA QUANT.QUANT_LR_NEW RENAME TO QUANT.QUANT_LR",
    )


def lock(estate: Estate) -> None:
    """An update was killed: its process is gone, its lock is there."""
    Adoption(estate).pulumi("stack", "init", "quant_stg", "--no-select")
    gone = subprocess.Popen(["true"])
    gone.wait()
    folder = Path(estate.team.environ["PULUMI_BACKEND_URL"].removeprefix("file://"))
    file = folder / ".pulumi" / "locks" / "organization" / "quant" / "quant_stg" / "lock.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    held = {"pid": gone.pid, "username": "dana", "hostname": socket.gethostname(), "timestamp": "2026-01-05T09:00:00Z"}
    file.write_text(json.dumps(held))


def release(estate: Estate) -> None:
    """As `quantctl lock` says."""
    told = estate.quantctl("lock", "quant_stg")
    assert "quantctl lock release quant_stg" in told.stdout, told
    done = estate.quantctl("lock", "release", "quant_stg", "--yes")
    assert done.returncode == 0, done.stderr


CASES = {
    "a dirty folder": Case("quant", ("local edits", FILE, "commit them to quant, or discard them"), edit, discard),
    "another branch": Case(
        "quant_lr",
        ("on branch quant_live, not on quant_lr", "check out quant_lr"),
        check_out("quant_lr", "quant_live"),
        check_out("quant_lr", "quant_lr"),
    ),
    "another commit": Case(
        "quant_live", ("other code", FILE, "pull the folder"), push, check_out("quant_live", "quant_live")
    ),
    "a transient schema": Case(
        "quant_lr", ("transient", "make a permanent one", "CREATE TABLE ... AS SELECT"), transient, permanent
    ),
    "a lock": Case("quant_stg", ("locked by dana@", "quantctl lock quant_stg"), lock, release),
}


@pytest.mark.parametrize("what", CASES)
def test_what_is_in_the_way_is_told_and_the_way_out_is_enough(adoption: Adoption, what: str) -> None:
    """Refused, with the reason and what to do; that done, the same command goes on."""
    case = CASES[what]
    case.comes(adoption.estate)
    said = adoption.run(case.env, "look", status=1, as_admin=True)
    for word in (f"{case.env} cannot be adopted as it is", *case.words, f"do next: then: quantctl adopt {case.env} look"):
        assert word in said, said
    assert "cannot be adopted" in adoption.run(case.env, "generate", status=1, as_admin=True)
    case.goes(adoption.estate)
    assert f"Next: quantctl adopt {case.env} generate" in adoption.run(case.env, "look", as_admin=True)


def test_jobs_that_two_workflows_could_claim_stop_the_generating(adoption: Adoption) -> None:
    """The same code under three names in two environments; those that nobody needs are deleted."""
    estate, made = adoption.estate, {}
    for env, name in (("quant", "first"), ("quant", "second"), ("quant_stg", "third [STG]")):
        task = {
            "task_key": "run",
            "spark_python_task": {"python_file": f"/Workspace/pipelines/{env}/src/check_factor_returns.py"},
        }
        body = {"name": name, "tasks": [task], "run_as": {"service_principal_name": estate.principal(env)}}
        made[name] = estate.api("admin", "POST", "/api/2.2/jobs/create", body)["job_id"]
    for env in ("quant", "quant_stg"):
        adoption.run(env, "look", as_admin=True)
    said = adoption.run("quant", "generate", status=1, as_admin=True)
    for word in ("two workflows could claim", *map(str, made.values()), "call those that belong together alike", "delete"):
        assert word in said, said
    for number in made.values():
        estate.api("admin", "POST", "/api/2.2/jobs/delete", {"job_id": number})
    for env in ("quant", "quant_stg"):
        adoption.run(env, "look", as_admin=True)
    assert "Next: quantctl adopt quant decide" in adoption.run("quant", "generate", as_admin=True)


def test_a_stack_that_holds_something_needs_no_adoption(adoption: Adoption, tmp_path: Path) -> None:
    """What it declares is its own already."""
    stack, made = "urn:pulumi:quant::quant::pulumi:pulumi:Stack", tmp_path / "state.json"
    schema = {"urn": f"{stack}$snowflake:index/schema:Schema::schema", "type": "snowflake:index/schema:Schema"}
    schema |= {"custom": True, "id": "QUANT.QUANT"}  # type: ignore[dict-item]
    root = {"urn": f"{stack}::quant-quant", "type": "pulumi:pulumi:Stack"}
    made.write_text(json.dumps({"version": 3, "deployment": {"resources": [root, schema]}}))
    adoption.pulumi("stack", "init", "quant", "--no-select")
    done = adoption.pulumi("stack", "import", "-s", "quant", "--file", str(made))
    assert done.returncode == 0, done.stderr
    said = adoption.run("quant", "look", status=1, as_admin=True)
    for word in ("holds 1 resource already (schema)", "needs no adoption", "docs/state.md"):
        assert word in said, said
    assert adoption.pulumi("stack", "rm", "quant", "--force", "--yes", "--preserve-config").returncode == 0
    adoption.run("quant", "look", as_admin=True)


def test_nothing_else_was_changed_by_looking(adoption: Adoption) -> None:
    """The four looks are in the project's adoption folder, and nowhere else is anything."""
    found = {path.name for path in (adoption.estate.project / "adoption").iterdir()}
    assert found == {".lock", "quant", "quant_live", "quant_lr", "quant_stg", "workflows"}
