"""Write the classes in use from the pinned packages: `make sdk`. It loads both packages whole, which takes seconds."""

from __future__ import annotations

import collections.abc
import importlib
import inspect
import json
import re
import subprocess
import sys
import typing
from pathlib import Path
from typing import Any

# No public reader of an input type's fields exists.
from pulumi._types import input_type_py_to_pulumi_names, input_type_types, is_input_type

from infra.sdk.base import camel

_EVERY = ("*",)
# package -> resource -> inputs in use (a job's are a definition's, so every one), outputs in use.
RESOURCES: dict[str, dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "databricks": {
        "Directory": (("path",), ("path",)),
        "GitCredential": (("git_provider", "git_username", "name", "personal_access_token", "principal_id"), ()),
        "Group": (("display_name",), ()),
        "Job": (_EVERY, ()),
        "Permissions": (("access_controls", "directory_path", "job_id", "repo_id"), ()),
        "Repo": (("branch", "commit_hash", "git_provider", "path", "url"), ("commit_hash",)),
        "SecretAcl": (("permission", "principal", "scope"), ()),
        "SecretScope": (("name",), ("name",)),
    },
    "snowflake": {
        "AccountRole": (("name",), ("name",)),
        "DatabaseRole": (("database", "name"), ("fully_qualified_name",)),
        "GrantAccountRole": (("role_name", "user_name"), ()),
        "GrantDatabaseRole": (("database_role_name", "parent_role_name"), ()),
        "GrantPrivilegesToAccountRole": (("account_role_name", "on_account_object", "privileges"), ()),
        "GrantPrivilegesToDatabaseRole": (("database_role_name", "on_schema", "on_schema_object", "privileges"), ()),
        "NetworkPolicy": (("allowed_ip_lists", "name"), ("name",)),
        "ResourceMonitor": (
            ("credit_quota", "name", "notify_triggers", "suspend_immediate_trigger", "suspend_trigger"),
            ("name",),
        ),
        "Schema": (
            ("comment", "data_retention_time_in_days", "database", "is_transient", "name", "with_managed_access"),
            ("name", "show_outputs"),
        ),
        "ServiceUser": (
            (
                "comment",
                "default_namespace",
                "default_role",
                "default_warehouse",
                "disabled",
                "name",
                "network_policy",
                "rsa_public_key",
                "rsa_public_key2",
            ),
            ("name",),
        ),
        "Warehouse": (
            (
                "auto_resume",
                "auto_suspend",
                "comment",
                "initially_suspended",
                "name",
                "resource_monitor",
                "statement_timeout_in_seconds",
                "warehouse_size",
            ),
            ("name",),
        ),
    },
}
_FUNCTIONS = {"databricks": {"get_service_principal": (("application_id",), "sp_id")}}
_HEAD = '''"""Written by `make sdk` from pulumi-{package} {version}; not by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from infra.sdk.base import {shared}

_VERSION = "{version}"
'''
HERE = Path(__file__).parent


def text(package: str) -> str:
    """The module of a package's resources.

    Raises:
        ValueError: the package spells something in a way that `infra.sdk.base` does not know.
    """
    whole = importlib.import_module(f"pulumi_{package}")
    version = json.loads((Path(str(whole.__file__)).parent / "pulumi-plugin.json").read_text())["version"]
    parts = [_resource(whole, name, *used) for name, used in RESOURCES[package].items()]
    parts += [_function(whole, name, *used) for name, used in _FUNCTIONS.get(package, {}).items()]
    used = (one for one in ("options", "secret", "wire") if any(f"{one}(" in part for part in parts))
    shared = ", ".join(["Declared", *used])
    return _formatted("\n\n".join([_HEAD.format(package=package, version=version, shared=shared), *parts]))


