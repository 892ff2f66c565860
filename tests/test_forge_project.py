"""Everything of the API but merge requests: who, branches, tags, protections, rules, issues, notes, labels."""

from __future__ import annotations

import pytest
from gitlab.exceptions import GitlabAuthenticationError, GitlabCreateError, GitlabError, GitlabUpdateError

from sandbox import identities
from tests.forge_sandbox import Forge

pytest_plugins = ("tests.forge_sandbox",)


def test_who_calls(forge: Forge) -> None:
    """Each person has a token of their own; a wrong one is 401, and so is none."""
    client = forge.client("quant-deployer")
    client.auth()
    assert client.user is not None
    assert (client.user.username, client.user.bot) == ("quant-deployer", True)
    assert client.version()[0].startswith("17.")
    client = forge.client("dana")
    client.private_token = "glpat-wrong"
    client._set_auth_info()
    with pytest.raises(GitlabAuthenticationError):
        client.auth()
    assert forge.http("GET", "/user", None).json() == {"message": "401 Unauthorized"}
    bearer = {"Authorization": f"Bearer {forge.state.gitlab_tokens()['ravi']}"}
    assert forge.http("GET", "/user", None, headers=bearer).json()["username"] == "ravi"


def test_tokens_are_kept_hashed(forge: Forge) -> None:
    """Plain only in the owner's file: not in the database, nor in its journal."""
    kept = b"".join(path.read_bytes() for path in forge.state.folder.glob("forge.db*"))
    assert not any(token.encode() in kept for token in forge.state.gitlab_tokens().values())


def test_an_unknown_path_names_itself(forge: Forge) -> None:
    """What is not emulated is told; so is a project that there is not."""
    answer = forge.http("GET", "/projects/1/pipelines")
    assert answer.status_code == 404
    assert "GET /api/v4/projects/1/pipelines" in answer.json()["error"]
    assert forge.http("GET", "/projects/quant%2Fother").json() == {"message": "404 Project Not Found"}
    assert forge.http("PATCH", "/projects/1").status_code == 405


def test_roles_of_the_personas(forge: Forge) -> None:
    """Members and their levels, and the groups of the personas."""
    project = forge.project()
    levels = {member.username: member.access_level for member in project.members_all.list(get_all=True)}
    expected = {person.key: person.gitlab_level for person in identities.PEOPLE}
    assert levels == expected | {"quant-deployer": 40}
    assert (levels["dana"], levels["ravi"], levels["rhea"], levels["ada"]) == (30, 30, 40, 50)
    assert project.permissions["project_access"]["access_level"] == 30
    groups = {group.path for group in forge.client("dana").groups.list(get_all=True)}
    assert {person.group for person in identities.PEOPLE if person.group} <= groups


def test_lists_have_pages(forge: Forge) -> None:
    """python-gitlab goes through them by the Link header."""
    project = forge.project()
    few = [branch.name for branch in project.branches.list(iterator=True, per_page=1)]
    assert few == [branch.name for branch in project.branches.list(get_all=True)]
    assert len(few) >= 4
    answer = forge.http("GET", "/projects/1/repository/branches?per_page=1&page=2")
    assert (answer.headers["X-Page"], answer.headers["X-Per-Page"], answer.headers["X-Next-Page"]) == ("2", "1", "3")
    assert forge.http("GET", "/projects/1/labels?per_page=no").status_code == 400


def test_branches_commits_and_comparisons(forge: Forge) -> None:
    """As git has them; a branch with a slash too."""
    project = forge.project()
    assert project.branches.get("quant").commit["id"] == forge.head("quant")
    compared = project.repository_compare("quant_stg", "quant")
    assert compared["commits"][-1]["id"] == forge.head("quant")
    assert {diff["new_path"] for diff in compared["diffs"]} == {
        "OWNERS.md",
        "changes/window-20.yaml",
        "src/factor_returns.py",
    }
    assert project.repository_compare("quant", "quant_stg")["commits"] == []
    name = f"feature/{forge.name('branch')}"
    made = project.branches.create({"branch": name, "ref": "quant_live"})
    assert project.branches.get(name).commit["id"] == forge.head("quant_live")
    with pytest.raises(GitlabCreateError, match="Branch already exists"):
        project.branches.create({"branch": name, "ref": "quant"})
    made.delete()
    assert forge.http("GET", f"/projects/1/repository/branches/{name.replace('/', '%2F')}").status_code == 404
    assert forge.http("GET", "/projects/1/repository/commits/quant~1").status_code == 404
    assert forge.http("DELETE", "/projects/1/repository/branches/quant", "ada").status_code == 405


def test_tags_keep_their_message_and_tagger(forge: Forge) -> None:
    """Annotated by the API, read by git; made once."""
    project, name = forge.project("rhea"), f"signoff/{forge.name('tag')}"
    text = "Signed off\n\n# not a comment\nby: uma"
    made = project.tags.create({"tag_name": name, "ref": "quant_stg", "message": text})
    assert (made.message, made.commit["id"], made.protected) == (text, forge.head("quant_stg"), True)
    assert "tagger Rhea <rhea@quant.example>" in forge.must(forge.state.remote, "cat-file", "tag", name)
    assert [tag.name for tag in project.tags.list(search="^signoff/", get_all=True)].count(name) == 1
    with pytest.raises(GitlabCreateError, match="already exists"):
        project.tags.create({"tag_name": name, "ref": "quant", "message": "Another"})
    with pytest.raises(GitlabCreateError) as error:
        forge.project("uma").tags.create({"tag_name": forge.name("tag"), "ref": "quant"})
    assert error.value.response_code == 403


