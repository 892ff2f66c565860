"""What a reading knows beside the definitions: the environment, its settings, the files of the commit. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from infra.naming import Names
from infra.settings import Settings
from infra.vocabulary import Environment
from infra.workflows.problems import Mark, Problem


@dataclass(frozen=True)
class Scene:
    """One environment at one commit."""

    settings: Settings
    names: Names
    present: frozenset[str]
    elsewhere: bool = False  # another stack's, whose quant:allowed is not known here

    @classmethod
    def of(cls, environment: Environment, here: Scene) -> Scene:
        """Another environment, as far as one stack can know it: its folder stands beside this one's."""
        folder = f"{here.settings.folder.rpartition('/')[0]}/{environment}"
        settings = here.settings.model_copy(update={"environment": environment, "folder": folder})
        return cls(settings, here.names, here.present, elsewhere=True)

    def forbids(self, path: str) -> bool:
        """Whether no stack allows an absolute path: a person's own, or another environment's."""
        parent = self.folder.rpartition("/")[0]
        others = [f"{parent}/{one}/" for one in Environment if one is not self.settings.environment]
        return path.startswith(("/Workspace/Users/", "/Workspace/Repos/", *others))

    @property
    def folder(self) -> str:
        """The environment's Git folder, as jobs name it."""
        return f"/Workspace{self.settings.folder}"

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder of the commit, the root being the empty text."""
        found = {""}
        for path in self.present:
            while (path := path.rpartition("/")[0]) not in found:
                found.add(path)
        return frozenset(found)

    @cached_property
    def variables(self) -> frozenset[str]:
        """The values that the settings give: who wrote them there has allowed them."""
        return frozenset(str(value) for value in self.settings.variables.values() if isinstance(value, (str, int)))

    def allows(self, value: str, listed: Iterable[str]) -> bool:
        """Whether the settings name a thing that is not the environment's own."""
        return value in self.variables or value in listed


@dataclass(frozen=True)
class Note:
    """What is right to know and stops nothing: set aside, or left out; `job` is the key of a job that is left out."""

    mark: Mark
    text: str
    warns: bool = False
    job: str | None = None

    def __str__(self) -> str:
        return str(Problem(self.mark, "", self.text))
