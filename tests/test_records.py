"""Records that cannot be forged or broken: real git, real signatures, no engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.errors import UserError as InfraError
from infra.settings import read_settings
from infra.signers import Signer, signers_setting
from infra.vocabulary import Right
from quantctl.errors import UserError
from quantctl.forge import Person, Verdict
from quantctl.forge.plain_git import PlainGit
from quantctl.laptop import signing
from quantctl.promotion.resume import edge_of, heads_of, pending
from quantctl.records import approvals, deployments, signoffs
from quantctl.records.deployments import Record
from quantctl.records.repository import Pipelines, read_pipelines
from quantctl.records.tags import LARGEST, parse
from sandbox import identities
from sandbox.state import State
from tests.test_settings import config_of

RHEA = Person("Rhea", "rhea@quant.example", "rhea", "a test")
WHEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
RIGHTS = {
    "rhea": [Right.DEPLOY, Right.PROMOTE, Right.APPROVE, Right.SIGN_OFF],
    "ravi": [Right.APPROVE],
    "uma": [Right.SIGN_OFF],
    "dana": [],
}


class World:
    """A remote, a clone, and people with keys."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.remote, self.clone, self.keys, self._env = folder / "r.git", folder / "w", folder / "keys", monkeypatch
        subprocess.run(["git", "init", "-q", "--bare", "-b", "quant", str(self.remote)], check=True)
        subprocess.run(["git", "clone", "-q", str(self.remote), str(self.clone)], check=True, capture_output=True)
        self.keys.mkdir()
        for who in (*RIGHTS, "stranger"):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", who, "-f", str(self.keys / who)]
            subprocess.run(command, check=True)
        self.signers = {
            f"{who}@quant.example": Signer(key=(self.keys / f"{who}.pub").read_text(), may=may)
            for who, may in RIGHTS.items()
        }
        self.as_whom("rhea")
        self.first, self.second = self.commit("quant", "1"), self.commit("quant", "2")

    def as_whom(self, who: str | None) -> None:
        """Who signs from now on; None: git is not set up to sign."""
        named = {"gpg.format": "ssh", "user.signingKey": str(self.keys / (who or ""))} if who else {}
        self._env.setenv("GIT_CONFIG_COUNT", str(len(named)))
        for number, (key, value) in enumerate(named.items()):
            self._env.setenv(f"GIT_CONFIG_KEY_{number}", key)
            self._env.setenv(f"GIT_CONFIG_VALUE_{number}", value)

    def git(self, *arguments: str, given: bytes = b"", **environ: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.clone), *arguments],
            input=given,
            env={**os.environ, **environ},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def commit(self, branch: str, content: str) -> str:
        self.git("checkout", "-q", "-B", branch)
        (self.clone / "f").write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", content)
        self.git("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, commit: str, message: str, signed: bool = True, at: datetime = WHEN, email: str = "") -> None:
        """A tag by hand, as whoever signs now."""
        who = {"GIT_COMMITTER_EMAIL": email} if email else {}
        self.git(
            "tag", "-f", "-s" if signed else "-a", "--cleanup=verbatim", "-F", "-", name, commit,
            given=f"{message}\n".encode(errors="surrogateescape"), GIT_COMMITTER_DATE=f"{int(at.timestamp())} +0000", **who,
        )  # fmt: skip
        self.git("push", "-q", "-f", "origin", f"refs/tags/{name}")

    def raw(self, name: str, content: bytes) -> None:
        """A tag object that no git command would make."""
        there = ("--git-dir", str(self.remote))
        made = self.git(*there, "hash-object", "-t", "tag", "-w", "--literally", "--stdin", given=content)
        self.git(*there, "update-ref", f"refs/tags/{name}", made)

    def read(self, signed: bool = True) -> Pipelines:
        return read_pipelines(str(self.remote), (*deployments.PREFIXES, "approval"), self.signers if signed else {})

    def deployed(self, **more: Any) -> list[Record]:
        return deployments.records(self.read(**more), "deployment", "quant")


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Dana")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "dana@quant.example")
        monkeypatch.setenv(f"GIT_{who}_DATE", f"{int((WHEN - timedelta(days=9)).timestamp())} +0000")
    yield World(tmp_path, monkeypatch)


def body(commit: object, at: datetime | str = WHEN, environment: str = "quant", **more: Any) -> str:
    said = {"environment": environment, "at": str(at), "commit": commit, "previous": None, "by": "Rhea", "how": "up"}
    return json.dumps({**said, **more})


def record(commit: str, kind: str = "deployment", environment: str = "quant", previous: str | None = None) -> Record:
    return Record(kind, environment, WHEN, commit, previous, "Rhea", "up" if kind == "deployment" else "promotion")


def test_what_a_signer_records_is_read_back(world: World) -> None:
    """With whose signature it is; again from the cache, which knows the keys that it was verified with."""
    tag = deployments.write(world.read(), record(world.first), RHEA)
    for _ in range(2):
        [found] = world.deployed()
        assert (found.commit, found.tag, found.signer, found.at) == (world.first, tag, "rhea@quant.example", WHEN)
    world.signers = {who: signer for who, signer in world.signers.items() if not who.startswith("rhea")}
    assert world.deployed() == []
    [unknown] = world.deployed(signed=False)
    assert unknown.signer is None


def test_where_nothing_can_be_verified_nothing_is_believed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown, with what is missing; not "there are no records"."""
    deployments.write(world.read(), record(world.first), RHEA)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    world.tag("deployment/quant/new", world.second, body(world.second))
    with pytest.raises(InfraError, match="ssh-keygen is not installed"):
        world.deployed()


FORGED = [
    ("not signed", "rhea", {"signed": False}, "it is not signed"),
    ("by a stranger", "stranger", {}, "not signed with a key of quant:signers"),
    ("by somebody who may not", "dana", {}, "dana@quant.example may not deploy"),
    ("in a signer's name", "dana", {"email": "rhea@quant.example"}, "dana@quant.example may not deploy"),
]


@pytest.mark.parametrize(("who", "how", "why"), [row[1:] for row in FORGED], ids=[row[0] for row in FORGED])
def test_a_tag_that_somebody_makes_is_no_record(world: World, who: str, how: dict[str, Any], why: str) -> None:
    """Whoever may push can push it."""
    world.as_whom(who)
    world.tag("deployment/quant/forged", world.second, body(world.second), **how)
    found = deployments.look(world.read(), "deployment", "quant")
    assert found.records == []
    assert why in found.void["deployment/quant/forged"]


def test_a_signed_tag_is_no_record_under_another_name(world: World) -> None:
    """Nor with something behind its signature, nor with two signatures."""
    world.tag("deployment/quant/one", world.second, body(world.second))
    assert len(world.deployed()) == 1
    signed = subprocess.run(
        ["git", "-C", str(world.clone), "cat-file", "tag", "deployment/quant/one"], check=True, capture_output=True
    ).stdout
    world.raw("promotion/quant/copied", signed)
    world.raw("deployment/quant_live/copied", signed)
    world.raw("deployment/quant/longer", signed.replace(b"tag deployment/quant/one", b"tag deployment/quant/longer"))
    world.raw("deployment/quant/one", signed + b"more\n")
    read = world.read()
    assert deployments.records(read, "deployment", "quant_live") == deployments.records(read, "promotion", "quant") == []
    found = deployments.look(read, "deployment", "quant")
    assert found.records == [] and "not signed with a key" in found.void["deployment/quant/longer"]


BROKEN: dict[str, Any] = {
    "a time without zone": {"at": "2026-11-20T12:00:00"},
    "another time than the tag's": {"at": "2026-11-19T12:00:00+00:00"},
    "year 1": {"at": "0001-01-01T00:00:00+14:00"},
    "year 9999": {"at": "9999-12-31T23:59:59-14:00"},
    "no time": {"at": "soon"},
    "previous a number": {"previous": 7},
    "previous no commit": {"previous": "HEAD"},
    "by a list": {"by": ["x"]},
    "by nobody": {"by": None},
    "by with a line break": {"by": "Rhea\nRavi"},
    "by half a character": {"by": "\ud800"},
    "gates a number": {"gates": 5},
    "gates of numbers": {"gates": [1]},
    "gates without evidence": {"gates": [{"name": "soak"}]},
    "an unknown field": {"kind": "promotion"},
    "another environment": {"environment": "quant_live"},
    "another one's commit": {"commit": "f" * 40},
    "no commit": {"commit": 1e308},
    "deep": {"by": json.loads("[" * 900 + "]" * 900)},
}


def test_a_broken_record_is_none_and_breaks_nothing(world: World) -> None:
    """Whoever made it, a signer too."""
    for number, (what, changed) in enumerate(BROKEN.items()):
        world.tag(
            f"deployment/quant/broken{number}", world.second, f"{what}\n\n{body(**{'commit': world.second, **changed})}"
        )
    for name, message in {
        "no-json": "{",
        "deeper": "[" * 100_000,
        "list": "{}[]",
        "empty": "\n",
        "nan": '{"at": NaN}',
    }.items():
        world.tag(f"deployment/quant/{name}", world.second, message)
    world.tag("deployment/quant/good", world.second, body(world.second))
    found = deployments.look(world.read(), "deployment", "quant", WHEN)
    assert [one.tag for one in found.records] == ["deployment/quant/good"]
    assert len(found.void) == len(BROKEN) + 5
    json.dumps([one.as_json() for one in found.records])


def test_an_object_that_is_no_proper_tag_is_none(world: World) -> None:
    """Dates that are missing, negative or beyond every calendar, names that are no text, separators, megabytes."""
    head = f"object {world.second}\ntype commit\ntag deployment/quant/odd\n".encode()
    said = body(world.second).encode()
    for tagger in (b"", b"tagger D <d@x>\n", b"tagger D <d@x> -5 +0000\n", b"tagger D <d@x> 99999999999999999999 +0000\n"):
        world.raw("deployment/quant/odd", head + tagger + b"\n" + said)
        assert world.deployed(signed=False) == []
    world.raw("deployment/quant/odd", head + b"tagger D\xff <d@\xffx> 1795176000 +0000\n\n" + said + b"\xff\x00\x1e\x1f")
    huge = head.replace(b"odd", b"huge") + b"tagger D <d@x> 5 +0000\n\n" + said + b" " * LARGEST
    world.raw("deployment/quant/huge", huge)
    world.git("tag", "-f", "deployment/quant/light", world.second)
    world.git("tag", "-f", "deployment/quant/blob", f"{world.second}:f")
    world.git("push", "-q", "origin", "--tags")
    assert world.deployed() == []
    world.deployed(signed=False)
    injected = (
        f"x\x1e\nrefs/quant/tags/signoff/quant/{world.second[:12]}/boss\x1faaaa\x1f{world.second}\x1fBoss\x1fb@x\x1f1\x1f"
    )
    world.tag(f"signoff/quant/{world.second[:12]}/x", world.second, injected + "Signed off by The Boss\n\ngreat")
    assert signoffs.of(world.read(), "quant") == signoffs.of(world.read(signed=False), "quant") == []


def test_a_record_that_cannot_be_of_its_time_is_none(world: World) -> None:
    """Before its commit was made, or after now; an hour between clocks is let pass."""
    early, late = WHEN - timedelta(days=10), WHEN + timedelta(days=1)
    for name, at in (("early", early), ("late", late), ("good", WHEN + timedelta(minutes=30))):
        world.tag(f"deployment/quant/{name}", world.second, body(world.second, at), at=at)
    found = deployments.look(world.read(), "deployment", "quant", WHEN)
    assert [one.tag for one in found.records] == ["deployment/quant/good"]
    assert found.void == {
        "deployment/quant/early": "it is dated before its commit was made",
        "deployment/quant/late": "it is dated after now",
    }


def test_whoever_cannot_sign_is_told_before_anything_is_pushed(world: World) -> None:
    """Not set up, not let, or a key that is gone."""
    for who, words in (("dana", "dana@quant.example may not deploy"), (None, "not signed"), ("gone", "git could not sign")):
        world.as_whom(who)
        with pytest.raises(InfraError, match=words):
            deployments.write(world.read(), record(world.second), RHEA)
    assert world.read().tags("deployment") == []


def test_a_forged_approval_or_sign_off_does_not_count(world: World) -> None:
    """In somebody's name, or by somebody who may sign something else."""
    commit, none = world.second, set[str]()
    name = approvals.tag_name("quant_stg", commit, "ravi@quant.example")
    signoff = f"signoff/quant/{commit[:12]}/uma-tester"

    def approved() -> list[str]:
        read = world.read()
        tags = read.tags(f"approval/quant_stg/{commit[:12]}")
        found = approvals.judge(tags, "quant_stg", commit, none, read.signer_of(tags), read.signers)
        return [one.by for one in found.given]

    for who in ("dana", "uma", "stranger"):
        world.as_whom(who)
        world.tag(name, commit, "ok", email="ravi@quant.example")
        assert approved() == []
    for who in ("dana", "ravi", "stranger"):
        world.as_whom(who)
        world.tag(signoff, commit, "Signed off by Uma Tester\n\nthe numbers agree")
        assert signoffs.of(world.read(), "quant", commit) == []
    world.as_whom("ravi")
    world.tag(name, commit, "ok", email="ravi@quant.example")
    assert approved() == ["ravi@quant.example"]
    world.as_whom("uma")
    world.tag(signoff, commit, "Signed off by Uma Tester\n\nthe numbers agree")
    [one] = signoffs.of(world.read(), "quant", commit)
    assert (one.by, one.note, one.recorded_by) == ("Uma Tester", "the numbers agree", "uma@quant.example")


def test_a_sign_off_is_for_one_commit_and_never_changed(world: World) -> None:
    """The same person signs a commit off once; another commit is not covered."""
    found = world.read()
    signoffs.write(found, "quant_stg", world.first, "Uma Tester", "numbers agree", RHEA, int(WHEN.timestamp()))
    with pytest.raises(UserError, match="never changed"):
        signoffs.write(found, "quant_stg", world.first, "Uma Tester", "second thoughts", RHEA, int(WHEN.timestamp()))
    found = world.read()
    [one] = signoffs.of(found, "quant_stg", world.first)
    assert (one.by, one.note) == ("Uma Tester", "numbers agree")
    assert signoffs.of(found, "quant_stg", world.second) == []


def test_a_decision_without_a_deployment_is_unfinished(world: World) -> None:
    """Until a deployment names it, if the branch has followed it; a forged one never is."""
    world.as_whom("dana")
    told = body(world.second, environment="quant_stg", how="promotion", source="quant")
    world.tag("promotion/quant_stg/forged", world.second, told)
    world.git("push", "-q", "origin", f"{world.second}:refs/heads/quant_stg")
    assert pending(world.read(), "quant_stg", "quant_stg") is None
    world.as_whom("rhea")
    begun = replace(record(world.second, "promotion", "quant_stg", world.first), source="quant")
    tag = deployments.write(world.read(), begun, RHEA)
    found = pending(world.read(), "quant_stg", "quant_stg")
    assert found is not None and found.tag == tag and str(edge_of(found)) == "quant -> quant_stg"
    assert heads_of(world.read(), found, world.second) == (world.second, world.first)
    assert edge_of(replace(found, how="rollback", source="deployment/quant_stg/x")) is None
    with pytest.raises(UserError, match="`quantctl rollback quant_stg` takes it back"):
        heads_of(world.read(), found, world.first)
    deployments.write(world.read(), replace(record(world.second, environment="quant_stg"), decision=tag), RHEA)
    assert pending(world.read(), "quant_stg", "quant_stg") is None


def test_a_deleted_record_does_not_make_a_soak_longer(world: World) -> None:
    """Each names the one before: table in test_gates; here that they do."""
    deployments.write(world.read(), record(world.first), RHEA)
    before = deployments.last(world.read(), "quant")
    assert before is not None
    later = replace(record(world.second), previous=before.commit, at=WHEN + timedelta(hours=1))
    deployments.write(world.read(), later, RHEA)
    assert [one.previous for one in world.deployed()] == [None, world.first]


def test_without_signers_it_is_unknown_who_made_a_record(world: World) -> None:
    """In plain Git, whatever tags there are."""
    usual = read_settings("quant_stg", config_of("quant_stg"), {"QUANT_REMOTE": "http://x.example/p.git"})
    forge = PlainGit(usual, {})
    for kind in ("deployment", "promotion", "signoff", "approval"):
        answer = forge.vouches_for(kind, "quant")
        assert (
            answer.verdict is Verdict.UNKNOWN and f"{kind}/quant/" in answer.evidence and "quant:signers" in answer.evidence
        )
    for ask in (lambda: forge.approvals("quant", "quant_stg", "a" * 40, set()), lambda: forge.sign_offs("quant", "a" * 40)):
        with pytest.raises(UserError, match="unknown who made"):
            ask()
    known = PlainGit(usual.model_copy(update={"signers": world.signers}), {})
    assert known.vouches_for("deployment", "quant").verdict is Verdict.YES


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"*@quant.example": {"key": "KEY", "may": ["deploy"]}}, "an e-mail address"),
        ({"a@x,b@x": {"key": "KEY", "may": ["deploy"]}}, "an e-mail address"),
        ({"a@x": {"key": "KEY", "may": ["everything"]}}, "'deploy', 'promote', 'approve', 'signOff' or 'compare'"),
        ({"a@x": {"key": "AAAA", "may": []}}, "the line of a .pub file"),
        ({"a@x": {"key": "ssh-ed25519 AAAA\nb@x ssh-ed25519 BBBB", "may": []}}, "the line of a .pub file"),
        ({"a@x": {"key": "KEY", "may": []}, "b@x": {"key": "KEY", "may": []}}, "have one key"),
        ({"a@x": {"key": "KEY"}}, "quant:signers.a@x.may is missing"),
    ],
)
def test_a_wrong_signer_is_told(value: dict[str, Any], words: str) -> None:
    """Nobody is let in by a pattern, and nobody is two people."""
    text = json.dumps(value).replace("KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJvVvN2bqFJX1m2pQ7Bz")
    with pytest.raises(InfraError, match=words):
        read_settings(
            "quant_stg", {**config_of("quant_stg"), "quant:signers": text}, {"QUANT_REMOTE": "http://x.example/p.git"}
        )


