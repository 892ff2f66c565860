"""What a promotion would move: commits, and workflows that are added, changed or removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.settings import Settings
from quantctl.promotion.read import Reading, definitions
from quantctl.records.repository import Commit, Pipelines


@dataclass(frozen=True)
class Workflows:
    """Names of workflows; of the changed ones the fields that differ."""

    added: list[str]
    removed: list[str]
    changed: dict[str, list[str]]

    def __str__(self) -> str:
        parts = [f"+ {name}" for name in self.added] + [f"- {name}" for name in self.removed]
        parts += [f"~ {name} ({', '.join(fields)})" for name, fields in self.changed.items()]
        return ", ".join(parts) or "none"


def workflows(pipelines: Pipelines, settings: Settings, old: str, new: str) -> Workflows:
    """How the target's jobs at `new` differ from those at `old`."""
    return compare(_by_name(definitions(pipelines, settings, old)), _by_name(definitions(pipelines, settings, new)))


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Workflows:
    """Two sets of definitions, by name."""
    both = sorted(old.keys() & new.keys())
    return Workflows(
        added=sorted(new.keys() - old.keys()),
        removed=sorted(old.keys() - new.keys()),
        changed={name: fields for name in both if (fields := _differing(old[name], new[name]))},
    )


def commits(reading: Reading) -> list[Commit]:
    """What would move, the newest first."""
    line = reading.facts.line
    return list(getattr(line, "ahead", []))


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def _by_name(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {str(one["name"]): one for one in found}
