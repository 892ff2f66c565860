"""The stack file of an environment as it would have to be, so that what exists is what is declared. Pure.

The file that is there is kept, comments included; keys are added, or replaced where they say something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from infra.access import Narrowed
from infra.own_names import all_names
from infra.public_keys import KEY_SETTINGS
from infra.settings import Settings
from infra.vocabulary import Persona
from quantctl.adopt.model import Job, Look

Json = dict[str, Any]
_WHEN = ("schedule", "trigger", "continuous")
_MAIL = re.compile(r"[^@\s]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_OUTSIDE = ("/Volumes/", "/dbfs/", "dbfs:/", "/Workspace/", "/Shared/")


def all_paused(jobs: Iterable[Job]) -> bool:
    """Whether no job runs by itself though some have a schedule: the environment is paused as a whole."""
    states = [job.settings[when].get("pause_status") == "PAUSED" for job in jobs for when in _WHEN if job.settings.get(when)]
    return bool(states) and all(states)


def from_look(look: Look, settings: Settings) -> Json:
    """The settings that follow from what is there, where they are not what the stack file says already."""
    found: Json = {}
    if look.folder and look.folder.path != settings.folder:
        found["folder"] = look.folder.path
    if names := _names(look, settings):
        found["names"] = names
    if look.schema_ and look.schema_.retention != settings.retention_days:
        found["retentionDays"] = look.schema_.retention
    for key, there, said in zip(KEY_SETTINGS, look.user.keys if look.user else (), settings.public_keys, strict=False):
        if there and there != said:
            found[key] = there
    if all_paused(look.jobs) and settings.schedules != "paused":
        found["schedules"] = "paused"
    return found


def _names(look: Look, settings: Settings) -> Json:
    usual = all_names(settings.environment.value, settings.schema_, {})
    said = all_names(settings.environment.value, settings.schema_, settings.own_names.model_dump(by_alias=True))
    there = {
        "serviceUser": look.user.name if look.user else None,
        "serviceRole": look.user.role if look.user else None,
        "secretScope": look.scope.name if look.scope else None,
    }
    return {key: name for key, name in there.items() if name and name != said[key] and name != usual[key]}


def allowed(look: Look, settings: Settings) -> Json:
    """Mail domains and places outside of the folder that the jobs use and the settings do not name yet."""
    domains, paths = set(settings.allowed.mail_domains), set(settings.allowed.paths)
    folder = look.folder.path if look.folder else settings.folder
    found_domains, found_paths = set(domains), set(paths)
    for job in look.jobs:
        for holder in (job.settings, *(job.settings.get("tasks") or [])):
            for text in _texts(holder.get("email_notifications")):
                if match := _MAIL.fullmatch(text):
                    found_domains.add(match[1].lower())
        for text in _texts([_code(task) for task in job.settings.get("tasks") or []]):
            if text.startswith(_OUTSIDE) and not text.removeprefix("/Workspace").startswith(f"{folder}/"):
                found_paths.add(text)
    made: Json = {}
    if found_domains != domains:
        made["mailDomains"] = sorted(found_domains)
    if found_paths != paths:
        made["paths"] = sorted(found_paths)
    return made


def allowed_ids(ids: Mapping[str, str], settings: Settings) -> dict[str, list[str]]:
    """Clusters, pools and pipelines that are not the environment's own, by the variable that names them."""
    made: dict[str, list[str]] = {}
    for start, key, known in (
        ("cluster_of_", "clusters", settings.allowed.clusters),
        ("pool_of_", "instancePools", settings.allowed.instance_pools),
        ("pipeline_of_", "pipelines", settings.allowed.pipelines),
    ):
        if found := {number for name, number in ids.items() if name.startswith(start)}:
            made[key] = sorted({*known, *found})
    return made


def _code(task: Json) -> Any:
    """What of a task names files: not its parameters."""
    if isinstance(task, Mapping):
        return {key: _code(item) for key, item in task.items() if not key.endswith("parameters")}
    return [_code(item) for item in task] if isinstance(task, list) else task


def narrowed(kept: Mapping[Persona, Mapping[str, str]], settings: Settings) -> Json:
    """The access that keeps people from getting more than they have."""
    made: Json = {}
    for persona, levels in kept.items():
        own = settings.access.get(persona, Narrowed())
        said = {"folder": own.folder, "job": own.job, "schema": own.schema} | dict(levels)
        made[persona.value] = {key: str(level) for key, level in said.items() if level is not None}
    return made


def merged(there: Json, more: Json) -> Json:
    """One mapping over another; parts that are mappings are merged."""
    made = dict(there)
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(there.get(key), dict)
        made[key] = merged(there[key], value) if both else value
    return made


def with_settings(text: str, found: Json) -> str:
    """The stack file's text with these settings; every other line stays.

    Raises:
        ValueError: the file has no `config:`.
    """
    config = (yaml.safe_load(text) or {}).get("config") or {}
    lines = text.splitlines()
    begin = next((number for number, line in enumerate(lines) if re.match(r"config:\s*(#.*)?$", line)), None)
    if begin is None:
        raise ValueError("no config: in the stack file")
    end = next((n for n in range(begin + 1, len(lines)) if re.match(r"[^\s#]", lines[n])), len(lines))
    indent = next((match[1] for line in lines[begin + 1 : end] if (match := re.match(r"(\s+)[^\s#]", line))), "  ")
    for key, value in found.items():
        name = f"quant:{key}"
        both = isinstance(value, dict) and isinstance(config.get(name), dict)
        whole = merged(config[name], value) if both else value
        written = f"{indent}{name}: {_flow(whole)}"
        at = next((n for n in range(begin + 1, end) if lines[n].startswith(f"{indent}{name}:")), None)
        if at is None:
            last = next(n for n in range(end - 1, begin - 1, -1) if n == begin or re.match(r"\s+\S", lines[n]))
            lines.insert(last + 1, written)
            end += 1
        else:
            stop = at + 1
            while stop < end and (lines[stop].startswith(indent + " ") or lines[stop].startswith(f"{indent}- ")):
                stop += 1
            lines[at:stop] = [written]
            end -= stop - at - 1
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)
