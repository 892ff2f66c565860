"""GitLab's pipeline files as GitLab puts them together: inputs, includes, `extends`, and which jobs an event starts.

https://docs.gitlab.com/ci/yaml/includes/, https://docs.gitlab.com/ci/inputs/ and https://docs.gitlab.com/ci/jobs/job_rules/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

Config = dict[str, Any]
_GLOBAL = {"include", "stages", "workflow", "variables", "default", "spec"}
_INPUT = re.compile(r"\$\[\[ *inputs\.([\w-]+) *\]\]")
_TOKEN = re.compile(r'\$(?P<name>\w+)|"(?P<text>[^"]*)"|/(?P<pattern>[^/]+)/|(?P<operator>==|!=|=~|&&|\|\|)')


def documents(file: Path) -> tuple[Config, str]:
    """The header's specification of inputs and the text below it."""
    head, separator, body = file.read_text().partition("\n---\n")
    if not separator:
        return {}, head
    header: Config = yaml.safe_load(head)["spec"]
    return header, body


def filled(file: Path, given: Mapping[str, str]) -> Config:
    """One file with its inputs in place, without what it includes."""
    spec, body = documents(file)
    inputs = spec.get("inputs", {})
    assert set(given) <= set(inputs), f"{file} does not know the inputs {set(given) - set(inputs)}"
    values = {}
    for name, kind in inputs.items():
        value = given.get(name, (kind or {}).get("default"))
        assert value is not None, f"{file} needs the input {name}"
        assert value in (kind or {}).get("options", [value]), f"{file}: {value} is no {name}"
        values[name] = value
    read: Config = yaml.safe_load(_INPUT.sub(lambda found: values[found.group(1)], body))
    return read


def pipeline(root: Path, file: str, given: Mapping[str, str] = MappingProxyType({})) -> Config:
    """A whole pipeline: what is included first, then the file itself on top, jobs with what they extend."""
    merged = _included(root, root / file, given)
    return {name: _extended(merged, value) if name not in _GLOBAL else value for name, value in merged.items()}


def jobs(config: Config) -> Iterator[tuple[str, Config]]:
    """The jobs that can run."""
    return ((name, job) for name, job in config.items() if name not in _GLOBAL and not name.startswith("."))


def started(config: Config, event: Mapping[str, str]) -> dict[str, str]:
    """Job -> `on_success` or `manual`, of the pipeline that an event starts; empty when it starts none."""
    if _first(config["workflow"]["rules"], event) is None:
        return {}
    found = {name: _first(job["rules"], event) for name, job in jobs(config)}
    return {name: rule.get("when", "on_success") for name, rule in found.items() if rule is not None}


def _included(root: Path, file: Path, given: Mapping[str, str]) -> Config:
    own = filled(file, given)
    merged: Config = {}
    for item in own.get("include", []):
        merged = _merged(merged, _included(root, root / item["local"], item.get("inputs", {})))
    whole: Config = _merged(merged, {name: value for name, value in own.items() if name != "include"})
    return whole


def _merged(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{name: _merged(below.get(name), value) for name, value in above.items()}}
    return above


def _extended(config: Config, job: Any) -> Any:
    if not isinstance(job, dict) or "extends" not in job:
        return job
    own = {name: value for name, value in job.items() if name != "extends"}
    return _merged(_extended(config, config[job["extends"]]), own)


def _first(rules: list[Config], event: Mapping[str, str]) -> Config | None:
    return next((rule for rule in rules if _holds(rule["if"], event)), None)


def _holds(expression: str, event: Mapping[str, str]) -> bool:
    """`&&` of comparisons: all that the files use."""
    return all(_compared(part, event) for part in expression.split("&&"))


def _compared(text: str, event: Mapping[str, str]) -> bool:
    left, operator, right = list(_TOKEN.finditer(text))
    assert _TOKEN.sub("", text).strip() == "", text
    value = _value(left, event)
    if operator["operator"] == "=~":
        return value is not None and re.search(right["pattern"], value) is not None
    return (value == _value(right, event)) == (operator["operator"] == "==")


def _value(token: re.Match[str], event: Mapping[str, str]) -> str | None:
    return event.get(token["name"]) if token["name"] else token["text"]
