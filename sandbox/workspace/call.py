"""One request, as handlers see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.workspace.auth import Identity
from sandbox.workspace.errors import ApiError, invalid
from sandbox.workspace.store import Store

Json = dict[str, Any]
Handler = Callable[["Call"], Any]


@dataclass(frozen=True)
class World:
    """What lives as long as the server."""

    store: Store
    folders: Path
    job_env: Callable[[str], dict[str, str]]


@dataclass(frozen=True)
class Call:
    """A request of somebody who is known."""

    world: World
    who: Identity
    path: dict[str, str]
    query: dict[str, str]
    body: Json

    @property
    def store(self) -> Store:
        """The state."""
        return self.world.store

    def need(self, name: str) -> Any:
        """A field of the body or query that must be there."""
        value = self.body.get(name, self.query.get(name))
        if value is None:
            raise invalid(f"Missing required field: {name}")
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """The same, as a number."""
        value = self.path.get(name, self.body.get(name, self.query.get(name, default)))
        try:
            return int(value)  # type: ignore[arg-type]  # None raises TypeError, which is the refusal wanted
        except (TypeError, ValueError):
            raise ApiError(400, "INVALID_PARAMETER_VALUE", f"{name}: {value!r} is not a number.") from None
