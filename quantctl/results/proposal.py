"""A first contract of a table that is there: its columns, types and a key that is unique in it. For people to correct."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from infra.settings import Settings
from quantctl.errors import UserError
from quantctl.results.account import Refused, reading
from quantctl.results.contract import VERSION
from quantctl.results.statements import identifier, is_comparable

_TRIED = 4  # columns of a key
_LOGICAL = (
    ("DATE", "date"), ("TIMESTAMP", "timestamp"), ("TIME", "time"), ("BOOLEAN", "boolean"), ("VARIANT", "object"),
    ("OBJECT", "object"), ("ARRAY", "array"), ("FLOAT", "number"), ("NUMBER", "number"),
)  # fmt: skip
_RELATIVE = 1e-9


def proposal(settings: Settings, table: str, environ: Mapping[str, str]) -> str:
    """The contract as YAML.

    Raises:
        UserError: the table cannot be read.
    """
    named = table.upper()
    if not re.fullmatch(r"[A-Z_][A-Z0-9_$]*", named):
        raise UserError("--propose takes the name of a table.", found=table)
    whole = ".".join(map(identifier, (settings.database.upper(), settings.schema_.upper(), named)))
    with reading(settings, environ, f"quantctl results {settings.environment.value} --propose {named}") as reader:
        try:
            types, _ = reader.columns(whole)
            keys = list(candidates(types))
            counts = ", ".join(f"COUNT(DISTINCT {', '.join(map(identifier, key))})" for key in keys)
            [row] = reader.select(f"SELECT COUNT(*){', ' + counts if counts else ''} FROM {whole}")
        except Refused as refused:
            raise UserError(f"{whole} cannot be read.", found=str(refused)) from None
    rows, *distinct = row
    key = next((one for one, count in zip(keys, distinct, strict=True) if rows and count == rows), None)
    return written(named, types, key)


def candidates(types: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Keys to try, the smallest first: days, texts and whole numbers, from the left. A day that is there is in it. Pure."""
    fit = [name for name, kind in types.items() if is_comparable(kind) and not kind.startswith(("FLOAT", "BOOLEAN"))][:6]
    days = {name for name in fit if types[name] == "DATE"}
    for length in range(1, min(_TRIED, len(fit)) + 1):
        yield from (key for key in itertools.combinations(fit, length) if not days or days & set(key))


def written(table: str, types: Mapping[str, str], key: Sequence[str] | None) -> str:
    """The contract. Pure."""
    day = next((name for name, kind in types.items() if kind == "DATE" and (not key or name in key)), None)
    columns = []
    for name, kind in types.items():
        logical = next((word for prefix, word in _LOGICAL if kind.startswith(prefix)), "string")
        column: dict[str, Any] = {"name": name, "logicalType": logical, "physicalType": kind}
        if key and name in key:
            column |= {"primaryKey": True, "primaryKeyPosition": list(key).index(name) + 1}
        if kind.startswith("FLOAT"):
            column["customProperties"] = [{"property": "quant.tolerance", "value": {"relative": _RELATIVE}}]
        columns.append(column)
    ours = [{"property": "quant.workflow", "value": "NAME OF THE WORKFLOW THAT WRITES IT"}]
    ours += [{"property": "quant.day", "value": day}] if day else []
    body = {
        "apiVersion": VERSION,
        "kind": "DataContract",
        "id": table.lower().replace("_", "-"),
        "version": "0.1.0",
        "status": "draft",
        "schema": [{"name": table, "customProperties": ours, "properties": columns}],
    }
    said = (
        ""
        if key
        else "# No key was found: mark the columns that make a row unique with primaryKey and primaryKeyPosition.\n"
    )
    head = f"# contracts/{table.lower()}.odcs.yaml: a first draft; docs/results.md says what to add.\n{said}"
    return head + yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=110)
