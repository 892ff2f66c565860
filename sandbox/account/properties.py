"""KEY = value of CREATE and ALTER ... SET, and the keys of UNSET: what a kind does not have is refused."""

from __future__ import annotations

from typing import Any

from sandbox.account import names
from sandbox.account.errors import SqlError, invalid_property, invalid_value, unsupported
from sandbox.account.kinds import BOOLEAN, INTEGER, KINDS, NAME, NAMES, RANGES, TEXTS, Property
from sandbox.account.reader import Reader

# Snowflake has these; here they are refused by name.
_NOT_EMULATED = {
    "TAG", "ALLOWED_VALUES", "PROPAGATE", "ALLOWED_NETWORK_RULE_LIST", "BLOCKED_NETWORK_RULE_LIST", "CONTACT",
    "WORKLOAD_IDENTITY", "CLONE", "ACCOUNTS",
}  # fmt: skip
_TRIGGERS = ("NOTIFY", "SUSPEND", "SUSPEND_IMMEDIATE")


def read(reader: Reader, kind: str) -> dict[str, Any]:
    """The rest of the statement as properties; None is a value that is taken away (= NULL).

    Raises:
        SqlError: 001420 a property that the kind does not have, 001008 a value of another type.
    """
    found: dict[str, Any] = {}
    while not reader.done:
        if found:
            reader.take(",")
        if kind == "RESOURCE MONITOR" and reader.take("TRIGGERS"):
            found |= _triggers(reader)
            continue
        reader.take("WITH")
        if (token := reader.peek()) is not None and token.raw.upper() in _NOT_EMULATED:
            raise unsupported(f"{token.text} of {kind}")
        key = reader.key()
        wanted = KINDS[kind].properties.get(key)
        if wanted is None:
            raise invalid_property(key, kind)
        if key in found:
            raise SqlError("001424", "22023", f"SQL compilation error:\nduplicate property '{key}'")
        found[key] = _value(reader, key, wanted)
    return found


def read_keys(reader: Reader, kind: str) -> list[str]:
    """The keys of UNSET, separated by commas."""
    keys = []
    while True:
        key = reader.kind("word").text
        if key in _NOT_EMULATED:
            raise unsupported(f"{key} of {kind}")
        if key not in KINDS[kind].properties:
            raise invalid_property(key, kind)
        keys.append(key)
        if reader.done:
            return keys
        reader.need(",")


def _value(reader: Reader, key: str, wanted: Property) -> Any:
    if wanted in (TEXTS, NAMES):
        return _list(reader, wanted)
    if wanted == NAME and (token := reader.peek()) and token.kind in ("word", "quoted") and token.raw.upper() != "NULL":
        return reader.name()
    negative = reader.take("-")
    token = reader.kind("word", "quoted", "string", "number")
    text = f"-{token.text}" if negative else token.text
    if token.kind == "word" and token.text == "NULL":
        return None
    if wanted == NAME:
        return text
    if wanted == BOOLEAN:
        if text.lower() not in ("true", "false"):
            raise invalid_value(text, key)
        return text.lower()
    if wanted == INTEGER:
        low, high = RANGES.get(key, (0, None))
        if not text.removeprefix("-").isdigit() or int(text) < low or (high is not None and int(text) > high):
            raise invalid_value(text, key)
        return text
    if isinstance(wanted, tuple):
        if text.upper() not in wanted:
            raise invalid_value(text, key)
        return text.upper()
    if token.kind not in ("string", "word", "number"):
        raise invalid_value(text, key)
    return text


def _list(reader: Reader, wanted: Property) -> list[str]:
    items: list[str] = []
    reader.need("(")
    while not reader.take(")"):
        if items:
            reader.need(",")
        items.append(reader.string() if wanted == TEXTS else names.last(reader.name()))
    return items


def _triggers(reader: Reader) -> dict[str, list[str]]:
    """TRIGGERS of a resource monitor: ON <number> PERCENT DO NOTIFY | SUSPEND | SUSPEND_IMMEDIATE, repeated."""
    found: dict[str, list[str]] = {action: [] for action in _TRIGGERS}
    while reader.take("ON"):
        percent = reader.kind("number").text
        reader.need("PERCENT", "DO")
        action = next((action for action in _TRIGGERS if reader.take(action)), None)
        if action is None:
            raise reader.unexpected()
        found[action].append(f"{percent}%")
    for action in _TRIGGERS[1:]:
        if len(found[action]) > 1:
            raise SqlError(
                "001008",
                "22023",
                f"SQL compilation error:\nA resource monitor can have at most one {action.lower()} trigger.",
            )
    return found
