"""Values of a request in the type that their field has. Scalars are converted as the product does, the rest is malformed."""

from __future__ import annotations

from typing import Any

from sandbox.workspace.errors import malformed

Json = dict[str, Any]
_INT64 = 2**63


def text(name: str, value: Any) -> str:
    """A string; other scalars are written out."""
    if isinstance(value, list | dict) or value is None:
        raise malformed(f"Expected Scalar value for String field '{name}'")
    return str(value).lower() if isinstance(value, bool) else str(value)


def number(name: str, value: Any) -> int:
    """A 64-bit integer; JSON may carry it as a string, as protobuf's JSON does."""
    try:
        read = int(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
    except ValueError:
        read = None
    if read is None or not -_INT64 <= read < _INT64:
        raise malformed(f"Expected Scalar value for Int64 field '{name}'")
    return read


def flag(name: str, value: Any) -> bool:
    """A truth value; in a query it is a word."""
    if isinstance(value, bool):
        return value
    if str(value).lower() not in ("true", "false"):
        raise malformed(f"Expected Scalar value for Bool field '{name}'")
    return str(value).lower() == "true"


def mapping(name: str, value: Any) -> Json:
    """An object."""
    if not isinstance(value, dict):
        raise malformed(f"Expected 'START_OBJECT' for field '{name}'")
    return value


def items(name: str, value: Any) -> list[Any]:
    """An array."""
    if not isinstance(value, list):
        raise malformed(f"Expected 'START_ARRAY' for field '{name}'")
    return value


def mappings(name: str, value: Any) -> list[Json]:
    """An array of objects; none when it is left out."""
    return [mapping(name, item) for item in items(name, [] if value is None else value)]
