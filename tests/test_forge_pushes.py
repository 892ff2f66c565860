"""Pushes over HTTP: who one is, and what is protected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.forge_sandbox import Forge

pytest_plugins = ("tests.forge_sandbox",)
_ZERO = "0" * 40


@pytest.fixture(scope="module")
def clone(forge: Forge) -> Path:
    """One clone for all tests here."""
    return forge.clone()


def test_anybody_pushes_to_what_is_not_protected(forge: Forge, clone: Path) -> None:
    """As in the README: no name, no token."""
    branch = forge.name("free")
    made = forge.commit(clone, branch, "quant", {"a": "1"})
    assert forge.head(branch) == made
    forge.must(clone, "push", "--quiet", "--force", "origin", f"origin/quant:refs/heads/{branch}")
    assert forge.head(branch) == forge.head("quant")


def test_the_projects_own_address_is_the_same_repository(forge: Forge, clone: Path) -> None:
    """http_url_to_repo of the API can be cloned."""
    url = forge.project().http_url_to_repo
    assert url.endswith("/quant/pipelines.git")
    assert forge.must(clone, "ls-remote", url, "refs/heads/quant").startswith(forge.head("quant"))


def test_a_wrong_token_is_refused_even_for_reading(forge: Forge, clone: Path) -> None:
    """401, and no fallback to nobody."""
    url = forge.endpoints.remote_url.replace("//", "//dana:glpat-wrong@")
    header = "http.extraHeader=Authorization: Basic ZGFuYTp3cm9uZw=="
    done = forge.git(clone, "-c", header, "ls-remote", url)
    assert done.returncode != 0
    assert "Authentication failed" in done.stderr or "could not read Username" in done.stderr


@pytest.mark.parametrize("who", ["dana", "uma"])
def test_a_protected_branch_takes_no_push_of_a_lower_role(forge: Forge, clone: Path, who: str) -> None:
    """In GitLab's words, and the branch stays."""
    branch = forge.name("guarded")
    before = forge.commit(clone, branch, "quant", {"a": "1"})
    with forge.protected(branch):
        forge.must(clone, "checkout", "--quiet", "--detach", before)
        forge.must(clone, "commit", "--quiet", "--allow-empty", "-m", "More")
        done = forge.git(clone, "push", "origin", f"HEAD:refs/heads/{branch}", who=who)
        assert done.returncode != 0
        assert "remote: GitLab: You are not allowed to push code to protected branches on this project." in done.stderr
        assert "pre-receive hook declined" in done.stderr
        assert forge.head(branch) == before
        after = forge.commit(clone, branch, branch, {"a": "2"}, who="rhea")
        assert forge.head(branch) == after


def test_nobody_is_asked_who_they_are(forge: Forge, clone: Path) -> None:
    """A push without a name to a protected branch: git asks for a user, and nothing moves."""
    branch = forge.name("guarded")
    before = forge.commit(clone, branch, "quant", {"a": "1"})
    with forge.protected(branch):
        forge.must(clone, "commit", "--quiet", "--allow-empty", "-m", "More")
        done = forge.git(clone, "push", "origin", f"HEAD:refs/heads/{branch}")
        assert done.returncode != 0
        assert "could not read Username" in done.stderr
        assert forge.head(branch) == before


def test_nobody_rewrites_or_deletes_a_protected_branch(forge: Forge, clone: Path) -> None:
    """Not even an owner, until allow_force_push says so."""
    branch = forge.name("guarded")
    before = forge.commit(clone, branch, "quant", {"a": "1"})
    with forge.protected(branch) as guard:
        done = forge.git(clone, "push", "--force", "origin", f"origin/quant_live:refs/heads/{branch}", who="ada")
        assert "not allowed to force push code to a protected branch" in done.stderr
        done = forge.git(clone, "push", "origin", f":refs/heads/{branch}", who="ada")
        assert "You can only delete protected branches using the web interface." in done.stderr
        assert forge.head(branch) == before
        guard.allow_force_push = True
        guard.save()
        forge.must(clone, "push", "--force", "origin", f"origin/quant_live:refs/heads/{branch}", who="ada")
        assert forge.head(branch) == forge.head("quant_live")


