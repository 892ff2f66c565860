"""Whom a forge's word is believed: vetoes, sign-offs, authors, who makes records; in the sandbox's GitLab."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.gitlab import protected_branch, protected_tags
from infra.vocabulary import Environment
from quantctl.errors import UserError
from quantctl.forge import Approvals, Verdict, connect
from tests.forge_world import World, authenticated

pytest_plugins = ["tests.forge_world"]
OLD = "origin/quant_live"


def test_what_holds_a_merge_request_back_is_told(world: World) -> None:
    """A draft, an approval that was withdrawn, a closed one; and what was approved before it was closed counts no more."""
    head = world.branch("held", "quant_lr", "held\n")
    dana, ravi, rhea = (world.forge(who) for who in ("dana", "ravi", "rhea"))
    asked = ("held", "quant_lr", head)
    assert rhea.vetoes(*asked) == []
    request = dana.open_merge_request("held", "quant_lr", "A change", "why")
    theirs = world.project("ravi").mergerequests.get(request.number)
    theirs.title = "Draft: not yet"
    theirs.save()
    assert [f"{request.url} is a draft: mark it as ready"] == rhea.vetoes(*asked)
    assert rhea.open_merge_request("held", "quant_lr", "A change", "why").title == "Draft: not yet"
    theirs.title = "A change"
    theirs.save()
    ravi.approve(*asked, "", set())
    theirs.unapprove()
    [veto] = rhea.vetoes(*asked)
    assert veto.startswith(f"Ravi (@ravi) has withdrawn the approval of {request.url}")
    ravi.approve(*asked, "", set())
    assert rhea.vetoes(*asked) == [] and rhea.approvals(*asked, set()).given
    world.project("ada").mergerequests.get(request.number).approve()
    assert [one.by for one in rhea.approvals(*asked, set()).given] == ["Ravi (@ravi)"]
    assert "Ada (@ada)" in rhea.approvals(*asked, set()).void[0]  # she may, and is in no group that approves
    world.project("ada").mergerequests.get(request.number).unapprove()
    world.project("ada").mergerequests.get(request.number).approve()
    theirs.state_event = "close"
    theirs.save()
    assert [f"{request.url} was closed by Ravi: reopen it, or push another commit"] == rhea.vetoes(*asked)
    assert rhea.approvals(*asked, set()) == Approvals()
    theirs.state_event = "reopen"
    theirs.save()
    assert rhea.vetoes(*asked) == []
    assert rhea.approvals(*asked, set()).given == ()
    assert any("before the merge request was closed and reopened" in why for why in rhea.approvals(*asked, set()).void)
    theirs.unapprove()
    other = world.branch("held", "quant_lr", "another\n")
    assert rhea.vetoes("held", "quant_lr", other) == []  # a push begins anew


def test_a_tester_signs_off_by_a_comment(world: World) -> None:
    """A Reporter, who cannot push a tag; by nobody else, for no other commit, and not once somebody has edited it."""
    commit = world.git("rev-parse", "origin/quant_stg")
    uma, rhea = world.forge("uma", "quant_stg"), world.forge("rhea", "quant_stg")
    with pytest.raises(UserError, match="may not sign quant_stg off"):
        rhea.sign_off("quant_stg", commit, "Uma Tester", "the numbers agree", 0)
    made = uma.sign_off("quant_stg", commit, "", "the numbers agree", 0)
    assert rhea.sign_offs("quant_stg", commit) == [made]
    assert (made.by, made.note, made.commit) == ("Uma (@uma)", "the numbers agree", commit)
    assert rhea.sign_offs("quant_lr", commit) == rhea.sign_offs("quant_stg", world.git("rev-parse", OLD)) == []
    others = world.project("dana").commits.get(commit).discussions
    others.create({"body": "Signed off for quant_stg\n\nme too"})
    assert rhea.sign_offs("quant_stg", commit) == [made]
    tag = f"signoff/quant_stg/{commit[:12]}/uma"
    world.git("tag", "-a", "-m", "Signed off by Uma\n\nfine", tag, commit, who="uma")
    world.git("push", "-q", "origin", f"refs/tags/{tag}")
    assert rhea.sign_offs("quant_stg", commit) == [made]
    [thread] = [
        one for one in world.project("ada").commits.get(commit).discussions.list() if "numbers" in str(one.attributes)
    ]
    note = thread.attributes["notes"][0]["id"]
    url = f"/projects/1/repository/commits/{commit}/discussions/{thread.id}/notes/{note}"
    world.project("ada").manager.gitlab.http_put(url, post_data={"body": "Signed off for quant_stg\n\nall is well"})
    assert rhea.sign_offs("quant_stg", commit) == []


def test_authors_are_known_by_a_push_rule_or_by_word(world: World) -> None:
    """Author and committer are free text else; the rule holds a committer to their own address."""
    environ = world.environ("rhea")
    unknown = world.forge("rhea").knows_authors()
    assert unknown.verdict is Verdict.UNKNOWN and "commit_committer_check" in unknown.evidence
    assert world.forge("dana").knows_authors().verdict is Verdict.UNKNOWN  # may not see the rule
    told = world.settings(environ)
    assert told.gitlab is not None
    trusting = told.model_copy(update={"gitlab": told.gitlab.model_copy(update={"authors": "trusted"})})
    assert connect(trusting, environ).knows_authors().verdict is Verdict.YES
    rule = world.project("rhea")
    rule.pushrules.create({"commit_committer_check": True})
    try:
        assert world.forge("rhea").knows_authors().verdict is Verdict.YES
        world.git("fetch", "-q", "origin")
        world.git("checkout", "-q", "-B", "disguised", "origin/quant")
        world.git("-c", "user.email=otto@elsewhere.example", "commit", "-q", "--allow-empty", "-m", "Tidy up")
        refused = world.git("push", authenticated(world, "dana"), "HEAD:refs/heads/disguised", must=False)
        assert "only push commits if the committer email" in refused
    finally:
        rule.manager.gitlab.http_put("/projects/1/push_rule", post_data={"commit_committer_check": False})


def test_records_are_made_by_those_alone_whom_the_tags_are_protected_for(world: World) -> None:
    """Unknown until the stack protects them, and where a wider protection lets others in; then nobody else makes one."""
    forge = world.forge("rhea", "quant")
    unknown = forge.vouches_for("deployment", "quant")
    assert unknown.verdict is Verdict.UNKNOWN and "developers may" in unknown.evidence
    project, settings = world.project("ada"), world.settings(world.environ("ada"), "quant")
    protected_branch.apply(project.manager.gitlab, project, settings.protection)
    try:
        assert forge.vouches_for("deployment", "quant").verdict is Verdict.YES
        for kind in ("deployment", "promotion", "signoff", "approval"):
            name = f"refs/tags/{kind}/quant/forged"
            assert "not allowed" in world.git("push", authenticated(world, "dana"), f"HEAD:{name}", must=False)
        wide = project.protectedtags.create({"name": "deploy*", "create_access_level": 30})
        assert "developers" in forge.vouches_for("deployment", "quant").evidence
        assert forge.vouches_for("deployment", "quant").verdict is Verdict.UNKNOWN
        assert forge.vouches_for("promotion", "quant").verdict is Verdict.YES
        wide.delete()
        project.protectedtags.create({"name": "v*", "create_access_level": 30})
        assert forge.vouches_for("deployment", "quant").verdict is Verdict.YES
        bot = replace(settings.protection, recorders=("@quant-deployer",))
        found = protected_branch.apply(project.manager.gitlab, project, bot)
        assert found.protection.recorders == ("@quant-deployer",)
    finally:
        protected_branch.remove(project, "quant")
        protected_tags.remove(project, [*settings.protection.record_tags, "v*"])


def test_four_environments_in_one_project_twice(world: World) -> None:
    """Each has approval rules of its own with groups: "any approver" is one a project."""
    project = world.project("ada")
    wanted = {env: world.settings(world.environ("ada"), env).protection for env in Environment}
    try:
        for _ in range(2):
            for env, protection in wanted.items():
                found = protected_branch.apply(project.manager.gitlab, project, protection)
                assert found == protected_branch.Found(protection), env
        rules = {rule.name: rule for rule in project.approvalrules.list(get_all=True)}
        assert rules.keys() == {f"quant: {env}" for env in Environment if env is not Environment.DEV}
        for rule in rules.values():
            assert rule.rule_type == "regular"
            assert [group["path"] for group in rule.groups] == ["quant-reviewers", "quant-release-managers"]
        # A rule of an earlier version, which names nobody, is made again.
        rules["quant: quant_stg"].delete()
        project.approvalrules.create({"name": "quant: quant_stg", "approvals_required": 1})
        protected_branch.apply(project.manager.gitlab, project, wanted[Environment.STAGING])
    finally:
        for protection in wanted.values():
            protected_branch.remove(project, protection.branch)
            protected_tags.remove(project, protection.record_tags)
