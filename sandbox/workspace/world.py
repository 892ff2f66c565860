"""What lives as long as the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.workspace.store import Store


@dataclass(frozen=True)
class World:
    """The state, the clones of Git folders, and the environment of an identity's job processes."""

    store: Store
    folders: Path
    job_env: Callable[[str], dict[str, str]]