def test_a_shells_variable_does_not_widen_reviewed_settings(tmp_path: Path) -> None:
    """QUANT_SIGNERS counts where quant:signers is not set, and in the sandbox, which has people of its own."""
    file = tmp_path / "signers.json"
    file.write_text('{"a@x": {}}')
    named = {"QUANT_SIGNERS": str(file)}
    assert signers_setting(None, named) == signers_setting({}, {**named, "QUANT_TARGET": "sandbox"}) == {"a@x": {}}
    assert signers_setting({"b@x": {}}, named) == {"b@x": {}} and signers_setting(None, {}) is None
    with pytest.raises(InfraError, match="QUANT_SIGNERS"):
        signers_setting(None, {"QUANT_SIGNERS": str(tmp_path / "none")})


def test_a_tag_object_is_read_strictly() -> None:
    """Headers in their order, the name that it stands under."""
    good = f"object {'a' * 40}\ntype commit\ntag x/y\ntagger Dana <d@x> 5 +0000\n\nhello\n".encode()
    found = parse("x/y", "id", good)
    assert found is not None and (found.at, found.email, found.message, found.signed) == (5, "d@x", "hello", False)
    for wrong in (
        b"",
        good[1:],
        good.replace(b"commit", b"tree"),
        good.replace(b"x/y", b"x/z"),
        good.replace(b" 5 ", b" -5 "),
    ):
        assert parse("x/y", "id", wrong) is None


