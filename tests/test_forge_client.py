"""The forge as quantctl sees it: who may, who has approved, and how a merge ends; in GitLab and with plain Git."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from infra.errors import UserError as InfraError
from infra.gitlab import protected_branch
from infra.outside import gitlab as client
from infra.outside.gitlab import refusal
from infra.settings import read_settings
from infra.signers import Signer
from infra.vocabulary import Environment, Right
from quantctl.errors import UserError
from quantctl.forge import Approvals, MergeResult, Verdict, connect, wait_for_approvals
from quantctl.forge.gitlab_merging import refused
from quantctl.forge.gitlab_people import Approver, Reviewed
from quantctl.forge.gitlab_people import judge as judge_approvers
from quantctl.forge.workspace_person import in_group, read_owner
from quantctl.promotion.approve import source_of
from quantctl.records.approvals import judge, tag_name
from quantctl.records.tags import Tag
from sandbox import identities
from tests.forge_world import PROJECT, World, authenticated
from tests.paths import ROOT

pytest_plugins = ["tests.forge_world"]

COMMIT, OTHER = "a" * 40, "b" * 40


# Pure decisions.


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
PEOPLE = ("ravi@quant.example", "rhea@quant.example", "dana@quant.example", "00000000-0000-4000-8000-0000000000d0")
SIGNERS = {who: Signer(key=KEY, may=[Right.APPROVE]) for who in PEOPLE} | {"uma@quant.example": Signer(key=KEY, may=[])}


def tag(who: str = "ravi@quant.example", **changed: Any) -> Tag:
    return replace(Tag(tag_name("quant_stg", COMMIT, who), COMMIT, email=who, at=1_800_000_000, signed=True), **changed)


def approvals(made: list[Tag], authors: set[str], signers: list[str | None] | None = None) -> Approvals:
    """As judged; each is signed by who its tagger says, or by `signers` (None: nobody of ours)."""
    who = signers or [one.email.lower() for one in made]
    signed = {one.name: signer for one, signer in zip(made, who, strict=True) if signer}
    return judge(made, "quant_stg", COMMIT, authors, signed, SIGNERS)


@pytest.mark.parametrize(
    ("made", "signer", "why"),
    [
        (tag(annotated=False, signed=False), None, "it is not signed"),
        (tag(signed=False), None, "it is not signed"),
        (tag(), None, "not signed with a key of quant:signers"),
        (tag("uma@quant.example"), "uma@quant.example", "uma@quant.example may not approve"),
        (tag(commit=OTHER), "ravi@quant.example", f"it is a tag of {OTHER[:12]}"),
        (tag("dana@quant.example"), "dana@quant.example", "has written some of these commits"),
        (tag("00000000-0000-4000-8000-0000000000d0"), "00000000-0000-4000-8000-0000000000d0", "is no person"),
        (tag(), "dana@quant.example", "dana@quant.example has signed it in the name of ravi@quant.example"),
        (tag(email="rhea@quant.example"), "rhea@quant.example", "its name is not that of its signer"),
    ],
)
def test_a_tag_that_does_not_count_is_told_why(made: Tag, signer: str | None, why: str) -> None:
    """Unsigned, signed by somebody else than it says or who may not, of another commit, by an author."""
    found = approvals([made], {"dana@quant.example"}, [signer])
    assert found.given == ()
    assert len(found.void) == 1 and why in found.void[0]


def test_one_person_approves_once() -> None:
    """Two tags of one person, however written, are one approval."""
    twice = [tag(), tag("Ravi@quant.example"), tag("rhea@quant.example")]
    assert [approval.by for approval in approvals(twice, set()).given] == [
        "ravi@quant.example",
        "rhea@quant.example",
    ]


RAVI = Approver(3, "Ravi", "ravi", "2026-01-02T10:00:00Z")


@pytest.mark.parametrize(
    ("approver", "changed", "why"),
    [
        (RAVI, {"author": 3}, "the author of the merge request"),
        (Approver(3, "deployer", "project_7_bot_ab12", ""), {}, "a bot"),
        (RAVI, {"names": frozenset({"ravi"})}, "has written"),
        (RAVI, {"emails": frozenset({"Ravi@home.example"})}, "has written"),
        (RAVI, {"emails": frozenset({"3-ravi@users.noreply.gitlab.example"})}, "has written"),
        (Approver(3, "Ravi", "rr", "", "ravi@home.example"), {"emails": frozenset({"ravi@home.example"})}, "has written"),
        (RAVI, {"fresh": False, "head_since": "2026-01-02T12:00:00+01:00"}, "before the last push"),
        (RAVI, {"fresh": False}, "before the last push"),
        (RAVI, {"may_approve": frozenset({4})}, "a member of no group that approves"),
        (RAVI, {"reopened": "2026-01-02T10:00:01Z"}, "closed and reopened"),
        (replace(RAVI, when=""), {"reopened": "2026-01-02T09:00:00Z"}, "closed and reopened"),
    ],
)
def test_an_approval_in_gitlab_that_does_not_count_is_told_why(
    approver: Approver, changed: dict[str, Any], why: str
) -> None:
    """By an author, by who might be one, or of an earlier head where the project keeps approvals."""
    usual: dict[str, Any] = {"author": 1, "names": frozenset({"Dana"}), "emails": frozenset({"dana@quant.example"})}
    reviewed = Reviewed("url", **{**usual, "fresh": True, **changed})
    if why == "before the last push" and "head_since" in changed:  # an hour earlier than the clock on the wall says
        assert judge_approvers([Approver(9, "Uma", "uma", "2026-01-02T11:30:00Z")], reviewed).given
    found = judge_approvers([approver], reviewed)
    if changed == {"fresh": False, "head_since": "2026-01-02T12:00:00+01:00"}:
        found = judge_approvers([Approver(3, "Ravi", "ravi", "2026-01-02T10:59:59Z")], reviewed)
    assert found.given == ()
    assert why in found.void[0]


def test_a_stranger_to_the_commits_counts() -> None:
    """Name, address and user name are all others."""
    reviewed = Reviewed("url", 1, frozenset({"Dana"}), frozenset({"dana@quant.example"}), True)
    [given] = judge_approvers([RAVI], reviewed).given
    assert (given.by, given.where) == ("Ravi (@ravi)", "url")


def test_who_the_workspace_says_it_is() -> None:
    """A person with groups; a service principal without an e-mail address stands as its application id."""
    rhea = read_owner(
        {"userName": "rhea@q.x", "displayName": "Rhea", "emails": [{"value": "r@q.x", "primary": True}],
         "groups": [{"display": "Quant-Release-Managers"}]},
        "here",
    )  # fmt: skip
    assert (rhea.person.email, str(rhea.person)) == ("r@q.x", "Rhea (rhea@q.x)")
    assert in_group(rhea, "quant-release-managers").verdict is Verdict.YES
    robot = read_owner({"applicationId": "0-0", "displayName": "deployer"}, "here")
    assert robot.person.email == "0-0"
    answer = in_group(robot, "quant-release-managers")
    assert answer.allowed is False and "is not in the workspace's group" in answer.evidence


def test_where_a_change_comes_from() -> None:
    """One way is taken; two ask for --from; none is told."""
    assert source_of(Environment.STAGING, None) is Environment.DEV
    assert source_of(Environment.LIVE, Environment.LIMITED) is Environment.LIMITED
    for target, source, words in (
        (Environment.LIVE, None, "--from quant_stg or --from quant_lr"),
        (Environment.STAGING, Environment.LIMITED, "Nothing is promoted from quant_lr"),
        (Environment.DEV, None, "changes are pushed"),
    ):
        with pytest.raises(UserError, match=words):
            source_of(target, source)


@pytest.mark.parametrize(
    ("status", "doing", "words"),
    [
        (401, "", "GITLAB_TOKEN"),
        (404, "", "QUANT_GITLAB_PROJECT"),
        (403, "merge", "may not merge in quant/pipelines"),
        (500, "merge", "QUANT_GITLAB_URL"),
    ],
)
def test_a_refusal_names_the_setting(status: int, doing: str, words: str) -> None:
    """What GitLab answers as a number is told with what to do."""
    assert words in refusal("http://gitlab.example", PROJECT, doing, status, "said")


def test_refusals_of_a_merge_are_told_apart() -> None:
    """May not, moved, not ready."""
    results = [refused("quant_live", code, "not_approved", "said").result for code in (401, 409, 405)]
    assert results == [MergeResult.REFUSED, MergeResult.MOVED, MergeResult.NOT_READY]


# The sandbox's forge.


def test_who_promotes(world: World) -> None:
    """In GitLab the token's owner, in plain Git the owner of the promoter's token, else the deployer."""
    assert world.forge("rhea").promoter().email == "rhea@quant.example"
    environ = world.plain("rhea")
    assert connect(world.settings(environ), environ).promoter().user_name == "rhea@quant.example"
    del environ["QUANT_PROMOTER_TOKEN"]
    os.environ |= {key: environ[key] for key in ("DATABRICKS_HOST", "DATABRICKS_TOKEN")}
    try:
        assert connect(world.settings(environ), environ).promoter().user_name == identities.DEPLOYER_ID
    finally:
        del os.environ["DATABRICKS_HOST"], os.environ["DATABRICKS_TOKEN"]


def test_only_a_release_manager_may_merge_into_quant_live(protected: World) -> None:
    """In both modes rhea may and dana may not, with what it was seen by."""
    for who, allowed in (("rhea", True), ("dana", False)):
        environ = protected.plain(who)
        for forge in (protected.forge(who), connect(protected.settings(environ), environ)):
            for answer in (forge.is_release_manager(), forge.may_merge("quant_live")):
                assert answer.allowed is allowed, answer
                assert "quant-release-managers" in answer.evidence
    assert protected.forge("dana").may_merge("quant_stg").allowed is True


def test_what_cannot_be_told_is_no_yes(world: World) -> None:
    """A workspace that refuses the token, and a role that may not look at protection."""
    environ = world.plain("rhea", QUANT_PROMOTER_TOKEN="dapi-wrong")
    forge = connect(world.settings(environ), environ)
    for answer in (forge.is_release_manager(), forge.may_merge("quant_live"), forge.may_merge("quant_stg")):
        assert answer.verdict is Verdict.UNKNOWN and "QUANT_PROMOTER_TOKEN" in answer.evidence
    assert world.forge("lena").may_merge("quant_live").allowed is None


def test_a_protection_is_read_as_it_was_declared_and_fixed(protected: World) -> None:
    """Levels, groups and approvals come back as names; what somebody changed by hand is changed back without a gap."""
    environ = protected.environ("ada")
    settings, project = protected.settings(environ), protected.project()
    found = protected_branch.read(project.manager.gitlab, project, "quant_live")
    assert found == protected_branch.Found(settings.protection)
    assert settings.protection.mergers == ("quant-release-managers",)
    by_hand = project.protectedbranches.get("quant_live")
    number = by_hand.id
    project.protectedbranches.update("quant_live", {"allow_force_push": True, "allowed_to_push": [{"access_level": 30}]})
    changed = protected_branch.read(project.manager.gitlab, project, "quant_live")
    assert changed is not None and changed.force_push and "developers" in changed.protection.pushers
    assert protected_branch.apply(project.manager.gitlab, project, settings.protection) == found
    assert project.protectedbranches.get("quant_live").id == number
    wide = project.protectedbranches.create({"name": "quant_*", "push_access_level": 40, "merge_access_level": 0})
    try:
        opened = protected_branch.read(project.manager.gitlab, project, "quant_live")
        assert opened is not None and opened.protection.pushers == ("maintainers", "noOne")
        with pytest.raises(InfraError, match=r"Take away what quant_\* lets in"):
            protected_branch.apply(project.manager.gitlab, project, settings.protection)
    finally:
        wide.delete()


def test_a_merge_request_from_opening_to_the_merge(protected: World) -> None:
    """Opened once, approved by another than the author, merged by a release manager at exactly the commit."""
    head = protected.branch("feature", "quant_live", "one\n")
    dana, ravi, rhea = (protected.forge(who) for who in ("dana", "ravi", "rhea"))
    request = dana.open_merge_request("feature", "quant_live", "A change", "why", ["quant"])
    again = dana.open_merge_request("feature", "quant_live", "A change, told anew", "why")
    assert (again.number, again.head, again.title) == (request.number, head, "A change, told anew")
    assert dana.find_merge_request("feature", "quant_live") == again
    authors = {"dana@quant.example"}
    assert rhea.approvals("feature", "quant_live", head, authors).given == ()
    early = rhea.merge(request, head)
    assert early.result is MergeResult.NOT_READY and "it lacks approvals" in early.said
    with pytest.raises(UserError, match="is a bot"):
        protected.forge("quant-deployer").approve("feature", "quant_live", head, "", authors)
    with pytest.raises(UserError, match="their own"):
        dana.approve("feature", "quant_live", head, "", authors)
    approval = ravi.approve("feature", "quant_live", head, "looked at it", authors)
    assert approval.where == request.url
    ravi.approve("feature", "quant_live", head, "", authors)  # a second time changes nothing
    said: list[str] = []
    found = wait_for_approvals(rhea, "feature", "quant_live", head, authors, 1, 0, said.append)
    assert [one.by for one in found.given] == ["Ravi (@ravi)"] and said == ["1 of 1 approvals: Ravi (@ravi)"]
    assert dana.merge(request, head).result is MergeResult.REFUSED
    assert rhea.merge(request, OTHER).result is MergeResult.MOVED
    outcome = rhea.merge(request, head)
    assert outcome.result is MergeResult.MERGED
    assert outcome.must(request) == protected.git("ls-remote", "origin", "refs/heads/quant_live").split()[0]
    assert rhea.merge(request, head) == outcome
    assert [one.by for one in rhea.approvals("feature", "quant_live", head, authors).given] == ["Ravi (@ravi)"]
    assert "feature" in protected.git("ls-remote", "origin", "refs/heads/feature")
    protected.git("fetch", "-q", "origin")
    protected.git("checkout", "-q", "-B", "direct", "origin/quant_live")
    protected.git("commit", "-q", "--allow-empty", "-m", "Around the gates")
    pushed = protected.git("push", authenticated(protected, "dana"), "HEAD:refs/heads/quant_live", must=False)
    assert "GitLab:" in pushed and "quant_live" in pushed


def test_a_conflict_is_told_as_one(world: World) -> None:
    """Neither moved nor refused: somebody has to resolve it."""
    world.branch("left", "quant", "left\n")
    head = world.branch("right", "quant", "right\n", who="ravi")
    rhea = world.forge("rhea")
    request = rhea.open_merge_request("right", "left", "Does not fit", "")
    outcome = rhea.merge(request, head)
    assert outcome.result is MergeResult.CONFLICT
    with pytest.raises(UserError, match="resolve it there"):
        outcome.must(request)


def test_a_note_is_written_once(world: World) -> None:
    """Found over all pages; one with the marker by somebody else is theirs, whatever a maintainer could do with it."""
    world.branch("noted", "quant", "noted\n")
    dana, rhea = (world.forge(who) for who in ("dana", "rhea"))
    number = dana.open_merge_request("noted", "quant", "Notes", "").number
    request = world.project("dana").mergerequests.get(number)
    assert dana.post_note(number, "quant:preview", "first").startswith("posted: http")
    for count in range(105):
        request.notes.create({"body": f"chat {count}"})
    assert dana.post_note(number, "quant:preview", "second").startswith("updated: ")
    assert dana.post_note(number, "quant:preview", "second").startswith("unchanged: ")
    assert rhea.post_note(number, "quant:preview", "third").startswith("posted: ")
    world.project("rhea").mergerequests.get(number).notes.create({"body": "<!-- quant:preview -->\ntwice"})
    assert rhea.post_note(number, "quant:preview", "fourth").startswith("updated: ")
    marked = [note.body for note in request.notes.list(iterator=True) if "quant:preview" in note.body]
    assert sorted(marked) == ["<!-- quant:preview -->\nfourth", "<!-- quant:preview -->\nsecond"]


def test_an_issue_is_opened_once_and_closed(world: World) -> None:
    """The scheduled run tells drift in one issue, and closes it when there is none."""
    rhea, project = world.forge("rhea"), world.project()
    assert rhea.close_issue("quant:drift", "clean") is None
    first = rhea.upsert_issue("quant:drift", "Drift in quant_live", "a job", ["drift"])
    assert rhea.upsert_issue("quant:drift", "Drift in quant_live", "two jobs", ["drift", "live"]) == first
    [issue] = project.issues.list(state="opened", get_all=True)
    assert issue.description == "<!-- quant:drift -->\ntwo jobs" and sorted(issue.labels) == ["drift", "live"]
    assert rhea.close_issue("quant:drift", "clean again") == first
    assert project.issues.list(state="opened", get_all=True) == []


def test_the_bots_issue_is_its_own_whatever_is_edited(world: World) -> None:
    """Somebody's issue with the marker is theirs; the bot's is found again after its text was taken out."""
    bot, project, guest = world.forge("quant-deployer"), world.project("uma"), world.project("lena")
    theirs = guest.issues.create({"title": "hello", "description": "<!-- quantctl drift -->"})
    first = bot.upsert_issue("quantctl drift", "Drift", "a job", ["drift"])
    assert first != theirs.web_url
    edited = project.issues.get(int(first.rsplit("/", 1)[1]))
    edited.description, edited.title = "all is clean", "nothing"
    edited.save()
    assert bot.upsert_issue("quantctl drift", "Drift", "two jobs", ["drift"]) == first
    assert "two jobs" in project.issues.get(edited.iid).description
    assert project.issues.get(theirs.iid).description == "<!-- quantctl drift -->"
    assert bot.close_issue("quantctl drift", "clean") == first
    assert [one.iid for one in project.issues.list(state="opened", get_all=True)] == [theirs.iid]


def test_approvals_as_tags(world: World) -> None:
    """`quantctl approve` makes one for the head of the source; an author is refused, and other tags do not count."""
    head = world.branch("quant", "quant", "for staging\n")
    authors = {"dana@quant.example"}

    def approve(who: str, *more: str) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / ".venv" / "bin" / "quantctl"), "approve", "quant_stg", *more]
        environ = {**os.environ, **world.plain(who), "QUANT_SANDBOX": str(world.state.folder)}
        if who == "deployer":
            del environ["QUANT_PROMOTER_TOKEN"]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)

    refused = approve("dana")
    assert refused.returncode == 1 and "some of its commits are dana@quant.example's own" in refused.stderr
    assert "is no person" in approve("deployer").stderr
    done = approve("ravi", "--note", "read it")
    assert done.returncode == 0, done.stderr
    name = f"approval/quant_stg/{head[:12]}/ravi@quant.example"
    assert name in done.stdout and "Notes on quant" in done.stdout
    assert approve("ravi").returncode == 0
    for wrong, made in (("uma", ("-m", "x", head)), ("sam", (head,))):
        self_made = f"approval/quant_stg/{head[:12]}/{wrong}@quant.example"
        world.git("tag", "-f", self_made, *(made if len(made) == 1 else ("-a", *made)), who=wrong)
        world.git("push", "-q", "origin", f"refs/tags/{self_made}")
    environ = world.plain("rhea")
    forge = connect(world.settings(environ), environ)
    found = forge.approvals("quant", "quant_stg", head, authors)
    assert [(one.by, one.where) for one in found.given] == [("ravi@quant.example", f"tag {name}")]
    assert [why.partition(": ")[2] for why in found.void] == ["it is not signed", "it is not signed"]
    unsigned = {key: value for key, value in environ.items() if key != "QUANT_SIGNERS"}
    with pytest.raises(InfraError, match="unknown who made the tags approval/quant_stg/"):
        connect(world.settings(unsigned), unsigned).approvals("quant", "quant_stg", head, authors)
    world.git("fetch", "-q", "origin", f"refs/tags/{name}:refs/tags/{name}")
    assert "tagger Ravi <ravi@quant.example>" in (shown := world.git("cat-file", "tag", name)) and "read it" in shown
    with pytest.raises(UserError, match="no merge requests"):
        forge.open_merge_request("quant", "quant_stg", "x", "")


OLD = "origin/quant_live"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"GITLAB_TOKEN": "glpat-wrong"}, "GITLAB_TOKEN"),
        ({"GITLAB_TOKEN": ""}, "GITLAB_TOKEN is not set"),
        ({"QUANT_GITLAB_PROJECT": "quant/other"}, "QUANT_GITLAB_PROJECT"),
        ({"QUANT_GITLAB_URL": "http://127.0.0.1:9"}, "QUANT_GITLAB_URL"),
    ],
)
def test_a_forge_that_cannot_be_asked_is_told(world: World, changed: dict[str, str], words: str) -> None:
    """With the setting that points at it."""
    environ = world.environ("rhea", **changed)
    with pytest.raises(InfraError, match=words) as told:
        connect(world.settings(environ), environ)
    assert "glpat" not in str(told.value)


def test_a_silent_forge_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that takes connections and never answers."""
    monkeypatch.setattr(client, "SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environ = world.environ("rhea", QUANT_GITLAB_URL=url)
        with pytest.raises(InfraError, match="does not answer"):
            connect(world.settings(environ), environ)


def test_one_of_url_and_project_is_told() -> None:
    """GitLab mode needs both; neither is plain Git."""
    with pytest.raises(InfraError, match="QUANT_GITLAB_PROJECT"):
        read_settings("quant", {}, {"QUANT_REMOTE": "http://x.example/p.git", "QUANT_GITLAB_URL": "http://x.example"})
