"""A team's estate made by hand becomes what the stacks declare, in all four environments, and nothing is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from quantctl.engine import orphans
from sandbox.state import State
from tests import warm
from tests.adoption import Adoption, Answer, mostly_change
from tests.estate import ENVS, FOUND, OTHER, Estate, by_hand

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Moment:
    """When a step is killed, and whether its engine is killed with it."""

    when: Callable[[warm.Command], bool]
    engine: bool = False


def answers_of(adoption: Adoption, env: str) -> Answer:
    """What this team decides of an environment, where it is not what most would."""
    style, left = adoption.estate.style, f"job/{adoption.estate.jobs[f'{env}/eod_cleanup']}"

    def answer(group: str, identity: str, may: list[str]) -> str:
        if env == "quant_live" and "keep" in may:
            return "keep"  # nobody gets more than they have, where that can be said
        if (style, env) == (OTHER, "quant") and identity == left:
            return "leave"  # a job that stays as it is, by hand
        if (style, env) == (OTHER, "quant_stg") and identity == f"leftovers/tables and views of {style.tables_of}":
            return "change"  # the person's table goes to the jobs' role
        return mostly_change(group, identity, may)

    return answer


@pytest.fixture(scope="module", params=["found", "other"])
def estate(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """The estate as it was found, and one that differs in each point."""
    style = {"found": FOUND, "other": OTHER}[request.param]
    with by_hand(tmp_path_factory.mktemp(request.param), style) as made:
        yield made


def test_the_four_environments_are_adopted_and_nothing_is_lost(estate: Estate) -> None:
    """By commands and decisions alone: ids, runs, rows, secrets, keys and grants are as before; then one promotion."""
    adoption = Adoption(estate)
    before = {env: estate.facts(env) for env in ENVS}
    for env in ENVS:
        if estate.style is OTHER and env == "quant_live":
            _the_pack_is_asked(adoption)
            _with_gitlab(estate)
        killed = estate.style is FOUND and env == ENVS[0]
        if killed:
            _killed(adoption, env, "look", "generate", "decide")
        assert adoption.decide(env, answers_of(adoption, env)) > 10
        if env == ENVS[0]:
            _is_readable(estate)
            adoption.commit()
        if killed:
            _killed(adoption, env, "prepare")
        adoption.prepare(env)
        adoption.take_settings(env)
        if killed:
            _killed(adoption, env, "import")
        adoption.run(env, "import", "--yes")
        if killed:
            _killed(adoption, env, "verify")
            _undone(adoption, env)
        assert "deletes and replaces nothing" in adoption.run(env, "verify")
        done = estate.quantctl("up", env, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "is adopted" in adoption.run(env, "verify", as_admin=True)
        same = adoption.pulumi("preview", "-s", env, "--expect-no-changes")
        assert same.returncode == 0, same.stdout
    for env in ENVS:
        after = estate.facts(env)
        assert before[env].pop("grants") <= after.pop("grants")
        assert after == before[env]
        _drift_is_the_leftovers(estate, env)
    _nobody_got_more(estate)
    _promote(estate)


def _killed(adoption: Adoption, env: str, *steps: str) -> None:
    """Each step is killed in its midst, with or without its engine; it is not done then, and is named as the next one."""
    files = adoption.estate.project / "adoption" / env
    moments: dict[str, Moment] = {
        "look": Moment(lambda step: "reads the account" in step.told),
        "generate": Moment(lambda _: (files / f"Pulumi.{env}.yaml").exists()),
        "decide": Moment(lambda step: _engine(step, "import"), engine=True),
        "prepare": Moment(lambda _: (files / "prepare.sql").exists()),
        "import": Moment(lambda step: _engine(step, "import")),  # its engine runs on
        "verify": Moment(lambda step: _engine(step, "preview"), engine=True),
        "undo": Moment(lambda step: _engine(step, "stack", "import"), engine=True),
    }
    for step in steps:
        moment, admin = moments[step], step in ("look", "generate", "decide")
        words = (step, "--yes") if step in ("import", "undo") else (step,)
        assert adoption.killed(env, *words, when=moment.when, engine=moment.engine, as_admin=admin), step
        if step == "generate":  # its files are many and small: all may be there already
            assert adoption.next(env) in (step, "decide")
        elif step != "undo":
            assert adoption.next(env) == step
        if step == "import":
            assert not adoption.resources(env)
        if admin and step != "decide":
            adoption.run(env, step, as_admin=True)


def _engine(step: warm.Command, *words: str) -> bool:
    """Whether the step runs this command of the engine."""
    return any(
        one.parent == step.pid and one.name == "pulumi" and one.words[1 : 1 + len(words)] == words
        for one in orphans.processes().values()
    )


def _undone(adoption: Adoption, env: str) -> None:
    """An import that is undone leaves the state as it was, also where the undoing was killed."""
    _killed(adoption, env, "undo")
    adoption.run(env, "undo", "--yes")
    kept = adoption.estate.project / "adoption" / env / "state-before.json"
    assert not adoption.resources(env) and not kept.exists()
    said = adoption.run(env, "verify", status=1)
    assert "not imported yet" in said and "do next" in said
    adoption.run(env, "import", "--yes")


def _the_pack_is_asked(adoption: Adoption) -> None:
    """In production a cluster of somebody else's is listed in the pack, which is reviewed; until then nothing goes on."""
    for step in ("look", "generate"):
        adoption.run("quant_live", step, as_admin=True)
    said = adoption.run("quant_live", "decide", status=1, as_admin=True)
    assert "policy pack refuses" in said and adoption.estate.style.cluster in said
    listed = adoption.estate.project / "policy" / "allowed.yaml"
    text = listed.read_text()
    assert "  quant_live: {}\n" in text
    listed.write_text(text.replace("  quant_live: {}\n", f"  quant_live: {{clusters: [{adoption.estate.style.cluster}]}}\n"))


