"""The notes of merge requests, by the real engine, kept in tests/golden/*.md as a reviewer reads them.

QUANT_GOLDEN=1 writes them anew; read what has changed before it is committed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gitlab
import pytest

from tests.conftest import Team
from tests.paths import ROOT

pytestmark = pytest.mark.real
GOLDEN = ROOT / "tests" / "golden"
WRITE = os.environ.get("QUANT_GOLDEN") == "1"
_WHEN = {"GIT_AUTHOR_DATE": "2026-02-02T09:00:00Z", "GIT_COMMITTER_DATE": "2026-02-02T09:00:00Z"}

WORKFLOW = "workflows/signal_report.yml"
NEW_WORKFLOW = """name: exposure_report
schedule: {quartz_cron_expression: "0 30 6 * * ?", timezone_id: Europe/London}
tasks:
  - task_key: report
    spark_python_task: {python_file: src/signal_report.py}
    environment_key: default
environments:
  - environment_key: default
    spec: {client: "2"}
"""


def changed_workflow(text: str) -> str:
    """Ends sooner, tries the report more often, and reports at another threshold."""
    head, _, report = text.partition("task_key: report")
    head = head.replace("timeout_seconds: 1800", "timeout_seconds: 900").replace('default: "0.001"', 'default: "0.002"')
    return f"{head}task_key: report{report.replace('max_retries: 1', 'max_retries: 3')}"


class MergeRequests:
    """Branches of the pipelines repository and checkouts of this one, as merge requests bring them."""

    def __init__(self, team: Team, folder: Path) -> None:
        self.team, self.folder = team, folder
        self.branches: list[str] = []

    def branch(self, name: str, *commits: tuple[str, dict[str, str | None]], start: str = "quant_stg") -> str:
        """A branch with one commit for each (subject, path -> content or None)."""
        team = self.team
        team.git("fetch", "-q", "origin")
        team.git("checkout", "-q", "-B", "work", f"origin/{start}")
        for subject, files in commits:
            for path, content in files.items():
                if content is None:
                    (team.clone / path).unlink()
                else:
                    (team.clone / path).write_text(content)
            team.git("add", "-A")
            identity = ["-c", "user.name=Dana", "-c", "user.email=dana@quant.example"]
            command = ["git", *identity, "commit", "-q", "-m", subject]
            subprocess.run(command, cwd=team.clone, check=True, env={**team.environ, **_WHEN})
        team.git("push", "-q", "--force", "origin", f"HEAD:refs/heads/{name}")
        self.branches.append(name)
        return name

    def read(self, path: str) -> str:
        """A file of quant_stg."""
        return self.team.git("show", f"origin/quant_stg:{path}") + "\n"

    def checkout(self, changes: dict[str, tuple[str, str]]) -> Path:
        """A checkout of this repository in which texts are replaced: path -> (old, new)."""
        copy = self.folder / f"checkout{len(list(self.folder.iterdir()))}"
        for part in ("infra", "policy", "quantctl", "sandbox", "toolchain"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in (ROOT / "__main__.py", *ROOT.glob("Pulumi*.yaml")):
            shutil.copy(file, copy)
        (copy / ".venv").symlink_to(ROOT / ".venv")
        for path, (old, new) in changes.items():
            text = (copy / path).read_text()
            assert old in text, path
            (copy / path).write_text(text.replace(old, new))
        return copy

    def preview(self, *arguments: str, checkout: Path = ROOT, **changed: str) -> subprocess.CompletedProcess[str]:
        """quantctl preview of a checkout; `changed` are variables that a pipeline sets."""
        # A pipeline that runs these tests is none of theirs.
        environ = {name: value for name, value in self.team.environ.items() if not name.startswith(("CI_", "GITHUB_"))}
        return subprocess.run(
            [str(ROOT / ".venv" / "bin" / "python"), "-m", "quantctl.main", "preview", *arguments],
            cwd=checkout,
            env={**environ, **changed},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def same(self, name: str, note: str) -> None:
        """The note is the one kept in tests/golden, but for the ids of commits."""
        known = {commit[:7] for commit in self.team.git("rev-list", "--all").split()}
        ids = re.findall(r"\b[0-9a-f]{7}(?=\b|[0-9a-f]{33}\b)", note)
        for number, short in enumerate(dict.fromkeys(each for each in ids if each in known), start=1):
            note = re.sub(rf"\b{short}([0-9a-f]{{33}})?\b", f"commit{number:02}", note)
        host = re.escape(self.team.environ["DATABRICKS_HOST"].rstrip("/"))
        note = re.sub(rf"\({host}/(jobs|browse/folders)/\d+\)", r"(WORKSPACE/\1/ID)", note)
        kept = GOLDEN / f"{name}.md"
        if WRITE:
            kept.write_text(note)
        assert note == kept.read_text()


@pytest.fixture(scope="module")
def requests(team: Team, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MergeRequests]:
    """The branches are gone afterwards."""
    made = MergeRequests(team, tmp_path_factory.mktemp("requests"))
    yield made
    for name in made.branches:
        team.git("push", "-q", "origin", f":refs/heads/{name}")


def secrets(team: Team) -> list[str]:
    """Every token, and a line of every key, that the sandbox has."""
    tokens = [str(who["databricks_token"]) for who in team.credentials.values()]
    keys = [Path(who["snowflake_key_file"]).read_text().splitlines()[3] for who in team.credentials.values()]
    return [*tokens, *keys, team.environ["SNOWFLAKE_PRIVATE_KEY"].splitlines()[3]]


def test_one_workflow_changes(requests: MergeRequests) -> None:
    """A merge request into quant_stg is previewed before it is merged: the fields of one workflow, old and new."""
    text = changed_workflow(requests.read(WORKFLOW))
    ref = requests.branch("mr/workflow", ("Signal report: end after a quarter of an hour", {WORKFLOW: text}))
    done = requests.preview("quant_stg", "--what-if", ref)
    assert done.returncode == 0, done.stderr
    requests.same("preview_workflow", done.stdout)


def test_only_code_changes(requests: MergeRequests) -> None:
    """One resource changes, the folder; the note names commits and files. The subject of a commit forges nothing."""
    code = requests.read("src/risk_model.py")
    evil = "x `` </details> @dana /close ![x](http://x.example) <b>"
    ref = requests.branch(
        "mr/code",
        ("Risk model: say what is done", {"src/risk_model.py": f"{code}# The model is done.\n"}),
        (evil, {"src/risk_model.py": f"{code}# The risk model is done.\n"}),
    )
    done = requests.preview("quant_stg", "--what-if", ref)
    assert done.returncode == 0, done.stderr
    requests.same("preview_code", done.stdout)


NARROWED = (
    "quant:schedules: live",
    "quant:schedules: live\n  quant:access: {support: {folder: none, job: none, schema: none}}",
)
WIDENED = (
    "Environment.STAGING: {\n        Persona.DEVELOPERS: _WATCH,",
    "Environment.STAGING: {\n        Persona.DEVELOPERS: _RUN,",
)
# The policy pack says the matrix again: whoever widens access changes both, and both are reviewed.
WIDENED_TOO = ('"quant_stg": {\n        "developers": _WATCH,', '"quant_stg": {\n        "developers": _RUN,')
WIDER = {"infra/access.py": WIDENED, "policy/rules/environments.py": WIDENED_TOO}


def test_access_changes(requests: MergeRequests) -> None:
    """A merge request of this repository: who gains and who loses what is said before all else."""
    checkout = requests.checkout({"Pulumi.quant_stg.yaml": NARROWED, **WIDER})
    done = requests.preview("quant_stg", checkout=checkout)
    assert done.returncode == 0, done.stderr
    requests.same("preview_access", done.stdout)


def test_everything_changes(requests: MergeRequests, team: Team, tmp_path: Path) -> None:
    """Code, workflows, access and schema at once; no secret stands anywhere; GitLab's widget gets its counts."""
    changes: dict[str, str | None] = {
        WORKFLOW: changed_workflow(requests.read(WORKFLOW)),
        "workflows/exposure_report.yml": NEW_WORKFLOW,
        "workflows/positions_snapshot.yml": None,
    }
    ref = requests.branch("mr/all", ("Exposures instead of positions", changes))
    stack = (f"{NARROWED[0]}\n  quant:retentionDays: 3", f"{NARROWED[1]}\n  quant:retentionDays: 7")
    checkout = requests.checkout({"Pulumi.quant_stg.yaml": stack, **WIDER})
    report = tmp_path / "report.json"
    done = requests.preview("quant_stg", "--what-if", ref, "--report", str(report), checkout=checkout)
    assert done.returncode == 0, done.stderr
    requests.same("preview_all", done.stdout)
    assert json.loads(report.read_text()) == {"create": 2, "update": 7, "delete": 3}
    for secret in secrets(team):
        assert secret not in done.stdout + done.stderr
    if WRITE:
        _record(team, checkout, ref)


