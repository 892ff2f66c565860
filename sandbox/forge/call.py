"""One request to the API, as handlers see it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox import clock
from sandbox.forge.errors import bad, forbidden, missing
from sandbox.forge.repository import Repository
from sandbox.forge.store import Json, Store
from sandbox.forge.users import User

Handler = Callable[["Call"], Any]
PROJECT_ID, PROJECT_PATH = 1, "quant/pipelines"


@dataclass(frozen=True)
class World:
    """What lives as long as the server. Refs are moved by the API under `refs` only."""

    store: Store
    repository: Repository
    refs: threading.RLock = field(default_factory=threading.RLock)


@dataclass(frozen=True)
class Listed:
    """A list whose items cost something to tell: only those of the page are."""

    items: list[Json]
    shown: Callable[[Json], Json]


@dataclass(frozen=True)
class Call:
    """A request of somebody who is known; `url` is the forge's own address."""

    world: World
    who: User
    url: str
    path: dict[str, str]
    query: dict[str, str]
    body: Json

    @property
    def store(self) -> Store:
        """The state."""
        return self.world.store

    @property
    def repository(self) -> Repository:
        """The project's repository."""
        return self.world.repository

    @property
    def web(self) -> str:
        """The project's page."""
        return f"{self.url}/{PROJECT_PATH}"

    def require(self, level: int) -> None:
        """403 for who has a lower role in the project."""
        if self.who.level < level:
            raise forbidden()

    def given(self, name: str) -> Any:
        """A parameter of the body or the query."""
        return self.body[name] if name in self.body else self.query.get(name)

    def text(self, name: str, default: str | None = None) -> str:
        """A string; one without a default must be there."""
        value = self.given(name)
        if value is None:
            if default is None:
                raise bad(f"{name} is missing")
            return default
        if isinstance(value, dict | list):
            raise bad(f"{name} is invalid")
        return str(value)

    def number(self, name: str, default: int | None = None) -> int:
        """A whole number; one without a default must be there."""
        value = self.given(name)
        if value is None and default is not None:
            return default
        try:
            return int(self.text(name))
        except ValueError:
            raise bad(f"{name} is invalid") from None

    def flag(self, name: str, default: bool = False) -> bool:
        """A truth value."""
        value = self.given(name)
        if value is None:
            return default
        if str(value).lower() not in ("true", "false", "1", "0"):
            raise bad(f"{name} is invalid")
        return str(value).lower() in ("true", "1")

    def numbers(self, name: str) -> list[int]:
        """An array of numbers, empty when left out."""
        value = self.given(name)
        try:
            return [] if value is None else [int(item) for item in _several(value)]
        except (TypeError, ValueError):
            raise bad(f"{name} is invalid") from None

    def words(self, name: str) -> list[str]:
        """Words, as an array or parted by commas."""
        value = self.given(name)
        return [] if value is None else [word for item in _several(value) if (word := str(item).strip())]

    def mappings(self, name: str) -> list[Json]:
        """An array of objects, empty when left out."""
        value = self.given(name) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise bad(f"{name} is invalid")
        return value

    def path_number(self, name: str) -> int:
        """A number of the path; a word there is no object."""
        if not self.path[name].isdigit():
            raise missing()
        return int(self.path[name])

    def identity(self) -> dict[str, str]:
        """git's environment for what the caller makes, at the sandbox's time."""
        when = f"{int(clock.now())} +0000"
        return {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", self.who.name), ("EMAIL", self.who.email), ("DATE", when))
        }


def now() -> str:
    """The sandbox's time, as GitLab writes it."""
    return stamp(clock.now())


def stamp(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _several(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [part for part in str(value).split(",") if part.strip()]
