"""One request, as handlers see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.workspace import fields
from sandbox.workspace.auth import Identity
from sandbox.workspace.errors import invalid
from sandbox.workspace.execution import Runner
from sandbox.workspace.fields import Json
from sandbox.workspace.store import Store
from sandbox.workspace.world import World

__all__ = ["Call", "Handler", "Json"]
Handler = Callable[["Call"], Any]


@dataclass(frozen=True)
class Call:
    """A request of somebody who is known. Fields that nobody asks for are ignored, as the product does."""

    world: World
    runner: Runner
    who: Identity
    path: dict[str, str]
    query: dict[str, str]
    body: Json

    @property
    def store(self) -> Store:
        """The state."""
        return self.world.store

    def given(self, name: str) -> Any:
        """A field of the path, the body or the query; null is as good as left out."""
        return next((part[name] for part in (self.path, self.body, self.query) if part.get(name) is not None), None)

    def text(self, name: str, default: str | None = None) -> str:
        """A string; one without a default must be there."""
        value = self.given(name)
        if value is None and default is not None:
            return default
        return fields.text(name, self._there(name))

    def number(self, name: str, default: int | None = None) -> int:
        """A number; one without a default must be there."""
        value = self.given(name)
        if value is None and default is not None:
            return default
        return fields.number(name, self._there(name))

    def flag(self, name: str) -> bool:
        """A truth value, false when left out."""
        value = self.given(name)
        return value is not None and fields.flag(name, value)

    def mapping(self, name: str) -> Json:
        """An object, empty when left out."""
        value = self.given(name)
        return {} if value is None else fields.mapping(name, value)

    def mappings(self, name: str) -> list[Json]:
        """An array of objects, empty when left out."""
        return fields.mappings(name, self.given(name))

    def _there(self, name: str) -> Any:
        value = self.given(name)
        if value is None:
            raise invalid(f"Missing required field: {name}")
        return value
