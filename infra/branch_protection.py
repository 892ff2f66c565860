"""Who may push to and merge into a maturity branch at the forge, who approves that, and who makes its records. Pure.

What stands here follows from the gates of the edges into the branch (infra/promotion.py); a stack file says what differs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from infra.errors import UserError
from infra.named_values import Part
from infra.promotion import EDGES, GateChanges, gates_of
from infra.vocabulary import Environment

# Access levels by name: https://docs.gitlab.com/api/protected_branches/#valid-access-levels
LEVELS = {"noOne": 0, "developers": 30, "maintainers": 40}


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^/@\s?#]+(/[^@\s?#]*)?", value):
        raise ValueError("an http or https URL without user name is expected, for example https://gitlab.example")
    return value.rstrip("/")


def _path(value: str) -> str:
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", value):
        raise ValueError("the path in GitLab's URLs is expected, for example quant/pipelines")
    return value


def _who(value: list[str]) -> list[str]:
    if not value or (len(value) > 1 and "noOne" in value):
        raise ValueError("noOne alone, or names of those who may, is expected, for example [maintainers]")
    return sorted({name[:1] + _path(name[1:]) if name.startswith("@") else _path(name) for name in value})


def _groups(value: list[str]) -> list[str]:
    if not value or LEVELS.keys() & set(value):
        raise ValueError("paths of groups are expected, for example [quant-reviewers]: a level is no rule of GitLab's")
    return sorted(set(map(_path, value)))


Url = Annotated[str, AfterValidator(_url)]
PathInGitLab = Annotated[str, AfterValidator(_path)]
Who = Annotated[list[str], AfterValidator(_who)]
GroupPaths = Annotated[list[str], AfterValidator(_groups)]
# The tags that are records (quantctl/records), below which an environment has its own.
RECORDS = ("deployment", "promotion", "signoff", "approval", "results")


class GitLab(Part):
    """Where the pipelines repository's merge requests are."""

    url: Url = Field(description="of GitLab; QUANT_GITLAB_URL wins over it")
    project: PathInGitLab = Field(description="path of the pipelines repository's project; QUANT_GITLAB_PROJECT wins")
    release_managers: PathInGitLab | None = Field(
        default=None, description="path of the release managers' group; else the persona's group"
    )
    reviewers: PathInGitLab | None = Field(
        default=None, description="path of the reviewers' group; else the persona's group"
    )
    uat_testers: PathInGitLab | None = Field(
        default=None, description="path of the group whose members sign off; else the persona's group"
    )
    recorders: Who = Field(
        default=["maintainers"], description="who may make the tags that are records: levels, paths of groups, or @user"
    )
    authors: Literal["checked", "trusted"] = Field(
        default="checked", description="trusted: commits name who wrote them, though no push rule checks it"
    )


class ProtectionChanges(Part):
    """What a stack file says of its branch; what is not said follows from the gates."""

    pushers: Who | None = Field(default=None, description="`noOne`, `developers`, `maintainers`, paths of groups, or @user")
    mergers: Who | None = Field(default=None, description="the same, for merge requests")
    approvals: int | None = Field(default=None, ge=0, description="that a merge request needs")
    approvers: GroupPaths | None = Field(default=None, description="paths of the groups whose members approve")


@dataclass(frozen=True)
class Protection:
    """A protected branch: names of levels, paths of groups or @users, sorted; force pushes are never allowed.

    `approvers` are the groups whose approvals count; `recorders` may make the tags that are the environment's records.
    """

    branch: str
    pushers: tuple[str, ...]
    mergers: tuple[str, ...]
    approvals: int
    approvers: tuple[str, ...] = ()
    recorders: tuple[str, ...] = ("maintainers",)

    @property
    def record_tags(self) -> tuple[str, ...]:
        """What the tags are called that are records of the environment, with GitLab's wildcard."""
        return tuple(f"{kind}/{self.branch}/*" for kind in RECORDS)


# What of a protection is declared, and compared with what GitLab has.
COMPARED = ("pushers", "mergers", "approvals", "approvers", "forcePush", "recorders")


def differences(declared: Mapping[str, Any], real: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Key, declared and real value of what differs between a protection's inputs and what was read of it.

    A number comes from the engine as a float, and one that is equal is no change.
    """
    return [(key, declared.get(key), real.get(key)) for key in COMPARED if declared.get(key) != real.get(key)]


def protection_of(
    environment: Environment,
    changes: ProtectionChanges | None,
    gates: dict[str, GateChanges],
    release_managers: str,
    reviewers: str = "quant-reviewers",
    recorders: Sequence[str] = ("maintainers",),
) -> Protection:
    """The protection of an environment's branch.

    Where changes come by merge request, nobody pushes. Where every edge asks for a release manager, they alone merge.
    GitLab counts approvals by target alone: the number is the smallest of the edges' (a merge request of the easier edge
    could never be merged else), and the promotion's own gate holds the others. A rule without groups is "any approver", of
    which a project has one for all its branches (gitlabform #388): so the rule names reviewers and release managers.

    Raises:
        UserError: quant_live would be opened.
    """
    edges = [gates_of(edge, gates) for edge in EDGES if edge.target is environment]
    locked = bool(edges) and all(gate.release_manager for gate in edges)
    said = changes or ProtectionChanges()
    approvals = min((gate.approvals for gate in edges), default=0) if said.approvals is None else said.approvals
    found = Protection(
        environment.value,
        tuple(said.pushers or (["noOne"] if edges else ["developers"])),
        tuple(said.mergers or ([release_managers] if locked else ["developers"])),
        approvals,
        tuple(said.approvers or sorted({reviewers, release_managers})) if approvals else (),
        tuple(sorted(recorders)),
    )
    if environment is Environment.LIVE and (problem := _opened(found)):
        raise UserError(f"Pulumi.{environment}.yaml: quant:branchProtection.{problem} (docs/cloud.md).")
    return found


def _opened(live: Protection) -> str | None:
    if live.pushers != ("noOne",):
        return f"pushers: found {', '.join(live.pushers)}, allowed is noOne: what reaches quant_live goes through its gates"
    if levels := LEVELS.keys() & set(live.mergers):
        return f"mergers: found {', '.join(sorted(levels))}, allowed are paths of groups: certain members merge, not a level"
    if live.approvals < 1:
        return "approvals: found 0, at least 1 is expected: nobody releases alone"
    return None


def gitlab_settings(given: object, environ: Mapping[str, str]) -> dict[str, object] | object:
    """The value of `quant:gitlab`, where the environment says it otherwise; None when GitLab is not used.

    Raises:
        UserError: only one of QUANT_GITLAB_URL and QUANT_GITLAB_PROJECT is known.
    """
    if given is not None and not isinstance(given, dict):
        return given  # its own check tells what is wrong
    named = {"url": environ.get("QUANT_GITLAB_URL"), "project": environ.get("QUANT_GITLAB_PROJECT")}
    merged = {**(given or {}), **{key: value for key, value in named.items() if value}}
    if not merged or (not environ.get("QUANT_GITLAB_URL") and not {"url", "project"} & merged.keys()):
        return None
    for key, variable in (("url", "QUANT_GITLAB_URL"), ("project", "QUANT_GITLAB_PROJECT")):
        if not merged.get(key):
            raise UserError(
                f"GitLab: {key} is not known: set the environment variable {variable}, or quant:gitlab.{key} in Pulumi.yaml;"
                " without both, the forge is plain Git."
            )
    return merged
