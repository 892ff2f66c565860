"""The four environments: what each is called everywhere, from its own configuration, and who may do what in it.

Restated here on purpose and not taken from the program, so that a mistake there is found. What the configuration does not
say is None, and whatever depends on it is refused.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from rules import allowed, stack_files

DEVELOPMENT = "quant"
LIVE = "quant_live"
STACKS = (DEVELOPMENT, "quant_stg", "quant_lr", LIVE)

FOLDER_LEVELS = ("CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE")  # from least to most
JOB_LEVELS = ("CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER")
_PERSONAS = (
    "developers",
    "reviewers",
    "releaseManagers",
    "uatTesters",
    "limitedRelease",
    "endUsers",
    "support",
    "comparers",
)


@dataclass(frozen=True)
class Level:
    """The most that a persona has in an environment."""

    folder: str | None = None
    job: str | None = None
    reads: bool = False


_LOOK = Level("CAN_READ", "CAN_VIEW")
_WATCH = Level("CAN_READ", "CAN_VIEW", reads=True)
_RUN = Level("CAN_READ", "CAN_MANAGE_RUN", reads=True)
_DATA = Level(reads=True)
# docs/access.md. tests/test_policy_violations.py compares it with what the program says.
MATRIX: dict[str, dict[str, Level]] = {
    DEVELOPMENT: {"developers": _RUN, "reviewers": _WATCH, "releaseManagers": _WATCH, "support": _LOOK, "comparers": _DATA},
    "quant_stg": {
        "developers": _WATCH,
        "reviewers": _WATCH,
        "releaseManagers": _RUN,
        "uatTesters": _DATA,
        "support": _WATCH,
        "comparers": _DATA,
    },
    "quant_lr": {
        "developers": _LOOK,
        "releaseManagers": Level("CAN_READ", "CAN_MANAGE_RUN"),
        "limitedRelease": _DATA,
        "support": _LOOK,
        "comparers": _DATA,
    },
    LIVE: {
        "developers": _LOOK,
        "releaseManagers": _WATCH,
        "limitedRelease": _DATA,
        "endUsers": _DATA,
        "support": _WATCH,
        "comparers": _DATA,
    },
}


@dataclass(frozen=True)
class Environment:
    """One environment, from the texts of its configuration (`quant:key` -> value)."""

    name: str
    config: Mapping[str, str]
    listed: allowed.Allowed
    remote: str | None = None
    gitlab_url: str | None = None
    gitlab_project: str | None = None

    def text(self, key: str) -> str | None:
        """A plain value of the configuration."""
        return self.config.get(f"quant:{key}") or None

    def parts(self, key: str) -> Any:
        """A value that has parts: the engine hands it over as JSON text."""
        return _read(self.config.get(f"quant:{key}"))

    @cached_property
    def folder(self) -> str | None:
        """The path of the Git folder, without /Workspace."""
        path = self.text("folder")
        return path.removeprefix("/Workspace").rstrip("/") if path else None

    @cached_property
    def above(self) -> frozenset[str]:
        """The directories that the folder lies in; never the root, /Users, /Shared or /Repos themselves."""
        names = (self.folder or "").strip("/").split("/")[:-1]
        paths = ["/" + "/".join(names[: number + 1]) for number in range(len(names))]
        return frozenset(path for path in paths if path not in ("/Shared", "/Users", "/Repos"))

    @cached_property
    def principal(self) -> str | None:
        """The application id of the service principal that the jobs run as."""
        return _lower(self.text("servicePrincipal"))

    @cached_property
    def deployer(self) -> str | None:
        """The application id of the service principal that deploys."""
        return _lower(self.text("deployer"))

    @cached_property
    def database(self) -> str | None:
        """The database, as Snowflake spells it."""
        return _upper(self.text("database"))

    @cached_property
    def warehouse(self) -> str | None:
        """The warehouse of the jobs."""
        return _upper(self.text("warehouse"))

    @property
    def schema(self) -> str:
        """The schema, as Snowflake spells it: the environment's name, or one that is no other environment's."""
        said = _upper(self.text("schema")) or self.name.upper()
        return self.name.upper() if said in {stack.upper() for stack in STACKS} else said

    @cached_property
    def schemas(self) -> tuple[str, ...]:
        """The schema, and that of the baseline where a limited release has one."""
        release = self.parts("limitedRelease")
        has_one = self.name == "quant_lr" and isinstance(release, dict) and release.get("baseline") is True
        return (self.schema, f"{self.schema}_BASE") if has_one else (self.schema,)

    @cached_property
    def own_names(self) -> Mapping[str, str]:
        """What the team calls otherwise than usual."""
        said = self.parts("names")
        return {key: value for key, value in said.items() if isinstance(value, str)} if isinstance(said, dict) else {}

    @property
    def reader(self) -> str:
        """The database role that reads the schema."""
        return self.own_names.get("readerRole", f"{self.schema}_READER").upper()

    @property
    def writer(self) -> str:
        """The database role that writes the schema."""
        return self.own_names.get("writerRole", f"{self.schema}_WRITER").upper()

    @property
    def service_role(self) -> str:
        """The account role that holds the writer."""
        return self.own_names.get("serviceRole", f"{self.schema}_SVC").upper()

    @property
    def service_user(self) -> str:
        """The user that the jobs log in as."""
        return self.own_names.get("serviceUser", f"SVC_{self.schema}").upper()

    @property
    def secret_scope(self) -> str:
        """The scope that holds the service user's key."""
        return self.own_names.get("secretScope", self.name)

    @property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """What no other environment may share, by setting."""
        return {
            "names.serviceRole": (self.service_role,),
            "names.serviceUser": (self.service_user,),
            "names.readerRole or names.writerRole": (self.reader, self.writer),
            "names.secretScope": (self.secret_scope,),
        }

    @cached_property
    def monitor(self) -> str | None:
        """What watches the warehouse's costs."""
        return f"{self.warehouse}_MONITOR" if self.warehouse else None

    @property
    def git_provider(self) -> str:
        """The Databricks word for the forge."""
        return self.text("gitProvider") or "gitLab"

    @property
    def network_policy(self) -> str:
        """From where the service user logs in."""
        return f"{self.schema}_SVC_ADDRESSES"

    @cached_property
    def levels(self) -> Mapping[str, Level]:
        """Databricks group -> the most that it has here, for every persona."""
        return {self._called(persona)[0]: MATRIX[self.name].get(persona, Level()) for persona in _PERSONAS}

    @cached_property
    def roles(self) -> Mapping[str, Level]:
        """Snowflake account role -> the most that it has here, for every persona."""
        return {self._called(persona)[1]: MATRIX[self.name].get(persona, Level()) for persona in _PERSONAS}

    @cached_property
    def release_managers(self) -> str:
        """The path of the release managers' group in GitLab."""
        given = self.parts("gitlab")
        path = given.get("releaseManagers") if isinstance(given, dict) else None
        return path if isinstance(path, str) and path else self._called("releaseManagers")[0]

    @cached_property
    def references(self) -> frozenset[str]:
        """What jobs may use outside of the folder. In quant_live only what was reviewed with the pack counts."""
        reviewed = self.listed.references.get(self.name, frozenset())
        if self.name == LIVE:
            return reviewed
        said = self.text("allowed") or ""
        return reviewed | allowed.flat(self.parts("allowed") if said[:1] in ("[", "{") else said.split() or None)

    def allows(self, reference: str) -> bool:
        """Whether a reference is listed, or lies below one that is."""
        return any(reference == one or reference.startswith(f"{one.rstrip('/')}/") for one in self.references)

    @cached_property
    def webhooks(self) -> frozenset[str] | None:
        """Which notification destinations of the workspace jobs use; None: any, because administrators alone make them."""
        found = [self.listed.webhooks.get(self.name)]
        if self.name != LIVE:
            found.append(allowed.webhooks(self.parts("allowed")))
        listed = [one for one in found if one is not None]
        return frozenset().union(*listed) if listed else None

    def _called(self, persona: str) -> tuple[str, str]:
        words = re.sub(r"([A-Z])", r"-\1", persona).lower()
        usual = {"group": f"quant-{words}", "role": f"QUANT_{words.replace('-', '_')}"}
        given = self.parts("personas")
        said = given.get(persona) if isinstance(given, dict) else None
        names = {**usual, **said} if isinstance(said, dict) else usual
        return str(names["group"]), str(names["role"]).upper()