def _with_gitlab(estate: Estate) -> None:
    """Production's branch is protected by GitLab from now on."""
    state = State(Path(estate.team.environ["QUANT_SANDBOX"]))
    endpoints = state.endpoints()
    assert endpoints is not None
    named = {"QUANT_GITLAB_URL": endpoints.gitlab_url, "QUANT_GITLAB_PROJECT": "quant/pipelines"}
    estate.team.environ.update(named | {"GITLAB_TOKEN": state.gitlab_tokens()["quant-deployer"]})


def _is_readable(estate: Estate) -> None:
    """No default, no absolute path and no id in the workflow files, and `quantctl check` accepts them."""
    files = sorted((estate.project / "adoption" / "workflows").glob("*.yml"))
    names = {file.stem for file in files}
    assert names >= {"factor_returns", "positions_snapshot", "risk_model", "signal_report", "eod_cleanup"}
    for file in files:
        text = file.read_text()
        for word in (
            "/Workspace",
            "/pipelines",
            "run_if",
            "max_concurrent_runs: 1",
            "UNPAUSED",
            "WORKSPACE",
            "run_as",
            "SVC_",
        ):
            assert word not in text, f"{word} in {file.name}\n{text}"
        assert not re.search(r"\b\d{8,}\b|\d{4}-\d{6}-\w+", text), text
    signal = yaml.safe_load((files[0].parent / "signal_report.yml").read_text())
    assert signal["per_environment"]["quant_stg"] == {"parameters": [{"name": "threshold", "default": "0.01"}]}
    assert signal["tasks"][0]["spark_python_task"]["parameters"][9] == "{{job.parameters.snowflake_schema}}"
    for name, envs in estate.style.more.items():
        only = yaml.safe_load((files[0].parent / f"{name}.yml").read_text())
        assert only["per_environment"] == dict.fromkeys(sorted(set(ENVS) - set(envs)))


def _drift_is_the_leftovers(estate: Estate, env: str) -> None:
    """Exactly what was listed as left alone: grants, ACLs, secrets and owners of tables."""
    done = estate.quantctl("drift", env, "--format", "json")
    assert done.returncode == 2, done.stdout + done.stderr
    [report] = json.loads(done.stdout)["environments"]
    decided = yaml.safe_load((estate.project / "adoption" / env / "decisions.yaml").read_text())["leftovers"]
    listed = {pair for entry in decided if entry["decision"] == "leave" for pair in _left(entry, f"QUANT.{env.upper()}")}
    found = {(one["resource"], one["property"]) for one in report["findings"]}
    assert found == listed and {one["class"] for one in report["findings"]} == {"drift"}


def _left(entry: dict[str, Any], schema: str) -> Iterator[tuple[str, str]]:
    """A leftover as drift names it: resource and property."""
    what, names = str(entry["what"]), [str(one) for one in entry.get("of", [])]
    if match := re.fullmatch(r"grants of (role|user) (\S+)", what):
        for grant in names:
            privilege, _, on = grant.partition(" on ")
            kind, _, name = on.removeprefix("future ").partition(" ")
            resource = f"future {kind}s of {name}" if on.startswith("future ") else f"{kind} {name}"
            yield resource, f"{privilege} for {match[1]} {match[2]}"
    elif match := re.fullmatch(r"ACL of (\S+) on (secret scope \S+)", what):
        yield match[2], f"ACL of {match[1]}"
    elif match := re.fullmatch(r"key in (secret) scope (\S+)", what):
        yield from ((f"secret {match[2]}/{name}", "value") for name in names)
    elif match := re.fullmatch(r"other secrets of scope (\S+)", what):
        yield from ((f"secret {match[1]}/{name}", "") for name in names)
    elif match := re.fullmatch(r"tables and views of (\S+)", what):
        yield from ((f"table {schema}.{name}", f"OWNERSHIP for role {match[1]}") for name in names)


def _nobody_got_more(estate: Estate) -> None:
    """In production what could be kept was kept: the settings narrow the access of those who had none."""
    said = yaml.safe_load((estate.project / "Pulumi.quant_live.yaml").read_text())["config"]["quant:access"]
    assert said["releaseManagers"]["schema"] == "none" and said["support"]["folder"] == "none"
    rows = estate.sql("SHOW GRANTS OF DATABASE ROLE QUANT.QUANT_LIVE_READER")[0]
    assert "QUANT_RELEASE_MANAGERS" not in str(rows)


def _promote(estate: Estate) -> None:
    """The next promotion is an ordinary one: the branch moves forward, and the stack follows."""
    team = estate.team
    team.git("fetch", "-q", "origin")
    team.git("checkout", "-q", "-B", "quant_stg", "origin/quant_stg")
    team.git("merge", "-q", "--ff-only", "origin/quant")
    team.git("push", "-q", "origin", "quant_stg")
    done = estate.quantctl("up", "quant_stg", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 updated" in done.stdout
    assert team.git_folder("/pipelines/quant_stg").head_commit_id == team.git("rev-parse", "origin/quant")