def test_the_sandboxs_people_sign_with_keys_of_their_own(tmp_path: Path) -> None:
    """Made once, for their owner's eyes; who has no right is in no list."""
    state = State(tmp_path / "state")
    file = signing.signers_file(state)
    people = json.loads(file.read_text())
    assert people.keys() == {"rhea@quant.example", "ravi@quant.example", "uma@quant.example", identities.DEPLOYER_ID}
    read_settings("quant", config_of("quant"), {"QUANT_REMOTE": "http://x.example/p.git", "QUANT_SIGNERS": str(file)})
    assert {one.stat().st_mode & 0o77 for one in [file.parent, *file.parent.iterdir()]} == {0}
    assert json.loads(signing.signers_file(state).read_text()) == people


def test_gits_settings_are_added_to_those_that_are_there() -> None:
    """A setting takes its own place again, another one the next."""
    first = signing.as_environment({"GIT_CONFIG_COUNT": "no number"}, {"a": "1"})
    assert first == {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a", "GIT_CONFIG_VALUE_0": "1"}
    assert signing.as_environment(first, {"b": "2", "a": "3"}) == {
        "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "a", "GIT_CONFIG_VALUE_0": "3", "GIT_CONFIG_KEY_1": "b",
        "GIT_CONFIG_VALUE_1": "2",
    }  # fmt: skip