def test_protection_as_code(forge: Forge) -> None:
    """Created, read, changed and deleted by who maintains; levels are added and taken by id."""
    project, name = forge.project("quant-deployer"), f"{forge.name('line')}/*"
    made = project.protectedbranches.create({"name": name, "push_access_level": 0, "merge_access_level": 40})
    assert [level["access_level"] for level in made.push_access_levels] == [0]
    with pytest.raises(GitlabCreateError) as error:
        project.protectedbranches.create({"name": name})
    assert (error.value.response_code, error.value.error_message) == (409, f"Protected branch '{name}' already exists")
    [old] = made.merge_access_levels
    rhea = next(member.id for member in project.members_all.list(get_all=True) if member.username == "rhea")
    changes = [{"id": old["id"], "_destroy": True}, {"user_id": rhea}]
    project.protectedbranches.update(name, {"allowed_to_merge": changes, "allow_force_push": True})
    read = project.protectedbranches.get(name)
    assert ([level["user_id"] for level in read.merge_access_levels], read.allow_force_push) == ([rhea], True)
    for who, status in (("dana", 403), ("uma", 403)):
        with pytest.raises(GitlabError) as refused:
            forge.project(who).protectedbranches.delete(name)
        assert refused.value.response_code == status
    for wrong in ({"push_access_level": 7}, {"allowed_to_push": [{"user_id": 999}]}):
        with pytest.raises(GitlabCreateError) as bad:
            project.protectedbranches.create({"name": "other", **wrong})
        assert bad.value.response_code in (400, 422)
    read.delete()
    assert name not in [one.name for one in project.protectedbranches.list(get_all=True)]


def test_approval_rules_and_settings(forge: Forge) -> None:
    """For who maintains; a rule for nobody in particular there is once."""
    project = forge.project("rhea")
    rule = project.approvalrules.create({"name": forge.name("rule"), "approvals_required": 2, "user_ids": [2]})
    assert [user["username"] for user in rule.eligible_approvers] == ["ravi"]
    rule.approvals_required = 1
    rule.save()
    assert project.approvalrules.get(rule.id).approvals_required == 1
    anybody = project.approvalrules.create({"name": "Anybody", "approvals_required": 0})
    assert anybody.rule_type == "any_approver"
    with pytest.raises(GitlabCreateError, match="already exists"):
        project.approvalrules.create({"name": "Anybody else", "approvals_required": 1})
    for one in (rule, anybody):
        one.delete()
    settings = project.approvals.get()
    assert (settings.reset_approvals_on_push, settings.merge_requests_author_approval) == (True, False)
    with pytest.raises(GitlabUpdateError) as error:
        forge.project("dana").approvals.update(new_data={"reset_approvals_on_push": False})
    assert error.value.response_code == 403


def test_issues_are_opened_once_and_closed(forge: Forge) -> None:
    """What drift does: found by label and state, its text replaced, a note, closed."""
    project, label = forge.project("quant-deployer"), forge.name("drift")
    issue = project.issues.create({"title": "Drift in quant_lr", "description": "First", "labels": [label, "urgent"]})
    [found] = project.issues.list(state="opened", labels=[label], get_all=True)
    assert (found.iid, found.author["username"]) == (issue.iid, "quant-deployer")
    found.description = "Second"
    found.save()
    note = found.notes.create({"body": "Still there"})
    assert [one.body for one in found.notes.list(get_all=True)] == ["Still there"]
    found.state_event = "close"
    found.save()
    assert project.issues.list(state="opened", labels=[label], get_all=True) == []
    closed = project.issues.get(issue.iid)
    assert (closed.state, closed.description) == ("closed", "Second")
    assert closed.attributes["closed_by"]["username"] == "quant-deployer"
    assert project.issues.list(search="drift in QUANT_LR", state="closed", labels=["urgent"], get_all=True)
    guest = forge.project("eddie").issues.get(issue.iid)
    guest.description = "Mine"
    with pytest.raises(GitlabUpdateError) as error:
        guest.save()
    assert error.value.response_code == 403
    note.delete()


def test_a_note_is_its_authors(forge: Forge) -> None:
    """One note of the preview is replaced, not repeated; others may not change it, who maintains may."""
    source, target = forge.branches()
    body = {"source_branch": source, "target_branch": target, "title": "Notes"}
    iid = forge.project().mergerequests.create(body).iid
    note = forge.project("ravi").mergerequests.get(iid).notes.create({"body": "<!-- preview -->\nfirst"})
    note.body = "<!-- preview -->\nsecond"
    note.save()
    request = forge.project().mergerequests.get(iid)
    assert [one.body for one in request.notes.list(get_all=True)] == ["<!-- preview -->\nsecond"]
    other = request.notes.get(note.id)
    other.body = "mine"
    with pytest.raises(GitlabUpdateError):
        other.save()
    forge.project("rhea").mergerequests.get(iid).notes.delete(note.id)
    assert request.notes.list(get_all=True) == []


def test_labels(forge: Forge) -> None:
    """Made for who may plan."""
    name = forge.name("label")
    forge.project("sam").labels.create({"name": name, "color": "#112233"})
    assert name in [label.name for label in forge.project().labels.list(get_all=True)]
    with pytest.raises(GitlabCreateError) as error:
        forge.project("eddie").labels.create({"name": forge.name("label"), "color": "#112233"})
    assert error.value.response_code == 403
