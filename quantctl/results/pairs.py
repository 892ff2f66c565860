"""One pair of tables, asked of the account: what they are, then everything of them in one statement."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import replace

from quantctl.results.account import Reader, Refused
from quantctl.results.checks import Check
from quantctl.results.contract import Contract, Tolerance
from quantctl.results.figures import figures
from quantctl.results.model import Looked
from quantctl.results.statements import Question, Window, is_comparable, statement

_FAMILIES = {
    "string": ("VARCHAR", "TEXT", "STRING", "CHAR"), "date": ("DATE",), "timestamp": ("TIMESTAMP", "DATETIME"),
    "time": ("TIME",), "number": ("NUMBER", "DECIMAL", "FLOAT", "DOUBLE", "REAL", "INT", "DECFLOAT"),
    "integer": ("NUMBER", "DECIMAL", "INT"), "boolean": ("BOOLEAN",), "object": ("OBJECT", "VARIANT", "MAP"),
    "array": ("ARRAY", "VARIANT", "VECTOR"),
}  # fmt: skip
Types = Mapping[str, str]


def look(
    reader: Reader,
    begun: Looked,
    names: tuple[str, str],
    window: Window,
    since: datetime.date | None,
    today: datetime.date,
    *,
    whole: bool,
) -> Looked:
    """The same with its schema and figures; what cannot be read is unknown, never a number."""
    contract, told = begun.contract, list[str]()
    types: list[dict[str, str]] = []
    masked: dict[str, str] = {}
    for name in names:
        try:
            columns, policies = reader.columns(name)
        except Refused as refused:
            told.append(f"{name}: {refused}")
            columns, policies = {}, {}
        types.append(columns)
        masked |= policies
    here, there = types
    begun = replace(begun, schema=_differences(here, there) if here and there else {}, alone=not there)
    if told and not (begun.alone and here and any(one.schema and not one.column for one in begun.declared)):
        return replace(begun, unknown=tuple(told), alone=False)
    if begun.alone:
        return _alone(reader, begun, names[0], here, window, today, masked)
    if problem := unpaired(contract, here, there, masked):
        return replace(begun, unknown=(problem,))
    hidden = hidden_columns(contract, here, there, masked)
    checks, uncheckable = _checks(contract, here, masked)
    asked = Question(
        contract=contract,
        names=names,
        types=(here, there),
        today=today,
        window=window if contract.day else None,
        since=since if contract.day else None,
        slices=begun.slices,
        bounds=_bounds(begun),
        checks=checks,
        left_out=frozenset(hidden),
        whole=whole,
    )
    made = statement(asked)
    try:
        found = figures(made, reader.select(made.sql))
    except (Refused, ValueError) as refused:
        return replace(begun, unknown=(str(refused),), statements=(made.sql,))
    return replace(begun, figures=found, hidden=hidden, uncheckable=uncheckable, statements=(made.sql,))


def _alone(
    reader: Reader,
    begun: Looked,
    name: str,
    here: Types,
    window: Window,
    today: datetime.date,
    masked: Mapping[str, str],
) -> Looked:
    """A table that a change declares as new: its days and its checks."""
    checks, uncheckable = _checks(begun.contract, here, masked)
    only = Question(
        contract=begun.contract,
        names=(name, None),
        types=(here, {}),
        today=today,
        window=window if begun.contract.day else None,
        slices=begun.slices,
        checks=checks,
    )
    made = statement(only)
    try:
        found = figures(made, reader.select(made.sql))
    except (Refused, ValueError) as refused:
        return replace(begun, unknown=(str(refused),), statements=(made.sql,))
    return replace(begun, figures=found, uncheckable=uncheckable, statements=(made.sql,))


def family_fits(kind: str, logical: str) -> bool:
    """Whether a column's type is what the contract's logicalType promises."""
    return not logical or kind.upper().startswith(_FAMILIES.get(logical, ()))


def _differences(here: Types, there: Types) -> dict[str, tuple[str | None, str | None]]:
    names = [*here, *(name for name in there if name not in here)]
    return {name: (here.get(name), there.get(name)) for name in names if here.get(name) != there.get(name)}


def unpaired(contract: Contract, here: Types, there: Types, masked: Mapping[str, str]) -> str:
    """Why rows cannot be paired, "" where they can."""
    needed = [*contract.keys, *([contract.day] if contract.day and contract.day not in contract.keys else [])]
    for key in needed:
        if key not in here or key not in there:
            return f"the key {key} is no column of {'this' if key not in here else 'the other'} table"
        if here[key] != there[key]:
            return f"the key {key} is {here[key]} here and {there[key]} there"
        if not is_comparable(here[key]):
            return f"the key {key} is {here[key]}, which cannot be paired"
        if key in masked:
            return f"the key {key} is masked by {masked[key]}: masked values compare as equal"
    return ""


def hidden_columns(contract: Contract, here: Types, there: Types, masked: Mapping[str, str]) -> dict[str, str]:
    """Column -> why its values are not compared, beside those whose type differs (which the schema tells)."""
    found = {}
    for name, kind in here.items():
        if name in masked:
            found[name] = f"it is masked by {masked[name]}, and masked values compare as equal"
        elif name in there and not is_comparable(kind):
            found[name] = f"values of {kind} are not compared"
        elif not family_fits(kind, contract.column(name).kind):
            found[name] = f"it is {kind}, and the contract promises {contract.column(name).kind}"
    for column in contract.columns:
        if column.name not in here and column.name not in there:
            found[column.name] = "neither table has this column of the contract"
    return found


def _checks(contract: Contract, here: Types, masked: Mapping[str, str]) -> tuple[tuple[Check, ...], dict[str, str]]:
    """The checks that the table has the columns for, and why the others are not evaluated."""
    good, bad = [], {}
    for check in contract.checks:
        named = {check.column, *check.columns} - {""} | set(re.findall(r'"([^"]+)"', check.query))
        missing = sorted(name for name in named if name not in here)
        if missing:
            bad[check.id] = f"the table has no column {missing[0]}"
        elif hid := sorted(name for name in named if name in masked):
            bad[check.id] = f"{hid[0]} is masked by {masked[hid[0]]}"
        else:
            good.append(check)
    return tuple(good), bad


def _bounds(looked: Looked) -> dict[str, Tolerance]:
    return {one.column: one.tolerance for one in looked.declared if one.column and one.tolerance is not None}
