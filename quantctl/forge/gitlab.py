"""A project in GitLab, through python-gitlab, as the owner of GITLAB_TOKEN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from infra.branch_protection import GitLab
from infra.errors import UserError as InfraError
from infra.outside import gitlab as client
from infra.settings import Settings
from infra.vocabulary import Environment
from quantctl.errors import UserError
from quantctl.forge import (
    gitlab_merging,
    gitlab_notes,
    gitlab_people,
    gitlab_permission,
    gitlab_signoffs,
    gitlab_vetoes,
)
from quantctl.forge.gitlab_people import Approver, Reviewed
from quantctl.forge.gitlab_vetoes import Seen
from quantctl.forge.model import (
    Answer,
    Approval,
    Approvals,
    MergeOutcome,
    MergeRequest,
    Person,
    Verdict,
)
from quantctl.records.signoffs import SignOff

if TYPE_CHECKING:
    from gitlab.v4.objects import ProjectMergeRequest


class GitLabForge:
    """The project of the settings."""

    merge_requests = True

    def __init__(self, settings: Settings, place: GitLab, environ: Mapping[str, str]) -> None:
        self._settings, self._place = settings, place
        self._client, self._project = client.connect(place.url, place.project, environ)

    def _told(self, doing: str) -> AbstractContextManager[None]:
        return client.told(self._place.url, self._place.project, doing)

    @property
    def makes_merge_commits(self) -> bool:
        """https://docs.gitlab.com/user/project/merge_requests/methods/"""
        return str(self._project.attributes.get("merge_method", "merge")) == "merge"

    @property
    def _me(self) -> Any:
        return self._client.user

    def promoter(self) -> Person:
        """The token's owner."""
        email = str(self._me.attributes.get("commit_email") or self._me.attributes.get("email") or "")
        return Person(self._me.name, email, self._me.username, f"the owner of GITLAB_TOKEN, says {self._place.url}")

    def may_merge(self, branch: str) -> Answer:
        """The token's owner against the access levels of the protected branch; who may push may merge too."""
        try:
            with self._told(f"see how {branch} is protected"):
                return gitlab_permission.may_merge(self._client, self._project, branch, str(self.promoter()))
        except InfraError as error:
            return Answer(Verdict.UNKNOWN, str(error))

    def is_release_manager(self) -> Answer:
        """A member of the release managers' group; where there is no such group, who may merge into quant_live."""
        path, who = self._settings.release_managers, str(self.promoter())
        try:
            with self._told("see groups"):
                answer = gitlab_permission.is_member(self._client, path, who)
        except InfraError as error:
            return Answer(Verdict.UNKNOWN, str(error))
        return answer or self.may_merge(Environment.LIVE)

    def vouches_for(self, kind: str, environment: str) -> Answer:
        """GitLab's protected tags; where the settings name signers, a record is signed besides."""
        with self._told("see protected tags"):
            wanted = self._settings.protection.recorders
            return gitlab_permission.makes_records(self._client, self._project, kind, environment, wanted)

    def knows_authors(self) -> Answer:
        """The push rule, or the settings' word."""
        with self._told("see the push rule"):
            return gitlab_permission.knows_authors(self._project, self._place.authors == "trusted")

    def vetoes(self, source: str, target: str, commit: str) -> Sequence[str]:
        """Of the merge requests from source to target at exactly this commit."""
        with self._told("read merge requests"):
            return gitlab_vetoes.vetoes(map(self._seen, self._of(source, target, commit, ("opened", "merged", "closed"))))

    def _seen(self, request: ProjectMergeRequest) -> Seen:
        notes: list[Any] = []
        if request.state == "opened":
            notes = [note.attributes for note in request.notes.list(sort="asc", order_by="created_at", iterator=True)]
        closed_by = str((request.attributes.get("closed_by") or {}).get("name") or "")
        draft, who = bool(request.attributes.get("draft")), gitlab_vetoes.withdrawn(notes)
        return Seen(request.iid, request.web_url, request.state, draft, closed_by, who)

    def sign_offs(self, environment: str, commit: str) -> Sequence[SignOff]:
        """Comments of the commit by members of the UAT group."""
        with self._told("read sign-offs"):
            members = gitlab_permission.members(self._client, self._settings.uat_testers)
            threads = self._project.commits.get(commit, lazy=True).discussions.list(get_all=True)
            notes = [note for thread in threads for note in thread.attributes["notes"]]
        return gitlab_signoffs.judge(notes, environment, commit, members, self._page(commit))

    def sign_off(self, environment: str, commit: str, by: str, note: str, at: int) -> SignOff:
        """A comment on the commit; `by` and `at` are GitLab's to say."""
        group, who = self._settings.uat_testers, self.promoter()
        with self._told("sign off"):
            member = gitlab_permission.is_member(self._client, group, str(who))
            if member is None or member.allowed is not True:
                raise UserError(
                    f"{who} may not sign {environment} off.",
                    found=member.evidence if member else f"no group {group} in GitLab (quant:gitlab.uatTesters)",
                    do_next=f"ask a member of {group}; a comment on {self._page(commit)} counts as well (docs/promotion.md)",
                )
            place = self._project.commits.get(commit, lazy=True).discussions
            [made] = place.create({"body": gitlab_signoffs.written(environment, note)}).attributes["notes"]
        [given] = gitlab_signoffs.judge([made], environment, commit, [self._me.id], self._page(commit))
        return given

    def _page(self, commit: str) -> str:
        return f"{self._project.web_url}/-/commit/{commit}"

    def approvals(self, source: str, target: str, commit: str, authors: set[str]) -> Approvals:
        """Of the open or merged merge requests from source to target whose head is exactly this commit."""
        with self._told("read merge requests"):
            given: dict[str, Approval] = {}
            void: list[str] = []
            for request in self._of(source, target, commit):
                found = gitlab_people.judge(self._approvers(request), self._reviewed(request, authors))
                given = {approval.by: approval for approval in found.given} | given
                void.extend(found.void)
        return Approvals(tuple(given.values()), tuple(void))

    def approve(self, source: str, target: str, commit: str, note: str, authors: set[str]) -> Approval:
        """Approve the open merge request whose head is the commit; an author is refused here, before GitLab is asked."""
        from gitlab.exceptions import GitlabError

        person = self.promoter()
        if self._me.attributes.get("bot") or gitlab_people.is_bot(person.user_name):
            raise UserError(f"{person} is a bot and approves nothing.", do_next="set GITLAB_TOKEN to a person's own token")
        with self._told("approve a merge request"):
            request = next((one for one in self._of(source, target, commit) if one.state == "opened"), None)
            if request is None:
                raise UserError(
                    f"There is no open merge request into {target} at {commit[:12]}:"
                    f" `quantctl promote {source} {target}` opens it."
                )
            url = str(request.web_url)  # an approval's answer takes the place of what is known of the request
            me = Approver(self._me.id, person.name, person.user_name, "", person.email)
            reviewed = self._reviewed(request, authors)
            if me.id == reviewed.author or gitlab_people.is_author(me, reviewed.names, reviewed.emails):
                raise UserError(
                    f"{person} may not approve {url}: the merge request, or some of its commits, are their own.",
                    expected="an approval by somebody who has written nothing of what moves",
                    do_next="ask somebody else to run the same command",
                )
            if me.id not in [approver.id for approver in self._approvers(request)]:
                try:
                    request.approve(sha=commit)
                except GitlabError as error:
                    raise UserError(
                        f"GitLab did not take the approval of {url} by {person}.",
                        found=str(error),
                        do_next=f"look whether it is still at {commit[:12]}, and who may approve it",
                    ) from None
                if note:
                    request.notes.create({"body": f"Approved for {target}: {note}"})
            now = next((one.when for one in self._approvers(request) if one.id == me.id), "")
        return Approval(str(me), now, url)

    def _of(
        self, source: str, target: str, commit: str, states: Sequence[str] = ("opened", "merged")
    ) -> list[ProjectMergeRequest]:
        wanted: dict[str, Any] = {"source_branch": source, "target_branch": target, "get_all": True}
        listed = [one for state in states for one in self._project.mergerequests.list(state=state, **wanted)]
        return [request for request in listed if request.sha == commit]

    def _approvers(self, request: ProjectMergeRequest) -> list[Approver]:
        users = [(entry["user"], entry.get("approved_at") or "") for entry in request.approvals.get().approved_by]
        return [Approver(u["id"], u["name"], u["username"], at, u.get("public_email") or "") for u, at in users]

    def _reviewed(self, request: ProjectMergeRequest, authors: set[str]) -> Reviewed:
        commits = [commit.attributes for commit in request.commits()]
        fresh = bool(self._project.approvals.get().attributes.get("reset_approvals_on_push"))
        since = ""
        if not fresh:
            versions = request.diffs.list(get_all=True)
            since = min((v.created_at for v in versions if v.head_commit_sha == request.sha), default="")
        names = frozenset(str(commit["author_name"]) for commit in commits)
        names |= {str(commit["committer_name"]) for commit in commits}
        emails = authors | {str(commit[f"{role}_email"]) for commit in commits for role in ("author", "committer")}
        reopened = gitlab_vetoes.reopened(event.attributes for event in request.resourcestateevents.list(get_all=True))
        groups = self._settings.protection.approvers
        able = {member for path in groups for member in gitlab_permission.members(self._client, path)}
        may = frozenset(able) if groups else None
        return Reviewed(request.web_url, request.author["id"], names, frozenset(emails), fresh, since, reopened, may)

    def find_merge_request(self, source: str, target: str) -> MergeRequest | None:
        """The open one."""
        with self._told("read merge requests"):
            found = self._open(source, target)
        return _told_of(found) if found is not None else None

    def _open(self, source: str, target: str) -> ProjectMergeRequest | None:
        listed = self._project.mergerequests.list(
            state="opened", source_branch=source, target_branch=target, get_all=True
        )  # fmt: skip
        return next(iter(listed), None)

    def open_merge_request(
        self, source: str, target: str, title: str, description: str, labels: Sequence[str] = ()
    ) -> MergeRequest:
        """The open one with this title, description and these labels too; made when there is none. A draft is left as it is.

        The source branch is never removed: maturity branches are sources.
        """
        said = {"title": title, "description": description}
        with self._told("open a merge request"):
            found = self._open(source, target)
            if found is None:
                branches = {"source_branch": source, "target_branch": target, "remove_source_branch": False}
                return _told_of(self._project.mergerequests.create({**branches, **said, "labels": list(labels)}))
            if found.attributes.get("draft"):  # a new title would make it ready to merge
                return _told_of(found)
            for key, value in said.items():
                setattr(found, key, value)
            if labels:
                found.labels = sorted({*found.labels, *labels})
            found.save()
            return _told_of(found)

    def merge(self, request: MergeRequest, sha: str) -> MergeOutcome:
        """Merge exactly `sha`; merged already is merged."""
        with self._told("merge"):
            return gitlab_merging.merge(self._project, request, sha)

    def post_note(self, merge_request: int, marker: str, text: str) -> str:
        """One note of a merge request."""
        with self._told("write notes"):
            return gitlab_notes.post(self._project.mergerequests.get(merge_request), self._me.id, marker, text)

    def upsert_issue(self, marker: str, title: str, text: str, labels: Sequence[str] = ()) -> str:
        """One open issue."""
        with self._told("write issues"):
            return gitlab_notes.upsert_issue(self._project, self._me.id, marker, title, text, labels)

    def close_issue(self, marker: str, comment: str) -> str | None:
        """Close it, with a last word."""
        with self._told("write issues"):
            return gitlab_notes.close_issue(self._project, self._me.id, marker, comment)


def _told_of(found: Any) -> MergeRequest:
    return MergeRequest(
        found.iid, found.web_url, found.source_branch, found.target_branch, found.sha, found.state, found.title,
        found.author["name"],
    )  # fmt: skip
