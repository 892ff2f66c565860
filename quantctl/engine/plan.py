"""A reviewed plan as one file: what was previewed, and what must still be so when it is run.

Pulumi's own plan holds an update to the operations that it lists, resource by resource while the update runs
(https://www.pulumi.com/docs/iac/guides/basics/update-plans/). Which commit, settings, program, tools and state it was made
from it does not know; that stands in the file beside it and is compared before anything runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from shlex import quote
from typing import Any

import yaml

import toolchain
from infra.errors import without_credentials
from quantctl import project
from quantctl.engine.said import title
from quantctl.engine.state import States
from quantctl.errors import UserError

_FORMAT = 1
_PACKAGES = ("pulumi", "pulumi-databricks", "pulumi-snowflake")
_TARGETS = (
    "DATABRICKS_HOST", "SNOWFLAKE_ORGANIZATION_NAME", "SNOWFLAKE_ACCOUNT_NAME", "SNOWFLAKE_HOST", "SNOWFLAKE_PORT",
    "QUANT_GITLAB_URL", "QUANT_GITLAB_PROJECT",
)  # fmt: skip
# What changes without anything having changed.
_VOLATILE = frozenset({"created", "modified", "sourcePosition", "stackTrace"})

Json = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """What a plan was made from. `state`, `settings` and `program` are digests; `tools` and `targets` name -> value."""

    environment: str
    commit: str
    state: str
    settings: str
    program: str
    tools: Mapping[str, str]
    targets: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """A plan file. `engine` is Pulumi's own plan; secrets in it are encrypted by the stack's secrets manager."""

    facts: Facts
    title: str
    engine: Json


def differences(reviewed: Facts, now: Facts) -> list[str]:
    """Why what would run now is not what was reviewed, in words; empty when it is. Pure."""
    if reviewed.environment != now.environment:
        return [f"the plan is of {reviewed.environment}, not of {now.environment}"]
    found = []
    if reviewed.commit != now.commit:
        found.append(f"the branch has moved: reviewed was commit {reviewed.commit[:12]}, it is at {now.commit[:12]} now")
    if reviewed.state != now.state:
        found.append("the state has moved on: somebody has updated, refreshed or edited the stack since the preview")
    if reviewed.settings != now.settings:
        found.append(f"the settings differ: Pulumi.yaml, Pulumi.{now.environment}.yaml, policy/allowed.yaml or QUANT_REMOTE")
    if reviewed.program != now.program:
        found.append("the program differs: __main__.py, infra/ or policy/ is another version")
    for what, before, after in (("tool", reviewed.tools, now.tools), ("target", reviewed.targets, now.targets)):
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                found.append(
                    f"another {what}: {name} was {before.get(name) or 'not there'}, is {after.get(name) or 'not there'}"
                )
    return found


def facts(env: str, commit: str, remote: str, states: States) -> Facts:
    """What an update of `env` to `commit` would be made from now.

    Raises:
        UserError: the state cannot be read.
    """
    root = project.root()
    return Facts(
        environment=env,
        commit=commit,
        state=state_of(states.exported(env)),
        settings=_settings(root, env, remote),
        program=_program(project.checkout()),
        tools=_tools(),
        targets={name: without_credentials(states.environ[name]) for name in _TARGETS if states.environ.get(name)},
    )


def state_of(exported: Json) -> str:
    """The digest of a checkpoint's resources and of what is pending; neither order nor times count. Pure.

    Of a secret only that it is one: it is encrypted anew whenever a state is written. Where its value decides what is done,
    the engine's plan sees it.
    """
    deployment = exported.get("deployment") or {}
    resources = [
        {key: value for key, value in resource.items() if key not in _VOLATILE}
        for resource in deployment.get("resources") or []
    ]
    lines = sorted(json.dumps(_without_ciphertext(resource), sort_keys=True) for resource in resources)
    return _digest([*lines, json.dumps(deployment.get("pending_operations") or [], sort_keys=True)])


def write(file: Path, plan: Plan) -> None:
    """Whole or not at all, readable by its owner only.

    Raises:
        OSError: the file cannot be written.
    """
    text = json.dumps(
        {"quant-plan": _FORMAT, "title": plan.title, "facts": asdict(plan.facts), "plan": plan.engine}, indent=1
    )
    descriptor, temporary = tempfile.mkstemp(dir=file.absolute().parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w") as opened:
            opened.write(text)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink()
        raise


def read(file: Path, env: str) -> Plan:
    """The plan file of an environment.

    Raises:
        UserError: it is missing, or something else.
    """
    again = f"make one: `quantctl preview {env} --save-plan FILE`"
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        made = f"make one: `quantctl preview {env} --save-plan {quote(str(file))}`"
        raise UserError("There is no such plan.", found=str(file), do_next=made) from None
    except (ValueError, RecursionError):
        raise UserError("This is no plan.", found=f"{file}, which is no JSON", do_next=again) from None
    form = found.get("quant-plan") if isinstance(found, dict) else None
    if form != _FORMAT:
        what = "a plan of Pulumi's own" if isinstance(found, dict) and "resourcePlans" in found else f"format {form}"
        raise UserError(
            "This is no plan that can be held to.", found=f"{what} in {file}", expected="a file of quantctl", do_next=again
        )
    told, title, engine = (found.get(key) for key in ("facts", "title", "plan"))
    if not (_are_facts(told) and isinstance(title, str) and isinstance(engine, dict)):
        raise UserError("The plan is incomplete.", found=str(file), do_next=again)
    return Plan(Facts(**told), title, engine)


def _are_facts(told: Any) -> bool:
    if not isinstance(told, dict) or set(told) != {field.name for field in fields(Facts)}:
        return False
    named = [told["tools"], told["targets"]]
    texts = [value for key, value in told.items() if key not in ("tools", "targets")]
    texts += [value for one in named if isinstance(one, dict) for value in one.values()]
    return all(isinstance(one, dict) for one in named) and all(isinstance(text, str) for text in texts)


def plain_texts(engine: Json) -> Iterator[tuple[str, str]]:
    """Everything in the engine's plan that is not encrypted, values and keys, and where each stands. Pure."""
    return _texts(_without_ciphertext(engine), ())


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield ".".join(path), key
            yield from _texts(item, (title(key),) if key.startswith("urn:") else (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, path)
    else:
        yield ".".join(path), str(value)


def _without_ciphertext(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_ciphertext(item) for key, item in value.items() if key not in ("ciphertext", "secure")}
    return [_without_ciphertext(item) for item in value] if isinstance(value, list) else value


def _settings(root: Path, env: str, remote: str) -> str:
    """Of the configuration alone, not of comments, and of what the pack allows; secrets as they stand there, encrypted."""
    read = [yaml.safe_load((root / name).read_text()) or {} for name in ("Pulumi.yaml", f"Pulumi.{env}.yaml")]
    allowed = root / "policy" / "allowed.yaml"
    configs = [json.dumps(file.get("config"), sort_keys=True, default=str) for file in read]
    return _digest([*configs, allowed.read_bytes().hex() if allowed.exists() else "", remote])


def _program(root: Path) -> str:
    files = [root / "__main__.py", *sorted((root / "infra").rglob("*.py")), *sorted((root / "policy").rglob("*.py"))]
    return _digest([part for file in files for part in (str(file.relative_to(root)), file.read_text())])


def _tools() -> dict[str, str]:
    found = toolchain.locate()
    programs = {program.name: program.version for program in found.programs if program.version} if found else {}
    return {**programs, **{f"python package {name}": version(name) for name in _PACKAGES}}


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
