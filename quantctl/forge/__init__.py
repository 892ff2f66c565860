"""The forge: where changes are reviewed and merged. GitLab where the settings name it, else the plain Git remote."""

from __future__ import annotations

from collections.abc import Mapping

from infra.settings import Settings
from quantctl.forge.model import (
    Answer,
    Approval,
    Approvals,
    Forge,
    MergeOutcome,
    MergeRequest,
    MergeResult,
    Person,
    Verdict,
    wait_for_approvals,
)

__all__ = [
    "Answer",
    "Approval",
    "Approvals",
    "Forge",
    "MergeOutcome",
    "MergeRequest",
    "MergeResult",
    "Person",
    "Verdict",
    "connect",
    "wait_for_approvals",
]


def connect(settings: Settings, environ: Mapping[str, str]) -> Forge:
    """The forge that the settings name, as whoever promotes.

    Raises:
        infra.errors.UserError: GitLab does not answer, refuses the token, or does not show the project.
    """
    if settings.gitlab is not None:
        from quantctl.forge.gitlab import GitLabForge

        return GitLabForge(settings, settings.gitlab, environ)
    from quantctl.forge.plain_git import PlainGit

    return PlainGit(settings, environ)
