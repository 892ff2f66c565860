"""No secret passes this door: what the engine tells is redacted when it is read. Pure, but for reading key files.

The engine hides what it knows to be secret, and prints the old value of what became secret only now (pulumi/pulumi #9330).
So a property is hidden when either side marks it, when its name promises a secret, and wherever the text of a secret that
this process itself holds, a private key or a token stands.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

HIDDEN = "[secret]"
# https://github.com/pulumi/pulumi, sdk/go/common/resource/properties.go: SigKey and SecretSig
_SIGNATURE, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
_LEAST = 8  # shorter values are words that stand everywhere
_LEAST_LINE = 16  # of a secret of several lines, for example a PEM file
_NAME = re.compile(
    r"(passw(or)?d|pwd|passphrase|passcode|token|secret|credentials?|private_?key|access_?key|api_?key)(_?(wo|\d+))?$",
    re.IGNORECASE,
)
_NO_SECRETS = frozenset({"idempotencyToken", "mustChangePassword"})
_OF_SECRETS = frozenset({"stringValue", "stringValueWo", "bytesValue"})  # databricks Secret
_REFERENCE = re.compile(r"\{\{\s*secrets/[^{}]+\}\}")
_VARIABLE = re.compile(r"token|passw|pwd|passphrase|secret|private_?key|api_?key|access_?key|credential", re.IGNORECASE)
_NOT_VALUES = re.compile(r"(_FILE|_PATH|_DIR|_HOME|_URL|_SECRET_KEYS)$")
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\b(?:dapi[0-9A-Za-z]{16,}|gl[a-z]{2,5}-[\w-]{20,}|gh[pousr]_\w{30,}|github_pat_\w{30,}|pul-[0-9a-f]{40})"
    r"|\bAKIA[0-9A-Z]{16}\b|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
    re.DOTALL,
)

Path_ = tuple[str, ...]


def secret_values(environ: Mapping[str, str]) -> set[str]:
    """The secrets that this process holds: values of variables that are named like one, and the passphrase."""
    texts = [value for name, value in environ.items() if _VARIABLE.search(name) and not _NOT_VALUES.search(name)]
    if file := environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        with contextlib.suppress(OSError, UnicodeDecodeError):  # what cannot be read here cannot be shown here
            texts.append(Path(file).read_text())
    return {part for text in texts for part in _parts(text)}


class Redactor:
    """Takes secrets out of what is shown."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = {form for value in values for form in (value, quote(value, safe=""))}
        # What begins like another one and is longer comes first, so that no rest of it is left over.
        self._known = re.compile("|".join(map(re.escape, sorted(known, reverse=True)))) if known else None

    def text(self, text: str) -> str:
        """`text` without what is or looks like a secret."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        return _SHAPES.sub(HIDDEN, text)

    def holds_secret(self, text: str) -> bool:
        """Whether `text` would be changed."""
        return self.text(text) != text

    def maps(self, *maps: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The same properties seen at several times; what is secret in one is hidden in all."""
        secret = {path for properties in maps for path in _secret_paths(properties, ())}
        return [self._hide(dict(properties), (), secret) for properties in maps]

    def _hide(self, value: Any, path: Path_, secret: set[Path_]) -> Any:
        if path in secret:
            return HIDDEN
        if isinstance(value, dict):
            return {self.text(key): self._hide(item, (*path, key), secret) for key, item in value.items()}
        if isinstance(value, list):
            return [self._hide(item, (*path, "*"), secret) for item in value]
        return self.text(value) if isinstance(value, str) else value


def _parts(text: str) -> Iterator[str]:
    lines = [line.strip() for line in text.replace("\\n", "\n").splitlines()]
    if len(lines) == 1 and len(lines[0]) >= _LEAST:
        yield lines[0]
    else:
        yield from (line for line in lines if len(line) >= _LEAST_LINE and not line.startswith("-----"))


def _secret_paths(value: Any, path: Path_) -> Iterator[Path_]:
    """Where something secret stands; an item of a list stands for all of them."""
    if isinstance(value, dict):
        if value.get(_SIGNATURE) == _SECRET:
            yield path
            return
        pair = value.get("name") or value.get("key")
        for key, item in value.items():
            # A parameter or a tag is named by its neighbour: {"name": "token", "default": "..."}.
            name = pair if key in ("default", "value") and isinstance(pair, str) else key
            if (
                _promises(name)
                and not isinstance(item, (bool, dict, list, type(None)))
                and not _REFERENCE.fullmatch(str(item))
            ):
                yield (*path, key)
            else:
                yield from _secret_paths(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from _secret_paths(item, (*path, "*"))


def _promises(name: str) -> bool:
    return name in _OF_SECRETS or (name not in _NO_SECRETS and _NAME.search(name) is not None)