def test_levels_name_roles_users_and_groups(forge: Forge, clone: Path) -> None:
    """No one, one user, one group."""
    ids = {member.username: member.id for member in forge.project("ada").members_all.list(get_all=True)}
    [reviewers] = forge.client("ada").groups.list(search="quant-reviewers")
    assert [member.username for member in reviewers.members.list(get_all=True)] == ["ravi"]
    branch = forge.name("guarded")
    forge.commit(clone, branch, "quant", {"a": "1"})
    for levels, may in (
        ([{"access_level": 0}], ()),
        ([{"user_id": ids["dana"]}], ("dana",)),
        ([{"access_level": 0}, {"group_id": reviewers.id}], ("ravi",)),
        ([{"access_level": 30}], ("dana", "ravi", "rhea", "ada")),
    ):
        with forge.protected(branch, allowed_to_push=levels):
            for who in ("dana", "ravi", "rhea", "ada", "uma"):
                forge.must(clone, "commit", "--quiet", "--allow-empty", "-m", f"By {who}")
                done = forge.git(clone, "push", "origin", f"HEAD:refs/heads/{branch}", who=who)
                assert (done.returncode == 0) == (who in may), (levels, who, done.stderr)


def test_an_atomic_push_is_taken_whole_or_not_at_all(forge: Forge, clone: Path) -> None:
    """A branch and a tag: refused together, taken together."""
    branch, tag = forge.name("guarded"), f"promotion/{forge.name('tag')}"
    before = forge.commit(clone, branch, "quant", {"a": "1"})
    forge.must(clone, "commit", "--quiet", "--allow-empty", "-m", "More")
    forge.must(clone, "tag", "-a", "-m", "Promoted", tag)
    both = ("push", "--atomic", "origin", f"HEAD:refs/heads/{branch}", f"refs/tags/{tag}")
    with forge.protected(branch):
        assert forge.git(clone, *both, who="dana").returncode != 0
        assert forge.head(branch) == before
        assert forge.git(clone, "ls-remote", "--exit-code", "origin", f"refs/tags/{tag}").returncode == 2
        forge.must(clone, *both, who="rhea")
        assert forge.head(branch) == forge.must(clone, "rev-parse", "HEAD")
        assert forge.project().tags.get(tag).message == "Promoted"


@pytest.mark.parametrize("kind", ["signoff", "approval", "promotion", "deployment"])
def test_evidence_is_never_moved_or_deleted(forge: Forge, clone: Path, kind: str) -> None:
    """Anybody makes such a tag; nobody, the owner included, changes it."""
    tag = f"{kind}/{forge.name('tag')}"
    forge.must(clone, "push", "--quiet", "origin", f"origin/quant_live:refs/tags/{tag}")
    for who in (None, "dana", "ada"):
        moved = forge.git(clone, "push", "--force", "origin", f"origin/quant:refs/tags/{tag}", who=who)
        assert "Protected tags cannot be updated." in moved.stderr
        gone = forge.git(clone, "push", "origin", f":refs/tags/{tag}", who=who)
        assert "You can only delete protected tags using the web interface." in gone.stderr
    assert forge.http("DELETE", f"/projects/1/repository/tags/{tag.replace('/', '%2F')}", "ada").status_code == 403
    assert forge.project().tags.get(tag).commit["id"] == forge.head("quant_live")


def test_a_protected_tag_says_who_makes_it(forge: Forge, clone: Path) -> None:
    """create_access_level of protected tags, by git and by the API."""
    prefix = forge.name("release")
    guard = forge.project("ada").protectedtags.create({"name": f"{prefix}/*", "create_access_level": 40})
    refused = forge.git(clone, "push", "origin", f"origin/quant:refs/tags/{prefix}/1", who="dana")
    assert "You are not allowed to create this tag as it is protected." in refused.stderr
    forge.must(clone, "push", "--quiet", "origin", f"origin/quant:refs/tags/{prefix}/1", who="rhea")
    guard.delete()
    forge.must(clone, "push", "--quiet", "origin", f"origin/quant:refs/tags/{prefix}/2", who="dana")
