"""The forges' pipeline files: valid, running commands that exist, one update at a time, quant_live never by itself."""

from __future__ import annotations

import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import toolchain
from infra.vocabulary import Environment
from quantctl.main import Entry, command
from tests import gitlab_pipeline as gitlab
from tests.paths import ROOT

LIVE = Environment.LIVE.value
GITHUB = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS: dict[str, dict[str, Any]] = {file.name: yaml.load(file.read_text(), yaml.BaseLoader) for file in GITHUB}
ACTION = ROOT / ".github" / "actions" / "quantctl" / "action.yml"
HERE = gitlab.pipeline(ROOT, ".gitlab-ci.yml")
PIPELINES = gitlab.pipeline(ROOT, "ci/gitlab/pipelines.yml", {"infrastructure": "quant/infrastructure"})
PAGE = (ROOT / "docs" / "pipelines.md").read_text()
EXAMPLES = [yaml.load(text, yaml.BaseLoader) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)]

GITLAB_JOBS = [
    (f"{kind}: {name}", job)
    for kind, config in (("here", HERE), ("pipelines", PIPELINES))
    for name, job in gitlab.jobs(config)
]
GITHUB_JOBS = [(f"{file}: {name}", job) for file, read in WORKFLOWS.items() for name, job in read["jobs"].items()]


def test_gitlab_knows_these_files(tmp_path: Path) -> None:
    """Each file, its header, both whole pipelines and the page's example pass the published schema."""
    given = {"infrastructure": "quant/infrastructure", "environment": "quant", "tier": "testing", "wanted": "none"}
    for file in sorted((ROOT / "ci" / "gitlab").glob("*.yml")):
        spec, _ = gitlab.documents(file)
        (tmp_path / f"{file.stem}-head.json").write_text(json.dumps({"spec": spec} if spec else {}))
        wanted = {name: value for name, value in given.items() if name in spec.get("inputs", {})}
        (tmp_path / f"{file.stem}.json").write_text(json.dumps(gitlab.filled(file, wanted)))
    for name, config in (("here", HERE), ("pipelines-whole", PIPELINES), ("example", EXAMPLES[0])):
        (tmp_path / f"{name}.json").write_text(json.dumps(config))
    valid("vendor.gitlab-ci", sorted(tmp_path.glob("*.json")))


def test_github_knows_these_files(tmp_path: Path) -> None:
    """Each workflow, the action and the page's example pass the published schemas."""
    example = tmp_path / "quant.yml"
    example.write_text(yaml.safe_dump(EXAMPLES[1]))
    valid("vendor.github-workflows", [*GITHUB, example])
    valid("vendor.github-actions", [ACTION])


