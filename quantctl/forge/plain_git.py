"""A plain Git remote: who promotes is asked at the workspace; approvals and sign-offs are signed tags."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NoReturn

from infra.errors import UserError as InfraError
from infra.settings import Settings
from infra.vocabulary import Environment, Persona, Right
from quantctl.errors import UserError
from quantctl.forge.model import Answer, Approval, Approvals, MergeOutcome, MergeRequest, Person, Verdict
from quantctl.forge.workspace_person import Owner, in_group, owner_of_the_token
from quantctl.records import signoffs
from quantctl.records.approvals import PREFIX, is_person, judge, tag_name
from quantctl.records.repository import Moved, Refused, read_pipelines
from quantctl.records.signatures import need_signing
from quantctl.records.signoffs import SignOff


class PlainGit:
    """The remote of the settings, as the owner of the promoter's token."""

    merge_requests = False
    makes_merge_commits = False

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings, self._environ = settings, environ

    @cached_property
    def _owner(self) -> Owner:
        return owner_of_the_token(self._environ)

    def promoter(self) -> Person:
        """The owner of the promoter's token."""
        return self._owner.person

    def is_release_manager(self) -> Answer:
        """Whether the owner is in the release managers' group of the workspace."""
        try:
            return in_group(self._owner, self._settings.names(Persona.RELEASE_MANAGERS).group)
        except InfraError as error:
            return Answer(Verdict.UNKNOWN, str(error))

    def may_merge(self, branch: str) -> Answer:
        """Into quant_live a release manager; else whoever the remote lets push."""
        if branch == Environment.LIVE:
            return self.is_release_manager()
        try:
            return Answer(Verdict.YES, f"{self.promoter()}: a plain Git remote lets push whoever may write to it")
        except InfraError as error:
            return Answer(Verdict.UNKNOWN, str(error))

    def vouches_for(self, kind: str, environment: str) -> Answer:
        """Where the settings say whose signatures count, what is not signed by them is no record."""
        if self._settings.signers:
            return Answer(Verdict.YES, "a record is signed by one of quant:signers")
        return Answer(
            Verdict.UNKNOWN,
            f"unknown who made the tags {kind}/{environment}/, which whoever may push can make: quant:signers in Pulumi.yaml"
            " says whose signature counts (docs/promotion.md)",
        )

    def knows_authors(self) -> Answer:
        """Who may approve is one of the signers; docs/promotion.md says what is left."""
        return Answer(Verdict.YES, "quant:signers says who approves")

    def vetoes(self, source: str, target: str, commit: str) -> Sequence[str]:
        """There are no merge requests."""
        return ()

    def approvals(self, source: str, target: str, commit: str, authors: set[str]) -> Approvals:
        """Signed tags on the remote."""
        self._vouched(PREFIX, target)
        pipelines = read_pipelines(self._settings.remote, (PREFIX,), self._settings.signers)
        tags = pipelines.tags(f"{PREFIX}/{target}/{commit[:12]}")
        return judge(tags, target, commit, authors, pipelines.signer_of(tags), pipelines.signers)

    def sign_offs(self, environment: str, commit: str) -> Sequence[SignOff]:
        """Signed tags on the remote."""
        self._vouched("signoff", environment)
        return signoffs.of(read_pipelines(self._settings.remote, ("signoff",), self._settings.signers), environment, commit)

    def sign_off(self, environment: str, commit: str, by: str, note: str, at: int) -> SignOff:
        """A tag, signed by who writes it down."""
        pipelines, who = read_pipelines(self._settings.remote, ("signoff",), self._settings.signers), self.promoter()
        self._need(Right.SIGN_OFF, who)
        need_signing(pipelines.repository, pipelines.signers)
        tag = signoffs.write(pipelines, environment, commit, by or who.name, note, who, at)
        return SignOff(environment, commit, by or who.name, note, str(who), at, f"tag {tag}")

    def approve(self, source: str, target: str, commit: str, note: str, authors: set[str]) -> Approval:
        """Make the tag on the remote; made already, it is left as it is."""
        person = self.promoter()
        if person.email.lower() in {author.lower() for author in authors}:
            raise UserError(
                f"{person} may not approve {commit[:12]} for {target}: some of its commits are {person.email}'s own.",
                expected="an approval by somebody who has written nothing of what moves",
                do_next="ask somebody else to run the same command",
            )
        if not is_person(person.email):
            raise UserError(
                f"{person} is no person and approves nothing.",
                found=person.how_known,
                expected="a person's own Databricks token in QUANT_PROMOTER_TOKEN",
                do_next='export it; in the sandbox: eval "$(quantctl env --as reviewer)"',
            )
        self._need(Right.APPROVE, person)
        name = tag_name(target, commit, person.email)
        pipelines = read_pipelines(self._settings.remote, (), self._settings.signers)
        need_signing(pipelines.repository, pipelines.signers)
        made = pipelines.make_tag(name, commit, note or f"Approved for {target}", person, int(time.time()))
        try:
            pipelines.push({f"refs/tags/{name}": (made, None)})
        except Moved:  # made already
            pass
        except Refused as refused:
            raise UserError(f"The approval was refused: {refused}.", do_next="ask whoever may push tags") from None
        found = self.approvals(source, target, commit, authors)
        for approval in found.given:
            if approval.where == f"tag {name}":
                return approval
        why = next((why for why in found.void if why.startswith(f"{name}:")), f"{name}: the remote does not have it")
        raise UserError(f"The approval of {commit[:12]} for {target} does not count: {why}.")

    def _vouched(self, kind: str, environment: str) -> None:
        answer = self.vouches_for(kind, environment)
        if answer.allowed is not True:
            raise UserError(f"{answer.evidence}.")

    def _need(self, right: Right, person: Person) -> None:
        """Refuse before the tag is made what would not count."""
        signers = self._settings.signers
        if signers and right not in getattr(signers.get(person.email.lower()), "may", ()):
            able = ", ".join(sorted(who for who, signer in signers.items() if right in signer.may)) or "nobody"
            raise UserError(
                f"{person} may not {'approve' if right is Right.APPROVE else 'record sign-offs'}.",
                expected=f"one of those whose signature counts for it (quant:signers): {able}",
                do_next="ask one of them",
            )

    def open_merge_request(
        self, source: str, target: str, title: str, description: str, labels: Sequence[str] = ()
    ) -> MergeRequest:
        """There are none."""
        self._none()

    def find_merge_request(self, source: str, target: str) -> MergeRequest | None:
        """There are none."""
        return None

    def merge(self, request: MergeRequest, sha: str) -> MergeOutcome:
        """There are none."""
        self._none()

    def post_note(self, merge_request: int, marker: str, text: str) -> str:
        """There are none."""
        self._none()

    def upsert_issue(self, marker: str, title: str, text: str, labels: Sequence[str] = ()) -> str:
        """There are none."""
        self._none()

    def close_issue(self, marker: str, comment: str) -> str | None:
        """There are none."""
        self._none()

    def _none(self) -> NoReturn:
        raise UserError(
            "A plain Git remote has no merge requests and no issues.",
            found="no GitLab in QUANT_GITLAB_URL and QUANT_GITLAB_PROJECT, nor in quant:gitlab",
            do_next="name GitLab there and its token in GITLAB_TOKEN (docs/cloud.md)",
        )
