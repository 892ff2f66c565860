"""Stages and file formats as far as pandas needs them: PUT, LIST, REMOVE, INFER_SCHEMA and COPY INTO of Parquet files.

A stage is a folder of this machine. The drivers copy a file there by themselves when they are told that a stage is local
(`local_storage_client.py` of the Python connector).
https://docs.snowflake.com/en/sql-reference/sql/create-stage and copy-into-table
"""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlglot import exp

from sandbox.account import names
from sandbox.account.definitions import need_create
from sandbox.account.errors import SqlError, exists, no_object, unsupported
from sandbox.account.naming import full_name
from sandbox.account.privileges import Rights, apply_future_grants
from sandbox.account.reader import Reader
from sandbox.account.rows import Connection, Rows
from sandbox.account.state import Object, State
from sandbox.account.values import INTEGER, TEXT, of_duck
from sandbox.account.wire import Result, status

_PARQUET = {"TYPE", "COMPRESSION", "USE_LOGICAL_TYPE", "BINARY_AS_TEXT", "USE_VECTORIZED_SCANNER"}


def create(state: State, rights: Rights, reader: Reader, kind: str, *, replace: bool, temporary: bool) -> Result:
    """CREATE [OR REPLACE] [TEMPORARY] STAGE | FILE FORMAT [IF NOT EXISTS] <name> [options]; read up to the name."""
    only_if_missing = reader.take("IF", "NOT", "EXISTS")
    name = full_name(kind, reader.name(), rights.session)
    options = read_options(reader)
    known = {"FILE_FORMAT", "ENCRYPTION", "DIRECTORY", "COMMENT"} if kind == "STAGE" else {*_PARQUET, "COMMENT"}
    if set(options) - known:
        raise unsupported(f"{', '.join(sorted(set(options) - known))} of {kind}")
    need_create(state, rights, kind, name)
    there = state.get(kind, name)
    if there is not None and only_if_missing:
        return status(f"{names.last(name)} already exists, statement succeeded.")
    if there is not None and not replace:
        raise exists(name)
    with state.together():
        if there is not None:
            rights.need_owner(there)
            state.remove(there, rights.session.role)
        props = {"options": options, "COMMENT": options.get("COMMENT", "")}
        props |= {"session": rights.session.id} if temporary else {}
        apply_future_grants(state, state.add(kind, name, rights.session.role, props))
    return status(f"{kind.capitalize()} {names.last(name)} successfully created.")


def read_options(reader: Reader) -> dict[str, Any]:
    """KEY = value and KEY = (KEY = value ...), up to the end or a closing parenthesis."""
    found: dict[str, Any] = {}
    while not reader.done and not reader.take(")"):
        reader.take(",")
        key = reader.key()
        if reader.take("("):
            found[key] = read_options(reader)
            continue
        parts = [reader.any().text]
        while reader.take("."):
            parts.append(reader.any().text)
        found[key] = ".".join(parts)
    return found


def location(state: State, rights: Rights, rows: Rows, written: str, privilege: str) -> tuple[Object, Path]:
    """A stage and the folder for `@stage/path`.

    Raises:
        SqlError: 002003 no such stage, 003001 without the privilege, 000002 a user's or a table's own stage.
    """
    reader = Reader(written.strip().strip("'").removeprefix("@"))
    if (token := reader.peek()) is None or token.kind not in ("word", "quoted"):
        raise unsupported(f"the stage {written}")
    name = full_name("STAGE", reader.name(), rights.session)
    at = reader.peek()
    within = reader.sql[at.at :].strip("/") if at is not None else ""
    item = state.get("STAGE", name)
    if item is None or not rights.sees(item):
        raise no_object("Stage", name)
    rights.need_usage(item.parent)
    rights.need(privilege, "STAGE", name)
    folder = (rows.stages / str(item.id)).resolve()
    path = (folder / within).resolve()
    if not path.is_relative_to(folder):
        raise unsupported(f"the path {within}")
    return item, path