def valid(schema: str, files: list[Path]) -> None:
    program = ROOT / ".venv" / "bin" / "check-jsonschema"
    done = subprocess.run([program, "--builtin-schema", schema, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_give_what_the_files_ask_for() -> None:
    """The page's includes name inputs that there are, and miss none."""
    [include] = EXAMPLES[0]["include"]
    assert gitlab.pipeline(ROOT, include["file"], include["inputs"]) == PIPELINES
    job = EXAMPLES[1]["jobs"]["quant"]
    inputs = WORKFLOWS[job["uses"].split("/")[-1].split("@")[0]]["on"]["workflow_call"]["inputs"]
    assert set(job["with"]) <= set(inputs)
    assert {name for name, kind in inputs.items() if kind.get("required") == "true"} <= set(job["with"])


RUN, BY_HAND = "on_success", "manual"
MERGE_REQUEST = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_PROJECT_PATH": "q/i",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "q/i",
}
ON_MAIN = {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
TRIGGERED = {"CI_PIPELINE_SOURCE": "trigger", **ON_MAIN}
CHECKS = {"lint": RUN, "test": RUN}
ALL_BY_HAND = {f"update {env}": BY_HAND for env in Environment}


@pytest.mark.parametrize(
    ("event", "starts"),
    [
        (MERGE_REQUEST, {**CHECKS, "preview": RUN}),
        ({**MERGE_REQUEST, "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "x/i"}, CHECKS),
        ({"CI_PIPELINE_SOURCE": "push", **ON_MAIN}, {**CHECKS, "plan quant_live": RUN, **ALL_BY_HAND}),
        ({"CI_PIPELINE_SOURCE": "push", **ON_MAIN, "CI_COMMIT_BRANCH": "a-change"}, {}),
        (TRIGGERED, {}),
        ({**TRIGGERED, "environment": "quant", "QUANT_ENVIRONMENT": LIVE, "wanted": LIVE}, {}),  # variables say nothing
        ({"CI_PIPELINE_SOURCE": "schedule", **ON_MAIN}, {"drift": RUN}),
    ],
)  # fmt: skip
def test_what_starts_in_the_infrastructure_repository(event: dict[str, str], starts: dict[str, str]) -> None:
    """As docs/pipelines.md says: previews for our own merge requests, updates by hand after a merge here."""
    assert gitlab.started(HERE, event) == starts


@pytest.mark.parametrize("env", Environment)
def test_a_trigger_updates_one_stack(env: str) -> None:
    """The one that its input names, on the default branch alone; production by hand. Other inputs are refused."""
    asked = gitlab.pipeline(ROOT, ".gitlab-ci.yml", {"environment": env})
    by_hand = {f"plan {env}": RUN, f"update {env}": BY_HAND}
    assert gitlab.started(asked, TRIGGERED) == (by_hand if env == LIVE else {f"update {env}": RUN})
    assert gitlab.started(asked, {**TRIGGERED, "CI_COMMIT_BRANCH": "a-change"}) == {}
    assert gitlab.started(asked, {**TRIGGERED, "CI_PIPELINE_SOURCE": "web"}) == {}
    with pytest.raises(AssertionError, match="is no environment"):
        gitlab.pipeline(ROOT, ".gitlab-ci.yml", {"environment": f"{env}; curl"})


def sh(lines: list[str], folder: Path, **environ: str) -> str:
    """What a job's shell says to these lines, with a home of its own."""
    usual = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    command = ["bash", "-e", "-c", "\n".join(lines)]
    done = subprocess.run(command, cwd=folder, env={**usual, **environ}, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


FORGE = "https://forge.example"
OTHERS = (f"{FORGE}.evil.example", "https://evil.example", "http://forge.example", f"{FORGE}:8443")


def logins(folder: Path, **environ: str) -> list[str]:
    """What git's helper says for the forge's own host, and for others."""
    return [
        sh([f"printf 'url={host}/q/p.git\\n\\n' | git credential fill || true"], folder, **environ)
        for host in (FORGE, *OTHERS)
    ]


@pytest.mark.parametrize("job", [HERE["drift"], PIPELINES["preview"]], ids=["here", "pipelines"])
def test_gitlab_tokens_go_to_gitlab_alone(job: dict[str, Any], tmp_path: Path) -> None:
    """A submodule, a remote or a package elsewhere is asked without them."""
    environ = {"CI_SERVER_URL": FORGE, "CI_JOB_TOKEN": "j0b"}
    sh([line for line in job["before_script"] if "credential" in line], tmp_path, **environ)
    own, *others = logins(tmp_path, **environ)
    assert "password=j0b" in own and not any("j0b" in said for said in others)
    if job is HERE["drift"]:
        own, *others = logins(tmp_path, GITLAB_TOKEN="l0ng", **environ)
        assert "password=l0ng" in own and not any("l0ng" in said for said in others)


def test_github_tokens_go_to_github_alone(tmp_path: Path) -> None:
    """The same."""
    steps = yaml.load(ACTION.read_text(), yaml.BaseLoader)["runs"]["steps"]
    [lines] = [step["run"].splitlines() for step in steps if "credential" in step.get("run", "")]
    environ = {"GITHUB_SERVER_URL": FORGE, "RUNNER_TEMP": str(tmp_path), "TOKEN": "t0k"}
    sh(lines, tmp_path, **environ)
    own, *others = logins(tmp_path, **environ)
    assert "password=t0k" in own and not any("t0k" in said for said in others)


def test_gitlab_starts_the_update_with_an_input(github: tuple[str, dict[str, list[dict[str, Any]]]], tmp_path: Path) -> None:
    """The job of the pipelines repository sends a trigger token, a branch and one input: no variable, no other token."""
    address, items = github
    job = PIPELINES["update"]
    assert "trigger" not in job and set(job["variables"]) == {"GIT_STRATEGY"}
    given = {"CI_COMMIT_BRANCH": "quant_stg", "QUANT_TRIGGER_TOKEN": "t0ken"}
    said = sh(job["script"], tmp_path, CI_API_V4_URL=f"{address}/api/v4", **given)
    [(path, [sent])] = items.items()
    assert path == "/api/v4/projects/quant%2Finfrastructure/trigger/pipeline"
    assert re.findall(r'name="([^"]+)"\s+(\S+)', sent["form"]) == [
        ("token", "t0ken"),
        ("ref", "main"),
        ("inputs[environment]", "quant_stg"),
    ]
    assert "t0ken" not in said and "web_url" in said
    refused = sh(job["script"], tmp_path, CI_API_V4_URL=f"{address}/refuses", **given)
    assert "web_url" not in refused and "403" in refused


def commands_of(lines: list[str]) -> Iterator[list[str]]:
    """The simple commands of shell lines, words after redirections left out."""
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("|&;>"):
                if words:
                    yield words
                words = []
                if word == ">":
                    words = ["(a file)"]
            else:
                words.append(word)


def lines_of(job: dict[str, Any]) -> list[str]:
    """What a job runs."""
    given = [line for part in ("before_script", "script") for line in job.get(part, [])]
    return given + [step["run"] for step in job.get("steps", []) if "run" in step]


ALL_JOBS = [*GITLAB_JOBS, *GITHUB_JOBS, ("the action", yaml.load(ACTION.read_text(), yaml.BaseLoader)["runs"])]


def test_every_command_exists() -> None:
    """quantctl with these words and options, make with these targets, scripts that are there."""
    seen = set()
    root = command()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    for where, job in ALL_JOBS:
        for words in commands_of(lines_of(job)):
            if words[0] == "quantctl":
                seen.add(words[1])
                parse(root, [LIVE if word == "$ENVIRONMENT" else word for word in words[1:]], where)
            elif words[0] == "make":
                assert set(words[1:]) <= targets, where
            for word in words:
                if word.startswith((".ci/", "ci/")):
                    assert (ROOT / word).is_file(), (where, word)
    assert seen == {"preview", "up", "drift", "drift-issue"}


def test_quantctl_finds_the_engine_that_it_obtained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A pipeline's shell has the cloud's variables and no `pulumi` on PATH: `make install` is enough."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://state")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    found = toolchain.locate()
    assert found is not None
    path = toolchain.enter(os.environ, ROOT / ".venv" / "bin")["PATH"]
    assert shutil.which("pulumi", path=path) == str(found.bin / "pulumi" if found.bin else found.programs[0].path)


def parse(command: Any, words: list[str], where: str) -> None:
    """As the command line would, without running it. Typer brings a click of its own, so its classes are not named here."""
    while hasattr(command, "commands"):
        found = command.commands.get(words[0])
        assert found is not None, f"{where}: there is no command {words[0]}"
        command, words = found.load() if isinstance(found, Entry) else found, words[1:]
    try:
        command.make_context("quantctl", list(words))
    except Exception as error:
        pytest.fail(f"{where}: {' '.join(words)}: {error}")


@pytest.mark.parametrize(("where", "job"), GITLAB_JOBS)
def test_gitlab_updates_are_one_at_a_time_and_production_is_by_hand(where: str, job: dict[str, Any]) -> None:
    """Whatever updates a stack waits for its turn, is a deployment of that environment, and is not cut short; each ends."""
    updated = [words[2] for words in commands_of(lines_of(job)) if words[:2] == ["quantctl", "up"]]
    assert "trigger" in job or job["timeout"]
    assert not updated or where.startswith("here"), "updates run in one repository"
    for env in updated:
        assert (job["resource_group"], job["environment"]["name"], job["interruptible"]) == (env, env, False)
        assert "action" not in job["environment"], "a deployment: protected environments hold these alone"
    if LIVE in (*updated, (job.get("environment") or {}).get("name")):
        assert all(rule.get("when") == "manual" for rule in job["rules"])
        assert any("--plan" in words for words in commands_of(lines_of(job)) if words[1:3] == ["up", LIVE])


def test_every_environment_has_its_update() -> None:
    """None is forgotten, in either forge."""
    names = {job["environment"]["name"] for name, job in gitlab.jobs(HERE) if name.startswith("update")}
    assert names == {*Environment}
    assert WORKFLOWS["update.yml"]["on"]["workflow_dispatch"]["inputs"]["environment"]["options"] == [*Environment]


@pytest.mark.parametrize(("where", "job"), GITHUB_JOBS)
def test_github_jobs_end_and_hold_no_more_than_they_need(where: str, job: dict[str, Any]) -> None:
    """A time limit; only reading, but for notes and issues; pinned actions; no secret and no stranger's text in a script."""
    if "uses" in job:
        return
    assert int(job["timeout-minutes"]) <= 60
    granted = {name for name, level in (job.get("permissions") or {}).items() if level == "write"}
    assert granted <= {"pull-requests", "issues", "id-token"}, where
    assert ("id-token" in granted) == ("DATABRICKS_HOST" in job.get("env", {})), "who logs in has a token of the forge's"
    for step in job["steps"]:
        if "uses" in step and not step["uses"].startswith("./"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step["uses"]
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"
        assert "${{" not in step.get("run", ""), "a value goes into a script as a variable"


def test_github_runs_one_update_at_a_time_and_production_by_hand() -> None:
    """One update of an environment, not cut short by the next; only people start quant_live's, and it asks."""
    read = WORKFLOWS["update.yml"]
    assert read["concurrency"] == {"group": "update-${{ inputs.environment }}", "cancel-in-progress": "false"}
    assert list(read["on"]) == ["workflow_dispatch"]
    for name, job in read["jobs"].items():
        updated = [words[2] for words in commands_of(lines_of(job)) if words[:2] == ["quantctl", "up"]]
        if updated == [LIVE]:
            assert (job["environment"]["name"], job["needs"]) == (LIVE, "plan")
        elif updated:
            assert (name, job["environment"]["name"]) == ("update", "${{ inputs.environment }}")
            assert job["if"] == f"inputs.environment != '{LIVE}'"
    for name, other in WORKFLOWS.items():
        for job in other["jobs"].values():
            assert name == "update.yml" or not any(words[:2] == ["quantctl", "up"] for words in commands_of(lines_of(job)))
    asked = WORKFLOWS["pipelines.yml"]["jobs"]["update"]["if"]
    assert json.loads(re.findall(r"\[.*\]", asked)[0]) == [env for env in Environment if env != LIVE]
    assert set(EXAMPLES[1]["on"]["push"]["branches"]) == {*Environment} - {LIVE}


# What the forges and shells set themselves.
_PREDEFINED = re.compile(
    r"(CI|GITHUB|RUNNER)_\w+|PATH|PWD|PIP_\w+|XDG_\w+|GIT_\w+|TOKEN|NUMBER|STATUS|ENVIRONMENT|REF|INFRASTRUCTURE|GH_TOKEN|ACTIONS_\w+|SNOWFLAKE_ID_TOKEN"
)


def test_every_variable_is_documented() -> None:
    """docs/pipelines.md names each that a file reads, and says of each secret that it is masked."""
    files = [*ROOT.glob(".gitlab-ci.yml"), *(ROOT / "ci" / "gitlab").glob("*.yml"), *GITHUB, ACTION]
    told = {
        name: row.split("|")[4].strip()
        for row in re.findall(r"^\| `[A-Z].*$", PAGE, re.M)
        for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])
    }
    named, secret = set(), set()
    for file in files:
        text = file.read_text()
        secret |= set(re.findall(r"secrets\.([A-Z_]+)", text))
        named |= set(re.findall(r"\$\{?([A-Z][A-Z_]+)\b", text)) | set(re.findall(r"vars\.([A-Z_]+)", text))
        named |= set(re.findall(r"^ +([A-Z][A-Z_]+): ", text, re.M))
    named = {name for name in named | secret if not _PREDEFINED.fullmatch(name)}
    assert named - set(told) == set()
    assert {name for name in secret if told[name] != "yes"} == set()
    assert {
        name for name, masked in told.items() if re.search("TOKEN|SECRET|PASSPHRASE|PRIVATE", name) and masked != "yes"
    } == set()
    assert "SNOWFLAKE_PRIVATE_KEY" in secret and "QUANT_TRIGGER_TOKEN" in named


BOT = {"user": {"login": "github-actions[bot]"}}


class GitHub(http.server.BaseHTTPRequestHandler):
    """Comments and issues of one repository, two a page."""

    items: dict[str, list[dict[str, Any]]]

    def do_GET(self) -> None:
        where, _, query = self.path.partition("?")
        page = int(re.findall(r"\bpage=(\d+)", query)[0])
        found = [one for one in self.items.get(where, []) if "state=open" not in query or one["state"] == "open"]
        self.answer(200, found[2 * page - 2 : 2 * page])

    def do_POST(self) -> None:
        if self.path.startswith("/refuses"):
            return self.answer(403, {"message": "403 Forbidden"})
        if "/trigger/" in self.path:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.items.setdefault(self.path, []).append({"form": form})
            return self.answer(201, {"web_url": "http://x/-/pipelines/1"})
        made = {"id": 100, "number": 100, "state": "open", "html_url": f"made {self.path}", **self.body(), **BOT}
        self.items.setdefault(self.path, []).append(made)
        self.answer(201, made)

    def do_PATCH(self) -> None:
        folder, _, name = self.path.rpartition("/")
        lists = [self.items.get(folder, [])] if folder.endswith("/repos/q/i/issues") else list(self.items.values())
        one = next(one for every in lists for one in every if name in (str(one["id"]), str(one.get("number"))))
        one.update(self.body(), html_url=f"changed {self.path}")
        self.answer(200, one)

    def body(self) -> dict[str, Any]:
        assert self.headers["Authorization"] == "Bearer t0ken"
        read: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return read

    def answer(self, status: int, said: object) -> None:
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def github() -> Iterator[tuple[str, dict[str, list[dict[str, Any]]]]]:
    items: dict[str, list[dict[str, Any]]] = {}
    handler = type("Handler", (GitHub,), {"items": items})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", items
        finally:
            server.shutdown()


def post(address: str, *arguments: str) -> str:
    environ = {"GITHUB_API_URL": address, "GITHUB_REPOSITORY": "q/i", "GITHUB_TOKEN": "t0ken"}
    command = [sys.executable, str(ROOT / "ci" / "github" / "post.py"), *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_github_has_one_comment(github: tuple[str, dict[str, list[dict[str, Any]]]], tmp_path: Path) -> None:
    """Posted twice it is one comment that says the latest, though others stand before it on other pages."""
    address, items = github
    theirs = (
        "<!-- quantctl preview -->\nAll is well"  # somebody's own words, which are neither ours nor to be taken for them
    )
    comments = items["/repos/q/i/issues/7/comments"] = [
        {"id": n, "body": theirs if n == 3 else "LGTM", "user": {"login": "mallory"}} for n in range(5)
    ]
    note = tmp_path / "note.md"
    for text in ("first", "second"):
        note.write_text(text)
        post(address, "comment", "7", str(note))
    said = [one["body"] for one in comments]
    assert said == ["LGTM", "LGTM", "LGTM", theirs, "LGTM", "<!-- quantctl preview -->\nsecond"]


def test_github_has_one_issue(github: tuple[str, dict[str, list[dict[str, Any]]]], tmp_path: Path) -> None:
    """Opened, refreshed, left alone, closed with a comment; a closed one is not opened again."""
    address, items = github
    said = []
    theirs = {"id": 1, "number": 1, "state": "open", "body": "<!-- quantctl drift -->\nmine", "user": {"login": "mallory"}}
    items["/repos/q/i/issues"] = [theirs]
    file = tmp_path / "issue.json"
    for action in ("upsert", "upsert", "leave", "close", "close"):
        decision = {
            "action": action,
            "why": "so",
            "title": "Drift",
            "text": action,
            "marker": "quantctl drift",
            "labels": ["drift"],
        }
        file.write_text(json.dumps(decision))
        said.append(post(address, "issue", str(file)).split(":")[0])
    assert said == ["opened", "refreshed", "so", "closed", "no issue is open"]
    first, one = items["/repos/q/i/issues"]
    assert (first["state"], first["body"]) == ("open", "<!-- quantctl drift -->\nmine")
    assert (one["state"], one["labels"], one["body"]) == ("closed", ["drift"], "<!-- quantctl drift -->\nupsert")
    assert [comment["body"] for comment in items["/repos/q/i/issues/100/comments"]] == ["close"]
