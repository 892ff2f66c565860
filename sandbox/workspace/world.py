"""What lives as long as the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox import switches
from sandbox.switches import Switches
from sandbox.workspace.store import Store

WORKSPACE_ID = "4000000000000001"


@dataclass(frozen=True)
class World:
    """The store, the clones of Git folders, the environment of an identity's job processes, the state folder."""

    store: Store
    folders: Path
    job_env: Callable[[str], dict[str, str]]
    state: Path

    @property
    def switches(self) -> Switches:
        """How the workspace behaves now."""
        return switches.read(self.state)
