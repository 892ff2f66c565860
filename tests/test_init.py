"""`quantctl init`: a team's own project, which the engine runs and which holds nothing of the sandbox."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.four_stacks import need_different
from infra.settings import read_settings
from infra.vocabulary import Environment, Persona
from quantctl.init import answers
from quantctl.init.files import files
from quantctl.stack_settings import stack_settings
from tests.conftest import Team
from tests.paths import ROOT

ANSWERS: dict[str, Any] = {
    "remote": "https://forge.acme.test/research/pipelines.git",
    "gitProvider": "gitHub",
    "databricksHost": "https://adb-1.azuredatabricks.test",
    "account": "ACME-PROD",
    "database": "RESEARCH",
    "warehouse": "RESEARCH_WH",
    "deployer": "aaaaaaaa-0000-4000-8000-0000000000d0",
    "servicePrincipals": {env: f"aaaaaaaa-0000-4000-8000-{number:012d}" for number, env in enumerate(Environment, start=1)},
    "mailDomains": ["acme.test"],
}


def said(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "quantctl.main", "init", *arguments]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"}
    )


def written(folder: Path, **changed: Any) -> Path:
    given = yaml.safe_dump(
        {**ANSWERS, "servicePrincipals": {str(k): v for k, v in ANSWERS["servicePrincipals"].items()}} | changed
    )
    (folder / "answers.yaml").write_text(given)
    answer = said(str(folder / "team"), "--answers", str(folder / "answers.yaml"))
    assert answer.returncode == 0, answer.stderr
    return folder / "team"


def test_the_settings_are_the_teams_and_nothing_of_the_sandbox_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = written(tmp_path, groups="research", gitlab={"url": "https://gitlab.acme.test", "project": "research/pipelines"})
    everything = "".join(path.read_text() for path in team.rglob("*") if path.is_file())
    sandbox = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", (ROOT / "Pulumi.yaml").read_text()))
    for value in (*sandbox, "00000000-0000", "SANDBOX", "quant.example", "encryptionsalt", "QUANT_WH"):
        assert value not in everything
    monkeypatch.setenv("QUANT_PROJECT", str(team))
    for env in Environment:
        found = stack_settings(env, {})
        assert (found.remote, found.account, found.service_principal) == (
            ANSWERS["remote"],
            "ACME-PROD",
            ANSWERS["servicePrincipals"][env],
        )
        assert found.names(Persona.UAT_TESTERS).group == "research-uat-testers"
        assert found.gitlab is not None and found.gitlab.project == "research/pipelines"
        config = yaml.safe_load((team / f"Pulumi.{env}.yaml").read_text())["config"]
        need_different(env, config, team)
    assert yaml.safe_load((team / "policy" / "allowed.yaml").read_text())["mail_domains"] == ["acme.test"]


def test_a_shell_that_sources_it_works_on_the_team_s_project_from_any_folder(tmp_path: Path) -> None:
    team = written(tmp_path)
    script = f'. {team}/cloud.env && cd / && echo "$QUANT_PROJECT $SNOWFLAKE_ACCOUNT_NAME $DATABRICKS_HOST"'
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert found == [str(team), "PROD", "https://adb-1.azuredatabricks.test"]


def test_what_is_missing_is_listed_and_nothing_is_written(tmp_path: Path) -> None:
    answer = said(str(tmp_path / "team"), "--set", "database=RESEARCH")
    assert answer.returncode == 1
    assert "servicePrincipals.quant_live" in answer.stderr and "  database" not in answer.stderr
    assert "--template" in answer.stderr
    assert not (tmp_path / "team").exists()


def test_the_template_is_what_can_be_filled_in(tmp_path: Path) -> None:
    template = yaml.safe_load(said(str(tmp_path), "--template").stdout)
    assert {question.key.split(".")[0] for question in answers.QUESTIONS} == set(template)
    template.update({**ANSWERS, "servicePrincipals": {str(k): v for k, v in ANSWERS["servicePrincipals"].items()}})
    assert answers.answers(template).database == "RESEARCH"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("deployer", "x", "application id"),
        ("account", "PROD", "ACME-PROD"),
        ("databricksHost", "http://plain.test", "https://"),
        ("remote", "", "remote"),
        ("servicePrincipals.quant", ANSWERS["deployer"], "of its own"),
        ("servicePrincipals.quant_stg", ANSWERS["servicePrincipals"][Environment.LIVE], "of its own"),
        ("mailDomains", "everybody", "mail domain"),
        ("databse", "X", "databse"),
    ],
)
def test_a_wrong_answer_is_told_and_nothing_is_written(tmp_path: Path, key: str, value: str, words: str) -> None:
    (tmp_path / "answers.yaml").write_text(
        yaml.safe_dump({**ANSWERS, "servicePrincipals": {str(k): v for k, v in ANSWERS["servicePrincipals"].items()}})
    )
    answer = said(str(tmp_path / "team"), "--answers", str(tmp_path / "answers.yaml"), "--set", f"{key}={value}")
    assert answer.returncode == 1
    assert words in answer.stderr and "Traceback" not in answer.stderr
    assert not (tmp_path / "team").exists()


def test_neither_the_checkout_nor_a_project_is_written_over(tmp_path: Path) -> None:
    assert "quant's own checkout" in said(str(ROOT)).stderr
    team = written(tmp_path)
    before = (team / "Pulumi.yaml").read_text()
    assert "holds a project already" in said(str(team)).stderr
    assert (team / "Pulumi.yaml").read_text() == before


def test_what_was_cut_short_is_begun_again(tmp_path: Path) -> None:
    """Pulumi.yaml, which makes a project of a folder, is written last."""
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "policy").touch()  # where a folder belongs
    with pytest.raises(AssertionError):
        written(tmp_path)
    assert not (tmp_path / "team" / "Pulumi.yaml").exists()
    (tmp_path / "team" / "policy").unlink()
    assert (written(tmp_path) / "Pulumi.yaml").exists()


def test_the_engine_runs_the_project_with_the_checkout_s_code(team: Team, tmp_path: Path) -> None:
    """Sandbox values in a folder of their own: nothing differs from the checkout's own stack, with pulumi and quantctl."""
    shared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    principals = {env: stack_settings(env, team.environ).service_principal for env in Environment}
    said_so = answers.answers(
        {
            **ANSWERS,
            **{key: shared[key] for key in ("database", "warehouse", "account", "gitProvider", "deployer")},
            "servicePrincipals": principals,
            "mailDomains": ["quant.example"],
        }
    )
    project = tmp_path / "project"
    for name, content in files(said_so, Path(os.path.relpath(ROOT, project))).items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(content)
    for env in Environment:  # what encrypts the state of the sandbox, and what its stack says beyond a team's first settings
        own = yaml.safe_load((ROOT / f"Pulumi.{env}.yaml").read_text())
        written_so = yaml.safe_load((project / f"Pulumi.{env}.yaml").read_text())
        (project / f"Pulumi.{env}.yaml").write_text(yaml.safe_dump(own | {"config": own["config"] | written_so["config"]}))
    for words in (
        [
            "pulumi",
            "preview",
            "-s",
            "quant",
            "--expect-no-changes",
            "--non-interactive",
            "--policy-pack",
            str(ROOT / "policy"),
        ],
        [sys.executable, "-m", "quantctl.main", "preview", "quant"],
    ):
        environ = {**team.environ, "QUANT_PROJECT": str(project)}
        done = subprocess.run(words, cwd=project, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    no_project = {key: value for key, value in team.environ.items() if key != "QUANT_PROJECT"}
    other = project / "Pulumi.quant.yaml"
    other.write_text(other.read_text().replace(principals[Environment.DEV], "aaaaaaaa-0000-4000-8000-000000000001"))
    words = ["pulumi", "preview", "-s", "quant", "--non-interactive", "--policy-pack", str(ROOT / "policy")]
    done = subprocess.run(words, cwd=project, env=no_project, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "set QUANT_PROJECT" in done.stdout + done.stderr


def test_settings_are_read_as_the_engine_hands_them_over(tmp_path: Path) -> None:
    team = written(tmp_path)
    shared = yaml.safe_load((team / "Pulumi.yaml").read_text())["config"]
    own = yaml.safe_load((team / "Pulumi.quant_live.yaml").read_text())["config"]
    config = {f"quant:{key}": value for key, value in shared.items()} | own
    texts = {key: value if isinstance(value, str) else __import__("json").dumps(value) for key, value in config.items()}
    assert read_settings("quant_live", texts, {}).database == "RESEARCH"
