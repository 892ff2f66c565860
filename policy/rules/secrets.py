"""No secret stands where the engine shows it.

A policy is given the values of secrets without being told that they are secrets (pulumi-policy, Analyze). So the rule asks
where a secret stands: in the properties that the providers' schemas call sensitive, which the SDKs always encrypt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rules.inputs import Inputs

_SENSITIVE = {
    "databricks:index/secret:Secret": {"stringValue"},
    "databricks:index/gitCredential:GitCredential": {"personalAccessToken"},
    "snowflake:index/user:User": {"password"},
}
_LOOKS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a Databricks token": re.compile(r"\bdapi[0-9a-f]{32}"),
    "a forge's token": re.compile(r"\b(glpat-[\w-]{20}|gh[pousr]_\w{36})"),
    "a password in a URL": re.compile(r"\w+://[^/\s:@]+:[^/\s@]+@"),
}
_NAMED = re.compile(r"(password|secret|token|private_?key|credential)$", re.I)


def no_plain_secret(kind: str, inputs: Inputs, stack: str) -> Iterator[str]:
    """Each text that looks like a secret, or whose key says that it is one."""
    for key, value in inputs.items():
        if key not in _SENSITIVE.get(kind, set()) and not kind.startswith("pulumi:providers:"):
            yield from _search(key, value)


def _search(where: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _search(f"{where}.{key}", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _search(f"{where}[{index}]", item)
    elif isinstance(value, str) and value:
        found = next((what for what, look in _LOOKS.items() if look.search(value)), None)
        reference = value.startswith("{{")  # {{secrets/scope/key}} and {{job.parameters.x}} are no values
        if found is None and not reference and _NAMED.search(where):
            found = "a value whose name says that it is secret"
        if found:
            yield f"{where} holds {found}: put it into the environment's secret scope and refer to it."
