"""Branch protection as code: declared with the stack, seen in previews and in drift, and its token in no state."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import gitlab
import pytest
from gitlab.v4.objects import Project

from infra.branch_protection import COMPARED, RECORDS, ProtectionChanges, differences, protection_of
from infra.errors import UserError
from infra.gitlab.access_levels import as_entry
from infra.gitlab.protected_branch import changes
from infra.promotion import EDGES, GateChanges, gates_of
from infra.settings import read_settings
from infra.vocabulary import Environment
from sandbox.state import State
from tests.conftest import Team
from tests.paths import ROOT

PROJECT = "quant/pipelines"
ALONE = ("--target", "**branch-protection")  # what is not asked for costs nothing
MANAGERS = "quant-release-managers"


@pytest.mark.parametrize("env", list(Environment))
def test_every_edge_into_a_branch_can_be_merged(env: Environment) -> None:
    """GitLab asks for no more approvals than the easiest edge; where changes come by merge request, nobody pushes."""
    found = protection_of(env, None, {}, MANAGERS)
    into = [gates_of(edge, {}) for edge in EDGES if edge.target is env]
    assert all(found.approvals <= gates.approvals for gates in into)
    assert found.pushers == (("noOne",) if into else ("developers",))


def test_the_protection_follows_the_gates() -> None:
    """One approval more on both edges is one more at the forge; on one edge it is the gate's alone."""
    one = {"quant_lr -> quant_live": GateChanges.model_validate({"approvals": 2})}
    both = {**one, "quant_stg -> quant_live": GateChanges.model_validate({"approvals": 3})}
    usual = protection_of(Environment.LIVE, None, {}, MANAGERS)
    assert (usual.mergers, usual.approvals) == ((MANAGERS,), 1)
    assert protection_of(Environment.LIVE, None, both, MANAGERS).approvals == 2
    open_edge = {"quant_lr -> quant_live": GateChanges.model_validate({"approvals": 1})}
    assert protection_of(Environment.LIVE, None, open_edge, MANAGERS).approvals == 1
    staging = protection_of(Environment.STAGING, ProtectionChanges.model_validate({"approvals": 2}), {}, MANAGERS)
    assert (staging.mergers, staging.approvals) == (("developers",), 2)
    assert staging.approvers == usual.approvers == (MANAGERS, "quant-reviewers")
    assert staging.record_tags[:2] == ("deployment/quant_stg/*", "promotion/quant_stg/*")
    assert protection_of(Environment.DEV, None, {}, MANAGERS).approvers == ()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"pushers": ["maintainers"]}, "pushers: found maintainers, allowed is noOne"),
        ({"mergers": ["developers"]}, "mergers: found developers, allowed are paths of groups"),
        ({"approvals": 0}, "approvals: found 0"),
    ],
)
def test_quant_live_is_not_opened(said: dict[str, object], words: str) -> None:
    """A stack file that would is refused with file and key."""
    with pytest.raises(UserError, match=words) as told:
        protection_of(Environment.LIVE, ProtectionChanges.model_validate(said), {}, MANAGERS)
    assert "Pulumi.quant_live.yaml: quant:branchProtection." in str(told.value)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("gitlab", '{"url": "https://me:hunter2@gitlab.example", "project": "a/b"}', "without user name is expected"),
        ("gitlab", '{"url": "https://gitlab.example"}', "QUANT_GITLAB_PROJECT"),
        ("gitlab", '{"url": "https://gitlab.example", "project": "a b"}', "quant/pipelines"),
        ("branchProtection", '{"pushers": ["noOne", "developers"]}', "noOne alone"),
        ("branchProtection", '{"reviewers": 1}', "allowed are approvals, approvers, mergers, pushers"),
        ("branchProtection", '{"approvers": ["developers"]}', "paths of groups are expected"),
        ("gitlab", '{"url": "https://gitlab.example", "project": "a/b", "authors": "known"}', "'checked' or 'trusted'"),
    ],
)
def test_a_wrong_setting_is_told(key: str, value: str, words: str) -> None:
    """With an example of a good one, and without the password that may stand in it."""
    usual = {
        "quant:branch": "quant_stg", "quant:folder": "/quant_stg", "quant:schema": "quant_stg", "quant:database": "Q",
        "quant:warehouse": "W", "quant:account": "A-B", "quant:deployer": "00000000-0000-4000-8000-0000000000d0",
        "quant:servicePrincipal": "00000000-0000-4000-8000-000000000002",
    }  # fmt: skip
    with pytest.raises(UserError, match=words) as told:
        read_settings("quant_stg", {**usual, f"quant:{key}": value}, {"QUANT_REMOTE": "http://x.example/p.git"})
    assert "hunter2" not in str(told.value)


