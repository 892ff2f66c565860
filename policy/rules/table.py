"""A rule as a table: for each type the properties that it judges, and what each of them must be. Pure.

A check answers None when a value is right, else what was expected. A property that is missing is judged too, as None.
The functions that make checks run while modules are loaded, before a mutation tool switches a change on.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from rules.environments import STACKS, Environment, identifier_parts, named
from rules.values import UNKNOWN, Props, kind, shown, title, whole

Check = Callable[[Any, Environment], str | None]
Table = Mapping[str, Mapping[str, Check]]


def judge(table: Table, resource_type: str, props: Props, stack: str) -> Iterator[str]:
    """What is wrong with the properties that the table judges."""
    fields = table.get(kind(resource_type))
    if not fields:
        return
    environment = named(stack)
    if environment is None:
        yield f"stack: found {stack!r}, allowed are {', '.join(STACKS)}. Select one of these with -s."
        return
    for key, check in fields.items():
        value = props.get(key)
        if value is not UNKNOWN and (expected := check(value, environment)) is not None:
            yield f"{title(resource_type)} {key}: found {shown(value)}, expected {expected}"


def own(fact: str, setting: str, why: str = "") -> Check:  # pragma: no mutate
    """Exactly a fact of the environment, which `setting` says."""
    return partial(_own, fact, setting, why)  # pragma: no mutate


def _own(fact: str, setting: str, why: str, value: Any, environment: Environment) -> str | None:
    wanted = getattr(environment, fact)
    if wanted is None:
        return f"what {setting} says, which is not known. Set it."
    if isinstance(value, str) and value == wanted:
        return None
    return f"{wanted!r}, that of {environment.name}{why}. Correct it, or select the stack that it belongs to."


def called(fact: str) -> Check:
    """A Snowflake identifier that is a fact of the environment, in any spelling."""
    return partial(_called, fact)  # pragma: no mutate


def _called(fact: str, value: Any, environment: Environment) -> str | None:
    wanted = getattr(environment, fact)
    if wanted is not None and identifier_parts(value) == (wanted,):
        return None
    return f"{wanted!r}, that of {environment.name}. Correct it, or select the stack that it belongs to."


def qualified(*facts: str) -> Check:
    """`"DATABASE"."NAME"`, with the environment's own database and one of its own names."""
    return partial(_qualified, facts)  # pragma: no mutate


def _qualified(facts: tuple[str, ...], value: Any, environment: Environment) -> str | None:
    names = [getattr(environment, fact) for fact in facts]
    parts = identifier_parts(value)
    if environment.database is not None and len(parts) == 2 and parts[0] == environment.database and parts[1] in names:
        return None
    return f"{' or '.join(names)} in {environment.database}, what belongs to {environment.name}. Correct it."


def optional(check: Check) -> Check:
    """Nothing at all, or what `check` wants."""
    return partial(_optional, check)  # pragma: no mutate


def _optional(check: Check, value: Any, environment: Environment) -> str | None:
    return None if value is None else check(value, environment)


def one_of(*values: Any) -> Check:
    """One of these values."""
    return partial(_one_of, values)  # pragma: no mutate


def _one_of(values: tuple[Any, ...], value: Any, _: Environment) -> str | None:
    if any(type(value) is type(one) and value == one for one in values):
        return None
    return f"{' or '.join(map(repr, values))}."


def text(value: Any, _: Environment) -> str | None:
    """A text."""
    return None if isinstance(value, str) else "a text."


def anything(value: Any, _: Environment) -> str | None:
    """Whatever it is; another rule looks at it, or it gives nobody anything."""
    return None


def number(least: int, most: int) -> Check:
    """A whole number within bounds."""
    return partial(_number, least, most)  # pragma: no mutate


def _number(least: int, most: int, value: Any, _: Environment) -> str | None:
    found = whole(value)
    fits = isinstance(found, int) and not isinstance(found, bool) and least <= found <= most
    return None if fits else f"a whole number from {least} to {most}."


def each(check: Check, at_least: int = 0) -> Check:  # pragma: no mutate
    """A list in which every known item is right."""
    return partial(_each, check, at_least)  # pragma: no mutate


def _each(check: Check, at_least: int, value: Any, environment: Environment) -> str | None:
    if not isinstance(value, list) or len(value) < at_least:
        return f"a list of {at_least} or more."
    found = (check(item, environment) for item in value if item is not UNKNOWN)
    return next((expected for expected in found if expected is not None), None)


def address(value: Any, environment: Environment) -> str | None:
    """An IPv4 address or range of quant:allowedAddresses that is not the whole internet."""
    listed = environment.parts("allowedAddresses")
    if _is_narrow(value) and isinstance(listed, list) and value in listed:
        return None
    return f"addresses of quant:allowedAddresses in Pulumi.{environment.name}.yaml, no range wider than /8."


def _is_narrow(value: Any) -> bool:
    try:
        return ipaddress.IPv4Network(value).prefixlen >= 8
    except (ValueError, TypeError):
        return False
