"""Properties as the engine sends them, made plain. Pure.

Besides JSON values there are two more: `UNKNOWN` stands for what a preview cannot know yet, because it comes from a
resource that is still to be created, and `Secret` wraps what Pulumi keeps encrypted. A rule passes over `UNKNOWN`: the
update asks again, before it sends anything, and knows it then. A name or an id is never a secret: a `Secret` where a rule
expects one is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Props = Mapping[str, Any]

# https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/rpc.go, one word for each kind of value.
_UNKNOWN_WORDS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
# https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
_OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN = _Unknown.UNKNOWN


@dataclass(frozen=True)
class Secret:
    """A value that Pulumi keeps encrypted; it is not shown in messages."""

    value: Any = field(repr=False)


@dataclass(frozen=True)
class Declared:
    """A resource as it stands in the stack at the end; `refers` says which resources a property comes from, as URNs."""

    urn: str
    type: str
    props: Props
    refers: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rpartition("::")[2]


def plain(sent: Any) -> Any:
    """What was sent, with `UNKNOWN` and `Secret`, and without the bookkeeping of the provider bridge (`__defaults`)."""
    if isinstance(sent, str):
        return UNKNOWN if sent in _UNKNOWN_WORDS else sent
    if isinstance(sent, list):
        return [plain(item) for item in sent]
    if isinstance(sent, Mapping):
        signature = sent.get(_SIGNATURE)
        if signature == _SECRET:
            return Secret(plain(sent.get("value")))
        if signature == _OUTPUT:
            value = plain(sent["value"]) if "value" in sent else UNKNOWN
            return Secret(value) if sent.get("secret") is True else value
        return {key: plain(value) for key, value in sent.items() if not key.startswith("__")}
    return sent


def kind(resource_type: str) -> str:
    """`databricks:index/repo:Repo` as `databricks:Repo`."""
    return f"{resource_type.partition(':')[0]}:{resource_type.rpartition(':')[2]}"


def title(resource_type: str) -> str:
    """`databricks:index/repo:Repo` as `Repo`."""
    return resource_type.rpartition(":")[2]


def whole(value: Any) -> Any:
    """A number as it was written: the engine sends every number as a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def shown(value: Any) -> str:
    """A value for a message, without what is secret in it."""
    if value is None:
        return "nothing"
    if value is UNKNOWN:
        return "a value not known yet"
    if isinstance(value, Secret):
        return "a secret"
    text = repr(whole(value))
    return _CREDENTIALS.sub("(hidden)@", text if len(text) <= 200 else f"{text[:200]}...")
