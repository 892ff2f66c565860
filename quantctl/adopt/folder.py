"""The working folder of an adoption: plain files to review, each written whole or not at all.

adoption/workflows/ is for all environments; adoption/ENV/ has what was found, proposed, decided and kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from quantctl import project
from quantctl.adopt.model import Look
from quantctl.errors import UserError


@dataclass(frozen=True)
class Place:
    """Where the files of one environment's adoption are."""

    root: Path
    env: str

    @classmethod
    def of(cls, env: str) -> Place:
        """In the project's folder."""
        return cls(project.root() / "adoption", env)

    @property
    def folder(self) -> Path:
        """The environment's own."""
        return self.root / self.env

    @property
    def workflows(self) -> Path:
        """The workflow files of all environments."""
        return self.root / "workflows"

    @property
    def look(self) -> Path:
        """What was found."""
        return self.folder / "look.json"

    @property
    def stack_file(self) -> Path:
        """The stack file as it would have to be."""
        return self.folder / f"Pulumi.{self.env}.yaml"

    @property
    def trial(self) -> Path:
        """What the last trial showed, and of which files."""
        return self.folder / "trial.json"

    @property
    def scratch(self) -> Path:
        """States of imports while they are tried; nothing in it outlives the command."""
        return self.folder / "scratch"

    @property
    def decisions(self) -> Path:
        """Every difference, with what was decided."""
        return self.folder / "decisions.yaml"

    @property
    def sql(self) -> Path:
        """What an account administrator has to run."""
        return self.folder / "prepare.sql"

    @property
    def import_file(self) -> Path:
        """What `pulumi import` reads."""
        return self.folder / "import.json"

    @property
    def state_before(self) -> Path:
        """The stack's state as it was before the import."""
        return self.folder / "state-before.json"

    def read_look(self) -> Look:
        """What was found.

        Raises:
            UserError: nobody has looked yet, or the file is not what this version writes.
        """
        try:
            return Look.model_validate_json(self.look.read_text())
        except FileNotFoundError:
            raise UserError(f"Nobody has looked at {self.env} yet.", do_next=f"quantctl adopt {self.env} look") from None
        except (ValidationError, ValueError) as error:
            raise UserError(
                f"{self.look} cannot be read: {str(error).splitlines()[0]}", do_next=f"quantctl adopt {self.env} look"
            ) from None

    def workflow_files(self) -> dict[str, bytes]:
        """Name -> content of the generated workflow files."""
        return {file.name: file.read_bytes() for file in sorted(self.workflows.glob("*.yml"))}


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """No other step of an adoption runs meanwhile; a step that was killed holds nothing any more.

    Raises:
        UserError: one runs.
    """
    file = project.root() / "adoption" / ".lock"
    file.parent.mkdir(exist_ok=True)
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                "Another step of an adoption runs in this project.", do_next="wait for it, then run the command again"
            ) from None
        yield


def write(file: Path, text: str) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(text)
    beside.replace(file)


def write_json(file: Path, value: Any) -> None:
    """As people read it."""
    write(file, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
