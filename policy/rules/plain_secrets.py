"""No secret stands in a plain property, and no private key in any. Pure.

The engine marks what it keeps encrypted in all that it sends to a policy pack (pulumi 3.256,
pkg/resource/plugin/analyzer_plugin.go: KeepSecrets); a value that is not marked is plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from rules.values import Declared, Props, Secret, kind

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
# Tokens of Databricks, GitLab, GitHub, Pulumi and AWS, signed ones (JWT), and a password that stands in a URL.
_TOKEN = re.compile(
    r"\b(dapi[0-9A-Za-z]{16,}|gl[a-z]{2,5}-[\w-]{20,}|gh[pousr]_\w{30,}|github_pat_\w{30,}|pul-[0-9a-f]{40}"
    r"|AKIA[0-9A-Z]{16}\b|eyJ[\w-]{10,}\.[\w-]{10,}\.)|\w://[^/\s:@]+:[^/\s@]+@"
)
_NAME = re.compile(
    r"(passw(or)?d|pwd|passphrase|passcode|token|secret|credentials?|private_?key|access_?key|api_?key)(_?\d+)?$",
    re.IGNORECASE,
)
_NOT_A_SECRET = ("idempotencyToken", "mustChangePassword")
_TOLD = (
    "Take it out, and replace it where it counts: it has leaked. What a job needs it reads from the secret scope when it"
    " runs: name the key in quant:secrets, and write its value with `databricks secrets put-secret SCOPE KEY`."
)
_REFERENCE = re.compile(r"\{\{\s*secrets/[^{}]+\}\}")
_PLACES = {  # a value there is a secret, whatever it is called
    "databricks:Secret": ("stringValue", "stringValueWo"),
    "snowflake:SecretWithGenericString": ("secretString",),
}


class _Text(NamedTuple):
    """One text and where it stands."""

    path: str
    name: str
    text: str
    secret: bool


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """Secrets of this resource that are plain, and private keys; the values are not shown."""
    places = _PLACES.get(kind(resource_type), ())
    title = resource_type.rpartition(":")[2]
    found: list[str] = []
    for one in _texts(props):
        if (problem := _problem(one, one.path in places)) is not None:
            found.append(f"{title} {one.path}: {problem}")
    return found


def check_stack(resources: Iterable[Declared], stack: str) -> list[tuple[str, str | None]]:
    """Private keys and tokens among the outputs of the stack, secret or not: whoever may read the state has them."""
    return [
        (f"output {one.path}: found a private key or a token. Do not export it; who needs it reads its secret scope.", None)
        for resource in resources
        if kind(resource.type) == "pulumi:Stack"
        for one in _texts(resource.props)
        if _PRIVATE_KEY.search(one.text) or _TOKEN.search(one.text)
    ]


def _problem(one: _Text, is_place: bool) -> str | None:
    if _PRIVATE_KEY.search(one.text):
        return (
            "found a private key; whoever may read the state would have it, encrypted or not. Write it into the secret scope"
            " (databricks secrets put-secret), and refer to its scope and key."
        )
    if one.secret or not one.text:
        return None
    if _TOKEN.search(one.text):
        return f"found a token or password in plain text. {_TOLD}"
    named = _NAME.search(one.name) and one.name not in _NOT_A_SECRET and one.text.lower() not in ("true", "false", "default")
    if (named or is_place) and not _REFERENCE.fullmatch(one.text):
        return f"found a plain value where its name promises a secret. {_TOLD}"
    return None


def _texts(value: Any, path: str = "", name: str = "", secret: bool = False) -> Iterator[_Text]:
    if isinstance(value, str):
        yield _Text(path, name, value, secret)
    elif isinstance(value, Secret):
        yield from _texts(value.value, path, name, True)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{path}[{number}]", name, secret)
    elif isinstance(value, dict):
        pair = value.get("name") or value.get("key")
        above = f"{path}." if path else ""
        for key, item in value.items():
            # A parameter or a tag is named by its neighbour: {"name": "token", "default": "..."}.
            called = pair if key in ("default", "value") and isinstance(pair, str) else key
            yield from _texts(item, f"{above}{key}", called, secret)