_given: dict[str, Mapping[str, str]] = {}


def configure(stack: str, config: Mapping[str, str]) -> None:
    """Take over what the engine says of the stack that it judges; it wins over the files."""
    _given[stack] = config
    named.cache_clear()


@cache
def named(stack: str) -> Environment | None:
    """The environment that a stack is; None when it is none."""
    if stack not in STACKS:
        return None
    config = {**stack_files.configuration(ROOT, stack), **_given.get(stack, {})}
    gitlab = _object(config.get("quant:gitlab"))
    return Environment(
        stack,
        config,
        _listed(),
        os.environ.get("QUANT_REMOTE") or config.get("quant:remote"),
        (os.environ.get("QUANT_GITLAB_URL") or gitlab.get("url") or "").rstrip("/") or None,
        os.environ.get("QUANT_GITLAB_PROJECT") or gitlab.get("project"),
    )


def _root() -> Path:
    """Where Pulumi.yaml, the four stack files and policy/allowed.yaml are: QUANT_PROJECT, else beside the pack."""
    chosen = os.environ.get("QUANT_PROJECT")
    return Path(chosen).expanduser().resolve() if chosen else Path(__file__).resolve().parents[2]


ROOT = _root()


def is_of_another_project(stack: str) -> bool:
    """Whether the engine runs the stack with other settings than those that the pack reads: it looks into a wrong folder."""
    key, files = "quant:servicePrincipal", stack_files.configuration(ROOT, stack)
    given = _given.get(stack, {}).get(key)
    return given is not None and given != files.get(key)


@cache
def _listed() -> allowed.Allowed:
    return allowed.read(ROOT / "policy" / "allowed.yaml")


def identifier_parts(identifier: Any) -> tuple[str, ...]:
    """`"QUANT".quant_live` as ("QUANT", "QUANT_LIVE"): what is not quoted is upper case in Snowflake."""
    if not isinstance(identifier, str):
        return ()
    found = re.findall(r'"((?:[^"]|"")*)"|([^."]+)', identifier)
    return tuple(quoted.replace('""', '"') or bare.strip().upper() for quoted, bare in found)


def _read(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _object(text: str | None) -> dict[str, Any]:
    found = _read(text)
    return found if isinstance(found, dict) else {}


def _lower(text: str | None) -> str | None:
    return text.lower() if text else None


def _upper(text: str | None) -> str | None:
    return text.upper() if text else None
