"""The protection of a maturity branch, and of the tags that are its records, as a resource.

It shows in previews, and in drift when somebody changes it by hand.

A dynamic provider runs in a process of its own (pulumi.dynamic), where the state holds nothing of it but this module's and
class's name, so that a change of this code is no diff. GITLAB_TOKEN comes from that process's environment: it is no input,
no output, and in no state. An import is not possible (the SDK hands no provider to it), so `create` takes over a protection
that stands already. docs/decisions/0008-branch-protection.md
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

import pulumi
from pulumi.dynamic import (
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from infra.branch_protection import GitLab, Protection, differences
from infra.errors import UserError

_ELSEWHERE = ("project", "branch")  # another one of these is another protection


class BranchProtectionProvider(ResourceProvider):
    """Reads and sets a protection; each call asks GitLab."""

    serialize_as_secret_always = False  # it is a name: nothing in it is to be hidden

    def configure(self, _req: ConfigureRequest) -> None:
        """Called once in the provider's process, where every error would be told as a traceback."""
        usual = traceback.format_exc

        def shown(limit: int | None = None, chain: bool = True) -> str:
            error = sys.exc_info()[1]
            return str(error) if isinstance(error, UserError) else usual(limit, chain)

        # pulumi/pulumi, sdk/python/lib/pulumi/dynamic/__main__.py: _abort_with_traceback
        traceback.format_exc = shown

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """What differs."""
        elsewhere = [key for key in ("url", *_ELSEWHERE) if _olds.get(key) != _news.get(key)]
        changed = [*elsewhere, *(key for key, _, _ in differences(_olds, _news))]
        return DiffResult(changes=bool(changed), replaces=[key for key in changed if key in _ELSEWHERE])

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Protect the branch, or change the protection that it has."""
        return CreateResult(props["branch"], _apply(props))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """As it is now; nothing when the branch is not protected any more."""
        from infra.gitlab import protected_branch
        from infra.outside import gitlab as client

        with client.told(props["url"], props["project"], "read the protected branches"):
            found = protected_branch.read(*client.connect(props["url"], props["project"]), props["branch"])
        if found is None:
            return ReadResult(None, {})
        now = _props(props["url"], props["project"], found.protection, found.force_push)
        return ReadResult(id_, now, dict(now))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Change it in place: the branch is protected at every moment."""
        return UpdateResult(_apply(_news))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Take it away."""
        from infra.gitlab import protected_branch, protected_tags
        from infra.outside import gitlab as client

        with client.told(_props["url"], _props["project"], "take branch protection away"):
            connected = client.connect(_props["url"], _props["project"])
            protected_branch.remove(connected[1], _props["branch"])
            protected_tags.remove(connected[1], Protection(_props["branch"], (), (), 0).record_tags)


class BranchProtection(Resource, module="gitlab", name="BranchProtection"):
    """Who may push to and merge into the environment's branch, and make its records.

    In quant_live it is left in place when it is not declared.
    """

    def __init__(self, place: GitLab, protection: Protection, live: bool, opts: pulumi.ResourceOptions) -> None:
        kept = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=live))
        props = _props(place.url, place.project, protection, force_push=False)
        super().__init__(BranchProtectionProvider(), "branch-protection", props, kept)


def _props(url: str, project: str, protection: Protection, force_push: bool) -> dict[str, Any]:
    return {
        "url": url,
        "project": project,
        "branch": protection.branch,
        "pushers": list(protection.pushers),
        "mergers": list(protection.mergers),
        "approvals": protection.approvals,
        "approvers": list(protection.approvers),
        "forcePush": force_push,
        "recorders": list(protection.recorders),
    }


def _apply(props: dict[str, Any]) -> dict[str, Any]:
    from infra.gitlab import protected_branch
    from infra.outside import gitlab as client

    lists = {key: tuple(props[key]) for key in ("pushers", "mergers", "approvers", "recorders")}
    wanted = Protection(branch=props["branch"], approvals=int(props["approvals"]), **lists)
    with client.told(props["url"], props["project"], "change branch protection"):
        found = protected_branch.apply(*client.connect(props["url"], props["project"]), wanted)
    return _props(props["url"], props["project"], found.protection, found.force_push)