def test_what_somebody_weakened_is_a_difference() -> None:
    """Each part of a protection, with what was declared and what is there; a float that is equal is none."""
    declared = {"pushers": ["noOne"], "mergers": [MANAGERS], "approvals": 1, "approvers": ["quant-reviewers"],
                "forcePush": False, "recorders": ["maintainers"]}  # fmt: skip
    assert differences(declared, {**declared, "approvals": 1.0, "branch": "x"}) == []
    for key, value in (("pushers", ["developers"]), ("approvals", 0), ("approvers", []), ("forcePush", True),
                       ("recorders", ["developers"])):  # fmt: skip
        assert differences(declared, {**declared, key: value}) == [(key, declared[key], value)]
    assert [key for key, _, _ in differences(declared, {})] == list(COMPARED)


def test_a_change_in_place_leaves_no_gap() -> None:
    """What is wanted stays, what is not goes by its id, what is missing comes; a group's level is not its own."""
    there: list[dict[str, int | None]] = [
        {"id": 1, "access_level": 0, "group_id": None},
        {"id": 2, "access_level": 40, "group_id": 7},
    ]
    assert changes(there, [{"group_id": 7}]) == [{"id": 1, "_destroy": True}]
    assert changes(there, [{"access_level": 0}, {"group_id": 8}]) == [{"id": 2, "_destroy": True}, {"group_id": 8}]
    assert as_entry({"id": 3, "access_level": 40, "user_id": 5}) == {"user_id": 5}


def test_a_preview_does_not_load_the_library() -> None:
    """python-gitlab is loaded in the provider's own process, when something is to be asked or changed."""
    program = (
        "import sys, infra.environment, infra.outside.preflight, quantctl.preview.show; sys.exit('gitlab' in sys.modules)"
    )
    assert subprocess.run([ROOT / ".venv" / "bin" / "python", "-c", program], cwd=ROOT, check=False).returncode == 0


def forge(team: Team, who: str) -> dict[str, str]:
    """GitLab mode as somebody."""
    url = team.environ["QUANT_REMOTE"].removesuffix("/remote.git")
    token = State(Path(team.environ["QUANT_SANDBOX"])).gitlab_tokens()[who]
    return {"QUANT_GITLAB_URL": url, "QUANT_GITLAB_PROJECT": PROJECT, "GITLAB_TOKEN": token}


def project(team: Team, who: str) -> Project:
    """python-gitlab as somebody."""
    environ = forge(team, who)
    return gitlab.Gitlab(environ["QUANT_GITLAB_URL"], private_token=environ["GITLAB_TOKEN"]).projects.get(PROJECT)


@pytest.mark.real
def test_the_protection_of_quant_live_is_declared_with_it(team: Team) -> None:
    """Previewed, made, kept against dana, seen when changed by hand, fixed; the token is in no state; retained."""
    environ = forge(team, "quant-deployer")
    preview = team.pulumi("preview", "--diff", "-s", "quant_live", "--policy-pack", str(ROOT / "policy"), **environ)
    assert preview.returncode == 0, preview.stdout
    for word in ("+ pulumi-python:dynamic/gitlab:BranchProtection: (create)", f'"{MANAGERS}"', '"noOne"', "approvals : 1"):
        assert word in preview.stdout, preview.stdout
    try:
        done = team.pulumi("up", "--yes", "--skip-preview", "-s", "quant_live", *ALONE, **environ)
        assert done.returncode == 0, done.stdout
        _refused_to_dana(team)
        admin = project(team, "ada")
        admin.protectedbranches.update("quant_live", {"allowed_to_push": [{"access_level": 30}]})
        [rule] = [rule for rule in admin.approvalrules.list(get_all=True) if rule.name == "quant: quant_live"]
        rule.delete()
        drift = team.pulumi("refresh", "--preview-only", "--diff", "-s", "quant_live", **environ)
        for word in ("BranchProtection: (update)", "approvals: 1 => 0", '"developers"'):
            assert word in drift.stdout.replace(" : ", ": "), drift.stdout
        told = json.loads(_drift(team, environ, 2))
        weakened = {
            found["property"]: (found["declared"], found["real"])
            for each in told["environments"]
            for found in each["findings"]
        }
        assert {"pushers", "approvals", "approvers"} <= weakened.keys(), told
        _drift(team, environ, 0, "--fix", "--yes")
        _refused_to_dana(team)
        admin.protectedbranches.update("quant_live", {"allowed_to_push": [{"access_level": 30}]})
        fixed = team.pulumi("up", "--refresh", "--yes", "--skip-preview", "-s", "quant_live", *ALONE, **environ)
        assert fixed.returncode == 0, fixed.stdout
        _refused_to_dana(team)
        clean = team.pulumi("preview", "--refresh", "--expect-no-changes", "-s", "quant_live", *ALONE, **environ)
        assert clean.returncode == 0, clean.stdout
        state = Path(team.environ["QUANT_SANDBOX"]) / "pulumi"
        kept = [file for file in state.rglob("*") if file.is_file()]
        assert any(b"BranchProtection" in file.read_bytes() for file in kept)
        assert not [file for file in kept if b"glpat" in file.read_bytes()]
        changed = {**environ, "GITLAB_TOKEN": "glpat-wrong"}
        wrong = team.pulumi("refresh", "--preview-only", "-s", "quant_live", *ALONE, **changed)
        assert "Check GITLAB_TOKEN" in wrong.stdout and "Traceback" not in wrong.stdout + wrong.stderr, wrong.stdout
    finally:
        gone = team.pulumi("up", "--yes", "--skip-preview", "-s", "quant_live")
        assert gone.returncode == 0, gone.stdout
    assert [one.name for one in project(team, "ada").protectedbranches.list(get_all=True)] == ["quant_live"]
    _clear(team)