def _resource(whole: Any, name: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> str:
    resource, arguments = getattr(whole, name), getattr(whole, f"{name}Args")
    kinds = {one: input_type_types(arguments).get(spelled) for one, spelled in _names(arguments).items()}
    parameters = inspect.signature(arguments).parameters
    used = sorted(one for one in kinds if one in parameters) if inputs == _EVERY else list(inputs)
    source = inspect.getsource(resource._internal_init)
    hidden = set(re.findall(r'__dict__\["(\w+)"\] = None if \w+ is None else pulumi\.Output\.secret', source))
    secret = re.findall(r"additional_secret_outputs=\[([^\]]*)\]", source)
    needed = [one for one in used if parameters[one].default is inspect.Parameter.empty]
    signature = [f"{one}: pulumi.Input[{_kind(kinds[one])}]," for one in needed]
    signature += [f"{one}: pulumi.Input[{_kind(kinds[one])}] | None = None," for one in used if one not in needed]
    given = {one: f"secret({one})" if one in hidden else one for one in used}
    free = sorted(_free(arguments, used))
    constant = f"_FREE_OF_{name.upper()}"
    answered = "".join(f'"{camel(one)}": None, ' for one in outputs)  # an output is known by a property of its name
    properties = f"wire(given, {constant})" if free else "wire(given)"
    lines = [
        *([f"{constant} = frozenset({json.dumps(free)})", "", ""] if free else []),
        f"class {name}(Declared):",
        f'    """The package\'s {name}."""',
        "",
        *([f"    READ = ({', '.join(json.dumps(camel(one)) for one in outputs)},)", ""] if outputs else []),
        "    def __init__(self, resource_name: str, *,",
        *(f"        {one}" for one in signature),
        "        opts: pulumi.ResourceOptions | None = None,",
        "    ) -> None:",
        "        given: dict[str, Any] = {",
        *(f'            "{one}": {value},' for one, value in given.items()),
        "        }",
        f"        properties = {f'{{{answered}**{properties}}}' if answered else properties}",
        f"        merged = options(_VERSION, opts{f', [{secret[0]}]' if secret else ''})",
        f'        super().__init__("{resource.pulumi_type}", resource_name, properties, merged)',
    ]
    for one in outputs:
        kind = _kind(kinds[one]) if one in kinds else "Sequence[Any]" if one.endswith("_outputs") else "str"
        lines += [
            "",
            "    @property",
            f"    def {one}(self) -> pulumi.Output[{kind}]:",
            '        """As the provider answers it."""',
            f'        found: pulumi.Output[{kind}] = pulumi.get(self, "{camel(one)}")',
            "        return found",
        ]
    return "\n".join(lines) + "\n"


def _function(whole: Any, name: str, inputs: tuple[str, ...], output: str) -> str:
    (token,) = set(re.findall(r"invoke_output\('([^']+)'", inspect.getsource(getattr(whole, f"{name}_output"))))
    given = ", ".join(f'"{camel(one)}": {one}' for one in inputs)
    lines = [
        f"def {name}_{output}({', '.join(f'{one}: pulumi.Input[str]' for one in inputs)},",
        "    opts: pulumi.InvokeOptions) -> pulumi.Output[str]:",
        f'    """`{output}` of what the function {name} finds."""',
        "    merged = pulumi.InvokeOptions.merge(pulumi.InvokeOptions(version=_VERSION), opts)",
        f'    answer = pulumi.runtime.invoke_output("{token}", {{{given}}}, merged)',
        f'    found: pulumi.Output[str] = answer["{camel(output)}"]',
        "    return found",
    ]
    return "\n".join(lines) + "\n"


def _free(arguments: type, used: list[str]) -> set[str]:
    """Properties whose keys are the user's own, here or below."""
    maps: set[str] = set()
    objects: set[str] = set()
    seen: set[type] = set()

    def look(kind: type, chosen: list[str] | None) -> None:
        if kind in seen:
            return
        seen.add(kind)
        kinds = input_type_types(kind)
        for name, spelled in _names(kind).items():
            if spelled not in kinds or (chosen is not None and name not in chosen):
                continue
            if camel(name) != spelled:
                raise ValueError(f"{kind.__name__}.{name} is spelled {spelled}, not {camel(name)}")
            kept, inner = _bare(kinds[spelled])
            maps.update({name} if kept is dict else ())
            objects.update({name} if is_input_type(kept) else ())
            if is_input_type(inner):
                look(inner, None)

    look(arguments, used)
    if both := maps & objects:
        raise ValueError(f"{arguments.__name__}: {sorted(both)} are maps here and objects there")
    return maps


def _names(arguments: type) -> dict[str, str]:
    names: dict[str, str] = input_type_py_to_pulumi_names(arguments)
    return names


def _bare(kind: Any) -> tuple[type, type]:
    """What stands at a property, and what is in it where it is a list: without Input and Optional."""
    if isinstance(kind, type):
        return kind, kind
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, collections.abc.Sequence):
        return list, _bare(inside[0])[1]
    if origin in (dict, collections.abc.Mapping):
        return dict, dict
    return _bare(inside[0])


def _kind(kind: Any) -> str:
    """As a reader writes it; objects are mappings with the package's own keys."""
    if isinstance(kind, type):
        return "Mapping[str, Any]" if is_input_type(kind) else kind.__name__
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, collections.abc.Sequence):
        return f"Sequence[{_kind(inside[0])}]"
    if origin in (dict, collections.abc.Mapping):
        return f"Mapping[str, {_kind(inside[1])}]"
    return _kind(inside[0])


def _formatted(code: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(HERE / "x.py"), "-"]
    return subprocess.run(command, input=code, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    for each in RESOURCES:
        (HERE / f"{each}.py").write_text(text(each))
