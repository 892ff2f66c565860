"""Permission entries as the `Permissions` resource takes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from infra.access import Access
from infra.settings import Settings
from infra.vocabulary import FolderLevel, JobLevel, Persona

Entry = dict[str, str]


def group_entries(settings: Settings, row: Mapping[Persona, Access], what: Literal["folder", "job"]) -> list[Entry]:
    """One entry for each persona that has a level on folders or on jobs."""
    levels = ((settings.names(persona).group, getattr(access, what)) for persona, access in row.items())
    return [{"group_name": group, "permission_level": level.value} for group, level in levels if level != "none"]


def principal_entry(application_id: str, level: FolderLevel | JobLevel) -> Entry:
    """The entry of a service principal."""
    return {"service_principal_name": application_id, "permission_level": level.value}