def put(state: State, rights: Rights, rows: Rows, sql: str, bindings: dict[str, Any]) -> dict[str, Any]:
    """PUT file://... @stage [options]: what the driver must know to copy the file itself."""
    found = re.match(r"\s*PUT\s+(?:/\*.*?\*/\s*)?('(?:[^'\\]|\\.)*'|\S+)\s+('[^']+'|\S+)\s*(.*)$", sql, re.I | re.S)
    if found is None:
        raise unsupported(sql)
    source = found[1].strip("'").replace("\\'", "'").removeprefix("file://")
    stage = str(bindings["1"]["value"]) if found[2] == "?" and "1" in bindings else found[2]
    _, path = location(state, rights, rows, stage, "WRITE")
    options = {key.upper(): value for key, value in re.findall(r"(\w+)\s*=\s*'?([\w.]+)'?", found[3])}
    if set(options) - {"PARALLEL", "AUTO_COMPRESS", "SOURCE_COMPRESSION", "OVERWRITE"}:
        raise unsupported(sql)
    path.mkdir(parents=True, exist_ok=True)
    return {
        "command": "UPLOAD", "src_locations": [source], "parallel": int(options.get("PARALLEL", "4")),
        "threshold": 209715200, "clientShowEncryptionParameter": False,
        "autoCompress": options.get("AUTO_COMPRESS", "true").lower() == "true",
        "overwrite": options.get("OVERWRITE", "false").lower() == "true",
        "sourceCompression": options.get("SOURCE_COMPRESSION", "auto_detect").lower(),
        "encryptionMaterial": None, "operation": "Node",
        "stageInfo": {"locationType": "LOCAL_FS", "location": str(path), "path": "", "region": "", "creds": {}},
    }  # fmt: skip


def listed(state: State, rights: Rights, rows: Rows, reader: Reader, *, remove: bool) -> Result:
    """LIST @stage and REMOVE @stage; the first word is read."""
    at = reader.peek()
    written = reader.sql[at.at :] if at is not None else ""
    item, path = location(state, rights, rows, written.rstrip(" ;"), "WRITE" if remove else "READ")
    files = files_in(path)
    shown = [f"{item.last_name.lower()}/{file.relative_to(rows.stages / str(item.id))}" for file in files]
    if remove:
        for file in files:
            file.unlink()
        return Result([("name", TEXT), ("result", TEXT)], [[name, "removed"] for name in shown])
    times = [datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT") for file in files]
    columns = [("name", TEXT), ("size", INTEGER), ("md5", TEXT), ("last_modified", TEXT)]
    told = zip(shown, files, times, strict=True)
    return Result(columns, [[name, file.stat().st_size, None, when] for name, file, when in told])


def files_in(path: Path) -> list[Path]:
    """The files below a folder, or the one that the path names."""
    return [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else []


def forget(state: State, rows: Rows) -> None:
    """Files of stages that are gone."""
    for folder in rows.stages.iterdir() if rows.stages.is_dir() else []:
        if not state.rows("select 1 from sf_object where kind = 'STAGE' and id = ?", int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)


def parquet(files: list[Path]) -> str:
    """DuckDB's table function for files."""
    return "read_parquet([" + ", ".join("'" + str(file).replace("'", "''") + "'" for file in files) + "])"


def check_format(options: dict[str, Any]) -> None:
    """Only Parquet files are read."""
    if str(options.get("TYPE", "CSV")).upper() != "PARQUET" or set(options) - _PARQUET:
        raise unsupported(f"the file format {options}")


def infer(state: State, rights: Rights, rows: Rows, connection: Connection, call: exp.Anonymous) -> exp.Expr:
    """TABLE(INFER_SCHEMA(LOCATION => '@stage', FILE_FORMAT => 'name')) as a list of values."""
    given = {each.name.upper(): each.expression.name for each in call.expressions if isinstance(each, exp.Kwarg)}
    if set(given) != {"LOCATION", "FILE_FORMAT"}:
        raise unsupported(call.sql("snowflake"))
    name = full_name("FILE FORMAT", Reader(given["FILE_FORMAT"]).name(), rights.session)
    item = state.get("FILE FORMAT", name)
    if item is None or not rights.sees(item):
        raise no_object("File format", name)
    check_format(item.props["options"])
    _, path = location(state, rights, rows, given["LOCATION"], "READ")
    files = files_in(path)
    if not files:
        raise SqlError("100080", "22000", f"No files in {given['LOCATION']}")
    _, found = connection.read(f"DESCRIBE SELECT * FROM {parquet(files)}")
    lines = []
    for at, (column, told, *_) in enumerate(found):
        kind = of_duck(told)
        said = "TEXT" if kind.family == "text" else kind.sql.replace("(9)", "").replace("FLOAT", "REAL")
        values = [exp.Literal.string(each) for each in (column, said, "TRUE", f"$1:{column}::{said}")]
        lines.append(exp.Tuple(expressions=[*values, exp.Literal.number(at)]))
    heads = ["COLUMN_NAME", "TYPE", "NULLABLE", "EXPRESSION", "ORDER_ID"]
    alias = exp.TableAlias(
        this=exp.to_identifier("SCHEMA"), columns=[exp.to_identifier(head, quoted=True) for head in heads]
    )
    return exp.Values(expressions=lines, alias=alias)
