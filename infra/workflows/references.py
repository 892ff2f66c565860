"""`${...}` in a bundle: variables, the bundle itself, the workspace, other resources. Pure.

https://docs.databricks.com/dev-tools/bundles/variables
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.settings import Settings
from infra.workflows.document import Map, Seq, copied
from infra.workflows.problems import Mark, Problem, one_of, quoted

_WORD = r"[A-Za-z_][A-Za-z0-9_-]*"
_REFERENCE = re.compile(rf"\$\{{({_WORD}(?:\.{_WORD}|\[\d+\]|\.\d+)*)\}}")
_OURS = ("var", "variables", "bundle", "workspace", "resources", "artifacts")
_LONGEST, _VALUES, _DEEP = 65_536, 100_000, 40
_DEPLOYED, _FILES = "${workspace.root_path}/files", "${workspace.file_path}"  # where the bundle tool puts files
CURRENT_USER = "${workspace.current_user.userName}"


class Unresolved(Exception):
    """A reference that has no value here. `foreign` when it is of a thing that another tool deploys."""

    def __init__(self, text: str, foreign: bool = False) -> None:
        super().__init__(text)
        self.foreign = foreign


@dataclass
class References:
    """What the references of one bundle mean in one environment."""

    config: Map
    settings: Settings
    target: str
    root: str  # the bundle's folder as jobs see it
    keys: Mapping[str, str]  # job of the bundle -> its logical name
    made: int = 0
    _busy: list[str] = field(default_factory=list)
    _known: dict[str, Any] = field(default_factory=dict)

    def resolved(self, value: Any, foreign: list[Problem], wrong: list[Problem], mark: Mark, way: str = "") -> Any:
        """A copy without references; those that have no value here are told in one of the two lists."""
        self.made += 1
        if self.made > _VALUES:
            wrong.append(Problem(mark, way, f"the bundle's variables make more than {_VALUES} values."))
            return None
        if isinstance(value, Map):
            made = Map(value.mark)
            for key, item in value.items():
                there = value.marks.get(key, value.mark)
                made.put(key, self.resolved(item, foreign, wrong, there, f"{way}.{key}".lstrip(".")), there)
            return made
        if isinstance(value, Seq):
            items = zip(value, value.marks, strict=True)
            inner = [self.resolved(item, foreign, wrong, at, f"{way}[{i}]") for i, (item, at) in enumerate(items)]
            return Seq(value.mark, inner, value.marks)
        if not isinstance(value, str) or "${" not in value:
            return value
        try:
            return self.text(value)
        except Unresolved as error:
            (foreign if error.foreign else wrong).append(Problem(mark, way, str(error)))
            return value

    def text(self, value: str) -> Any:
        """What a text with references stands for; a text that is one reference may stand for anything."""
        value = value.replace(_DEPLOYED, _FILES)
        whole = _REFERENCE.fullmatch(value)
        if whole and whole[1].split(".")[0] in _OURS:
            return self._value(whole[1])
        made = _REFERENCE.sub(self._within_text, value)
        if len(made) > _LONGEST:
            raise Unresolved(f"found a text of more than {_LONGEST} characters after its variables are put in.")
        return made

    def _within_text(self, found: re.Match[str]) -> str:
        if found[1].split(".")[0] not in _OURS:
            return found[0]  # a shell's or Spark's own
        value = self._value(found[1])
        if isinstance(value, (Map, Seq)) or value is None:
            raise Unresolved(f"{found[0]} is {quoted(value)}, which cannot be part of a text.")
        return _spelled(value)

    def _value(self, path: str) -> Any:
        if path in self._known:
            return copied(self._known[path])
        if path in self._busy:
            raise Unresolved(f"{' -> '.join([*self._busy, path])} refer to each other in a circle.")
        if len(self._busy) > _DEEP:
            raise Unresolved(f"${{{path}}} is reached through more than {_DEEP} references.")
        self._busy.append(path)
        try:
            self._known[path] = self._found(path)
        finally:
            self._busy.pop()
        return copied(self._known[path])

    def _found(self, path: str) -> Any:
        if path in self.settings.variables:
            return self.settings.variables[path]
        head, *rest = path.split(".")
        if head in ("var", "variables") and rest:
            return self._inner(self._variable(rest[0].split("[")[0]), _steps(".".join(rest))[1:], path)
        if head == "bundle" and rest:
            return self._of_bundle(path, rest)
        if head == "workspace" and rest:
            return self._of_workspace(path, rest)
        if head == "resources" and len(rest) > 2:
            return self._of_resource(path, rest)
        raise Unresolved(f"${{{path}}} has no value here.")

    def _variable(self, name: str) -> Any:
        if name in self.settings.variables:
            return _marked(self.settings.variables[name])
        declared = self.config.get("variables")
        if not isinstance(declared, Map) or name not in declared:
            known = [*(declared if isinstance(declared, Map) else ()), *self.settings.variables]
            raise Unresolved(f"${{var.{name}}}: no variable is called {name}; {one_of(name, known)}")
        variable = declared[name]
        if not isinstance(variable, Map) or not set(variable) & {"default", "lookup", "description", "type", "value"}:
            value = variable
        elif "default" in variable or "value" in variable:
            value = variable.get("default", variable.get("value"))
        elif "lookup" in variable:
            lookup = variable["lookup"]
            asked = ", ".join(f"{kind} {quoted(one)}" for kind, one in lookup.items()) if isinstance(lookup, Map) else lookup
            raise Unresolved(
                f"${{var.{name}}} is looked up by name in the workspace ({asked}), and nothing is asked while a file is"
                f" read; say its id in quant:variables.{name} of each stack."
            )
        else:
            raise Unresolved(f"${{var.{name}}} has no value; give it a default, or say it in quant:variables.{name}.")
        return self._deeply(value)

    def _deeply(self, value: Any) -> Any:
        foreign: list[Problem] = []
        wrong: list[Problem] = []
        made = self.resolved(value, foreign, wrong, Mark(""))
        if foreign or wrong:
            raise Unresolved((wrong + foreign)[0].text, foreign=not wrong)
        return made

    def _inner(self, value: Any, steps: list[str | int], path: str) -> Any:
        for step in steps:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                raise Unresolved(f"${{{path}}} has no value; {quoted(value)} has no {step}.") from None
        return self._deeply(value)

    def _of_bundle(self, path: str, rest: list[str]) -> Any:
        if rest in (["target"], ["environment"]):
            return self.target
        if rest == ["git", "branch"]:
            return self.settings.branch
        if rest[:2] == ["git", "commit"]:
            raise Unresolved(f"${{{path}}} changes with every commit, and a job is to change only when its definition does.")
        return self._inner(self.config.get("bundle"), _steps(".".join(rest)), path)

    def _of_workspace(self, path: str, rest: list[str]) -> Any:
        if rest[0] in ("file_path", "root_path"):
            return self.root
        if rest == ["current_user", "userName"]:
            return self.settings.service_principal
        if rest[0] == "current_user" and rest[-1] in ("short_name", "domain_friendly_name", "displayName"):
            return self.settings.environment.value
        workspace = self.config.get("workspace")
        if isinstance(workspace, Map) and rest[0] in ("host", "profile", "resource_path") and rest[0] in workspace:
            return self._inner(workspace, _steps(".".join(rest)), path)
        if rest[0] == "artifact_path":
            raise Unresolved(f"${{{path}}}: nothing is built here; name what is built by its path in a volume.")
        raise Unresolved(f"${{{path}}} has no value here; say it in quant:variables as {path!r}.")

    def _of_resource(self, path: str, rest: list[str]) -> Any:
        kind, key = rest[0], rest[1]
        if kind != "jobs":
            raise Unresolved(
                f"needs ${{{path}}}, and resources.{kind} is not deployed from here; say {path!r} in quant:variables.",
                foreign=True,
            )
        if key not in self.keys:
            raise Unresolved(f"${{{path}}}: no job of the bundle is called {key}; {one_of(key, list(self.keys))}")
        if rest[2:] == ["id"]:
            return f"${{resources.jobs.{self.keys[key]}.id}}"
        return self._inner(self.config, _steps(path), path)


def _steps(path: str) -> list[str | int]:
    return [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]


def _spelled(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(getattr(value, "written", value))


def _marked(value: Any) -> Any:
    """A value of the settings, in the form of a file's."""
    mark = Mark("quant:variables")
    if isinstance(value, Mapping):
        made = Map(mark)
        for key, item in value.items():
            made.put(str(key), _marked(item), mark)
        return made
    if isinstance(value, (list, tuple)):
        return Seq(mark, map(_marked, value), [mark] * len(value))
    return value