def _drift(team: Team, environ: dict[str, str], status: int, *more: str) -> str:
    done = team.quantctl("drift", "quant_live", "--format", "json", *more, **environ)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def _clear(team: Team) -> None:
    """What quant_live retains."""
    admin = project(team, "ada")
    for one in (*admin.protectedbranches.list(get_all=True), *admin.protectedtags.list(get_all=True)):
        one.delete()
    for rule in admin.approvalrules.list(get_all=True):
        rule.delete()


@pytest.mark.real
def test_four_stacks_are_deployed_into_one_project(team: Team) -> None:
    """Twice in a row, and nothing is left to change; each has its approval rule and the protection of its records."""
    environ = forge(team, "quant-deployer")
    try:
        for _ in range(2):
            for env in Environment:
                done = team.pulumi("up", "--yes", "--skip-preview", "-s", env, *ALONE, **environ)
                assert done.returncode == 0, (env, done.stdout)
        for env in Environment:
            same = team.pulumi("preview", "--refresh", "--expect-no-changes", "-s", env, *ALONE, **environ)
            assert same.returncode == 0, (env, same.stdout)
        admin = project(team, "ada")
        assert {one.name for one in admin.protectedbranches.list(get_all=True)} == set(Environment)
        rules = {rule.name: rule for rule in admin.approvalrules.list(get_all=True)}
        assert rules.keys() == {f"quant: {env}" for env in Environment if env is not Environment.DEV}
        assert {rule.rule_type for rule in rules.values()} == {"regular"}
        kept = {one.name for one in admin.protectedtags.list(get_all=True)}
        assert kept == {f"{kind}/{env}/*" for kind in RECORDS for env in Environment}
        admin.protectedtags.delete("deployment/quant_live/*")
        drift = team.pulumi("refresh", "--preview-only", "--diff", "-s", "quant_live", **environ)
        assert "BranchProtection: (update)" in drift.stdout and '"developers"' in drift.stdout, drift.stdout
    finally:
        for env in Environment:
            gone = team.pulumi("up", "--yes", "--skip-preview", "-s", env, GITLAB_TOKEN=environ["GITLAB_TOKEN"])
            assert gone.returncode == 0, gone.stdout
        _clear(team)


def _refused_to_dana(team: Team) -> None:
    team.git("fetch", "-q", "origin")
    team.git("checkout", "-q", "-B", "work", "origin/quant_live")
    team.git("commit", "-q", "--allow-empty", "-m", "Around the gates")
    url = team.environ["QUANT_REMOTE"].replace("//", f"//dana:{forge(team, 'dana')['GITLAB_TOKEN']}@")
    with pytest.raises(subprocess.CalledProcessError) as pushed:
        team.git("push", url, "HEAD:refs/heads/quant_live")
    assert "quant_live" in pushed.value.stderr
    dana = project(team, "dana")
    requests = dana.mergerequests
    found = requests.list(state="opened", source_branch="quant_stg", target_branch="quant_live", get_all=True)
    said = {"source_branch": "quant_stg", "target_branch": "quant_live", "title": "Release"}
    request = requests.get((found or [requests.create(said)])[0].iid)
    with pytest.raises(gitlab.exceptions.GitlabError, match="401"):
        request.merge()


@pytest.mark.real
def test_a_silent_gitlab_is_told_before_anything_is_tried(team: Team) -> None:
    """With the setting that points at it, and nothing declared."""
    environ = {**forge(team, "quant-deployer"), "QUANT_GITLAB_URL": "http://127.0.0.1:9"}
    done = team.pulumi("preview", "--json", "-s", "quant_stg", **environ)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "127.0.0.1:9 does not answer" in said and "QUANT_GITLAB_URL" in said and "Traceback" not in said
    assert not [s for s in json.loads(done.stdout or "{}").get("steps", []) if "Repo" in s["urn"]]
