"""Who promotes where the forge knows nobody: the owner of a Databricks token, asked at the workspace, with groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.errors import UserError
from infra.outside.workspace import Workspace
from infra.outside.workspace_connection import Unreadable
from quantctl.forge.model import Answer, Person, Verdict

_SECONDS = 5


@dataclass(frozen=True)
class Owner:
    """A person of the workspace, and the groups that they are in."""

    person: Person
    groups: frozenset[str]


def owner_of_the_token(environ: Mapping[str, str]) -> Owner:
    """The owner of QUANT_PROMOTER_TOKEN, else of the workspace's credentials in `environ`.

    Raises:
        UserError: the workspace does not answer, or refuses the token.
    """
    token = environ.get("QUANT_PROMOTER_TOKEN")
    source = "QUANT_PROMOTER_TOKEN" if token else "this shell's Databricks credentials"
    try:
        me = Workspace(environ, seconds=_SECONDS, token=token).me()
    except Unreadable as error:
        raise UserError(f"Who promotes is unknown, as {source} does not tell. {error}") from None
    return read_owner(me, f"known by {source}")


def read_owner(me: Mapping[str, Any], how_known: str) -> Owner:
    """Of the SCIM answer. A service principal has no e-mail address: its application id stands for it. Pure."""
    user_name = str(me.get("userName") or me.get("applicationId") or "")
    emails = [entry for entry in me.get("emails") or [] if entry.get("value")]
    email = next((e["value"] for e in emails if e.get("primary")), emails[0]["value"] if emails else user_name)
    person = Person(str(me.get("displayName") or user_name), str(email), user_name, how_known)
    return Owner(person, frozenset(str(group.get("display", "")).lower() for group in me.get("groups") or []))


def in_group(owner: Owner, group: str) -> Answer:
    """Whether the owner is in a group of the workspace. Pure."""
    member = group.lower() in owner.groups
    return Answer(
        Verdict.YES if member else Verdict.NO,
        f"{owner.person}, {owner.person.how_known}, is {'' if member else 'not '}in the workspace's group {group}",
    )