def test_a_policy_refuses(requests: MergeRequests) -> None:
    """What breaks a promise about quant_live ends with status 3 and says which; the other environments are shown."""
    checkout = requests.checkout({"infra/databricks/jobs.py": ('edit_mode="UI_LOCKED"', 'edit_mode="EDITABLE"')})
    done = requests.preview("quant_stg", "quant_live", checkout=checkout)
    assert done.returncode == 3, done.stdout + done.stderr
    requests.same("preview_refused", done.stdout)


def test_what_fails_does_not_hide_the_others(requests: MergeRequests) -> None:
    """A stack file that is wrong: status 1, the reason in the note, and the other environment is previewed."""
    checkout = requests.checkout({"Pulumi.quant_lr.yaml": ("quant:schedules: live", "quant:schedules: often")})
    done = requests.preview("quant_lr", "quant", checkout=checkout)
    assert done.returncode == 1
    assert "quant:schedules: found 'often'" in done.stdout
    assert "nothing changes in quant" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_posting_twice_leaves_one_note(requests: MergeRequests, team: Team) -> None:
    """In the pipeline of a merge request: its environment, as after the merge; a second push refreshes the one note."""
    who, code = team.credentials["developer"], requests.read("src/risk_model.py")
    project = gitlab.Gitlab(who["gitlab_url"], private_token=who["gitlab_token"]).projects.get("quant/pipelines")
    variables = {
        "QUANT_GITLAB_URL": who["gitlab_url"],
        "QUANT_GITLAB_PROJECT": "quant/pipelines",
        "GITLAB_TOKEN": who["gitlab_token"],
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "quant_stg",
    }
    ref = requests.branch("mr/post", ("First try", {"src/risk_model.py": f"{code}# 1\n"}))
    request = project.mergerequests.create({"source_branch": ref, "target_branch": "quant_stg", "title": "A model"})
    variables["CI_MERGE_REQUEST_IID"] = str(request.iid)
    try:
        for subject in ("First try", "Second try"):
            requests.branch("mr/post", (subject, {"src/risk_model.py": f"{code}# {subject}\n"}))
            done = requests.preview("--post", **variables, CI_COMMIT_SHA=team.git("rev-parse", "HEAD"))
            assert done.returncode == 0, done.stderr
            assert f"The note on merge request {request.iid}: " in done.stderr
            [note] = [note for note in request.notes.list(get_all=True) if "### Preview" in note.body]
            assert f"`{subject}`" in note.body
            assert done.stdout.strip() in note.body
        assert "First try" not in note.body
    finally:
        request.state_event = "close"
        request.save()


