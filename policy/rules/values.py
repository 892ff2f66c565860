"""Properties as the engine sends them, made plain. Pure.

Besides JSON values there are two more: `UNKNOWN` stands for what a preview cannot know yet, because it comes from a
resource that is still to be created, and `Secret` wraps what Pulumi keeps encrypted. A rule passes over `UNKNOWN`: the
update asks again, before it sends anything, and knows it then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pulumi_policy import deserialize, proxy

Props = Mapping[str, Any]

_UNKNOWN_WORDS = frozenset(word for name, word in vars(proxy).items() if name.startswith("UNKNOWN_"))


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
        if sent.get(deserialize.SPECIAL_SIG_KEY) == deserialize.SPECIAL_SECRET_SIG:
            return Secret(plain(sent.get("value")))
        return {key: plain(value) for key, value in sent.items() if not key.startswith("__")}
    return sent


def kind(resource_type: str) -> str:
    """`databricks:index/repo:Repo` as `databricks:Repo`."""
    return f"{resource_type.partition(':')[0]}:{resource_type.rpartition(':')[2]}"


def listed(value: Any) -> Iterator[Any]:
    """The known items of a list; nothing when it is missing or unknown."""
    if isinstance(value, list):
        yield from (item for item in value if item is not UNKNOWN)


def shown(value: Any) -> str:
    """A value for a message."""
    return "nothing" if value is None else "a value not known yet" if value is UNKNOWN else repr(value)
