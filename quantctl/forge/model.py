"""What is asked of a forge, and what it answers: values, and refusals as values where the caller decides."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from quantctl.errors import UserError

if TYPE_CHECKING:
    from quantctl.records.signoffs import SignOff

_POLL_SECONDS = 5.0


class Verdict(StrEnum):
    """An answer to a question about permission; "unknown" never passes for yes."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """A verdict, and what it was seen by, in words."""

    verdict: Verdict
    evidence: str

    @property
    def allowed(self) -> bool | None:
        """True, False, or None for "unknown"."""
        return {Verdict.YES: True, Verdict.NO: False}.get(self.verdict)


@dataclass(frozen=True)
class Person:
    """Who promotes; `how_known` says what vouches for it."""

    name: str
    email: str
    user_name: str
    how_known: str

    def __str__(self) -> str:
        return self.name if self.user_name in ("", self.name) else f"{self.name} ({self.user_name})"


@dataclass(frozen=True)
class Approval:
    """An approval that counts: by whom, when (ISO 8601, as the forge has it), and where it can be looked at."""

    by: str
    when: str
    where: str


@dataclass(frozen=True)
class Approvals:
    """The approvals that count, one a person, and why others do not."""

    given: tuple[Approval, ...] = ()
    void: tuple[str, ...] = ()


@dataclass(frozen=True)
class MergeRequest:
    """A merge request; `head` is the full commit that would be merged, `state` is opened, merged or closed."""

    number: int
    url: str
    source: str
    target: str
    head: str
    state: str
    title: str
    author: str


class MergeResult(StrEnum):
    """How a merge ended."""

    MERGED = "merged"
    CONFLICT = "conflict"
    MOVED = "moved"
    REFUSED = "refused"
    NOT_READY = "not ready"


@dataclass(frozen=True)
class MergeOutcome:
    """What came of a merge: the target's new head when it is merged, and the forge's words when it is not.

    MOVED: the source has another head than was asked for. CONFLICT: target and source do not fit. REFUSED: the caller may
    not. NOT_READY: approvals, a pipeline or something else that the forge asks for are missing.
    """

    result: MergeResult
    said: str
    commit: str | None = None

    def must(self, request: MergeRequest) -> str:
        """The target's new head, for a caller that has no other way out.

        Raises:
            UserError: it is not merged; says why, and what to do.
        """
        if self.result is MergeResult.MERGED and self.commit is not None:
            return self.commit
        do_next = {
            MergeResult.CONFLICT: f"bring {request.target} into {request.source}, resolve it there, and begin again",
            MergeResult.MOVED: "look at what came, and run the same command again",
            MergeResult.REFUSED: f"ask somebody who may merge into {request.target}",
        }.get(self.result, "when it has what it lacks, run the same command again")
        raise UserError(f"{request.url} is not merged ({self.result}): {self.said}.", do_next=do_next)


class Forge(Protocol):
    """One forge, as one person. Every method may raise infra.errors.UserError when the forge cannot be asked."""

    merge_requests: bool

    @property
    def makes_merge_commits(self) -> bool:
        """Whether it merges what does not hold all of the target."""

    def promoter(self) -> Person:
        """Whose credentials these are."""

    def may_merge(self, branch: str) -> Answer:
        """Whether the promoter may merge into a branch."""

    def is_release_manager(self) -> Answer:
        """Whether the promoter is one."""

    def approvals(self, source: str, target: str, commit: str, authors: set[str]) -> Approvals:
        """Approvals of exactly this commit for a branch, by people who are not among the authors (e-mail addresses)."""

    def approve(self, source: str, target: str, commit: str, note: str, authors: set[str]) -> Approval:
        """Approve a commit for a branch as the promoter. An author is refused with a UserError."""

    def vouches_for(self, kind: str, environment: str) -> Answer:
        """Whether the records of a kind (deployment, promotion ...) are made by those who may make them, and nobody else."""

    def knows_authors(self) -> Answer:
        """Whether a commit's author and committer are who they say."""

    def vetoes(self, source: str, target: str, commit: str) -> Sequence[str]:
        """Why a merge request of exactly this commit is not to be merged, whatever else is there."""

    def sign_offs(self, environment: str, commit: str) -> Sequence[SignOff]:
        """Sign-offs that count, of exactly this commit."""

    def sign_off(self, environment: str, commit: str, by: str, note: str, at: int) -> SignOff:
        """Sign a commit off as the promoter, who says by whom (`by`, "" for themselves). Who may not is refused."""

    def open_merge_request(
        self, source: str, target: str, title: str, description: str, labels: Sequence[str] = ()
    ) -> MergeRequest:
        """The open merge request from source to target; made when there is none, else told anew and kept.

        A draft is left as it is: that is somebody's veto.
        """

    def find_merge_request(self, source: str, target: str) -> MergeRequest | None:
        """The open merge request from source to target."""

    def merge(self, request: MergeRequest, sha: str) -> MergeOutcome:
        """Merge when the source's head is exactly `sha`."""

    def post_note(self, merge_request: int, marker: str, text: str) -> str:
        """The one note with the hidden marker says `text` now; answers what was done, and where."""

    def upsert_issue(self, marker: str, title: str, text: str, labels: Sequence[str] = ()) -> str:
        """The promoter's own open issue with the hidden marker says `text` now; answers its address."""

    def close_issue(self, marker: str, comment: str) -> str | None:
        """Close the promoter's own open issue with the hidden marker; its address, or None when there is none."""


def wait_for_approvals(
    forge: Forge,
    source: str,
    target: str,
    commit: str,
    authors: set[str],
    needed: int,
    seconds: float,
    tell: Callable[[str], None],
    pause: float = _POLL_SECONDS,
) -> Approvals:
    """Ask until enough have approved or the time is over; `tell` hears what changed. The caller counts."""
    end, shown = time.monotonic() + seconds, ""
    while True:
        found = forge.approvals(source, target, commit, authors)
        names = ", ".join(approval.by for approval in found.given)
        line = f"{len(found.given)} of {needed} approvals{f': {names}' if names else ''}"
        if line != shown:
            tell(line)
            shown = line
        if len(found.given) >= needed or time.monotonic() + pause > end:
            return found
        time.sleep(pause)