def test_a_what_if_is_previewed_and_nothing_else(team: Team) -> None:
    """An update that would declare another commit than the workspace can check out is refused; nothing changes."""
    refused = team.pulumi("up", "--yes", "--skip-preview", "-s", "quant_lr", QUANT_WHAT_IF="quant")
    assert refused.returncode != 0
    assert "QUANT_WHAT_IF is set ('quant')" in refused.stdout
    unknown = team.quantctl("preview", "quant_lr", "--what-if", "nowhere")
    assert unknown.returncode == 1
    assert "'nowhere' is no branch, tag or commit of" in unknown.stdout


def _record(team: Team, checkout: Path, ref: str) -> None:
    """The engine's events of a preview, for tests without an engine: what changes, the folder, and the end."""
    done = subprocess.run(
        ["pulumi", "preview", "--json", "--non-interactive", "-s", "quant_stg", "--policy-pack", "policy"],
        cwd=checkout,
        env={**team.environ, "QUANT_WHAT_IF": ref, "PULUMI_ENABLE_STREAMING_JSON_PREVIEW": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    kept = [event for event in map(json.loads, done.stdout.splitlines()) if _tells(event)]
    text = "".join(json.dumps(event) + "\n" for event in kept)
    (GOLDEN / "preview_all.jsonl").write_text(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", text))


def _tells(event: dict[str, Any]) -> bool:
    event.pop("timestamp", None)
    if "resourcePreEvent" not in event:
        return bool({"policyEvent", "policyAnalyzeStackSummaryEvent", "summaryEvent"} & set(event))
    metadata = event["resourcePreEvent"]["metadata"]
    return bool(metadata["op"] != "same") or metadata["urn"].endswith("Repo::folder")
