"""The words of a job that an installer, a shell or Spark obeys: requirements, command lines, settings, variables. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rules.environments import Environment
from rules.own_places import WORKSPACE, Problems, in_folder, is_inside, is_listed, list_it, listed, no_foreign_secret
from rules.values import UNKNOWN, shown

_REQUIREMENT = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._, -]*\])? *((===|[<>=!~]=|[<>]) *[A-Za-z0-9.*+!_-]+ *,? *)*"
    r"(;[A-Za-z0-9_ .'\"<>=!()]*)?"
)
_COORDINATES = re.compile(r"[\w.-]+:[\w.-]+(:[\w.-]+){1,3}")
_ELSEWHERE = re.compile(r"[\w+.-]+:/|/|.*\.(py|jar|zip|whl|egg|R|tar\.gz)$|git\+")
_SPARK = re.compile(
    r"spark\.(sql(?!\.hive\.metastore)|databricks(?!\.(acl|passthrough|pyspark|repl))|executor\.(memory|cores|instances)"
    r"|driver\.(memory|cores|maxResultSize)|default|task|shuffle|dynamicAllocation|speculation|network|rpc|memory|scheduler|serializer|master|locality|broadcast|rdd|ui)\b.*"
)
# Options of spark-submit that bring code, settings or an identity from elsewhere.
_FOREIGN_OPTIONS = frozenset(
    {
        "--driver-class-path", "--driver-java-options", "--driver-library-path", "--keytab", "--principal",
        "--properties-file", "--proxy-user",
    }
)  # fmt: skip
# https://docs.databricks.com/api/workspace/jobs/create: "all commands must start with dbt"; nothing that a shell would obey.
_DBT = re.compile(r"dbt( +([^\s;&|<>`$]|\$(?!\())+)*")
# Names that steer which code an interpreter or an installer runs, whom it asks, or as whom.
_STEERING = re.compile(
    r"(AWS(?!_(DEFAULT_)?REGION$)|AZURE|BASH|CONDA|CURL|DATABRICKS|DBT|GCONV|GIT|GLIBC|GOOGLE|HADOOP|IVY|JAVA|JDK|_JAVA|LD|MAVEN|NODE|NPM|OPENSSL"
    r"|PIP|POETRY|PROMPT|PYSPARK|PYTHON|R|REQUESTS|SNOWFLAKE|SPARK|SSH|SSL|UV|VIRTUAL|XDG)_.*"
    r"|(PERL|PYTHON|RUBY|SHELL)\w*|PATH|CLASSPATH|ENV|HOME|HOSTALIASES|IFS|NETRC|PS4|TMPDIR|ZDOTDIR|\w*_?PROXY"
    r"|\w*_INDEX(_URL)?",
    re.IGNORECASE,
)
_ARCHIVE = re.compile(r".*\.(egg|jar|tar\.\w+|tgz|whl|zip)", re.IGNORECASE)


def requirement(value: Any, where: str, environment: Environment) -> Problems:
    """A requirement by name and version; a file or a requirements file of the folder; or what is listed."""
    if isinstance(value, str):
        text = re.sub(r"^(-r|--requirement|-e|--editable)[ =]+", "", value.strip())
        if not re.search(r"\s-", text) and (is_inside(text, environment) or is_listed(text, environment)):
            return
        if text == value.strip() and _REQUIREMENT.fullmatch(text) and not _ARCHIVE.fullmatch(text):
            return
        option, _, address = text.partition(" ") if " " in text else text.partition("=")
        if option in ("--index-url", "--extra-index-url", "--find-links", "-i", "-f") and is_listed(
            address.strip(), environment
        ):
            return
    yield (
        f"{where}: found {shown(value)}, expected a requirement such as pandas>=2, or a file in"
        f" {WORKSPACE}{environment.folder}: packages come from the workspace's own index. {list_it(environment)}"
    )


def coordinates(value: Any, where: str, environment: Environment) -> Problems:
    """A Maven package by its coordinates, a file of the folder, or what is listed."""
    if not (isinstance(value, str) and (_COORDINATES.fullmatch(value) or is_inside(value, environment))):
        yield from listed(value, where, environment)


def arguments(value: Any, where: str, environment: Environment) -> Problems:
    """Arguments of spark-submit: what looks like a file, an address, a package or a setting is judged as one."""
    if not isinstance(value, str):
        yield f"{where}: found {shown(value)}, expected a text."
        return
    for piece in re.split(r"[,=\s]", value):
        if _ELSEWHERE.match(piece) or ":" in piece:
            yield from in_folder(piece, where, environment)
        elif piece in _FOREIGN_OPTIONS or (piece.startswith("spark.") and not _is_usual_setting(piece, environment)):
            yield f"{where}: found {shown(piece)}, which may bring code or credentials of others. {list_it(environment)}"


def command(value: Any, where: str, environment: Environment) -> Problems:
    """A command of dbt and nothing else: a file or an address in it lies in the folder."""
    if not isinstance(value, str) or not _DBT.fullmatch(value.strip()):
        yield f"{where}: found {shown(value)}, expected one command of dbt, without what a shell would obey."
        return
    for word in re.split(r"[=\s]+", value):
        if re.match(r"[/~]|[\w+.-]+:/", word) or ".." in word.split("/"):
            yield from in_folder(word, where, environment)


def configuration(value: Any, where: str, environment: Environment) -> Problems:
    """Settings of Spark that tune it, with values that lead nowhere else."""
    for key, item in pairs(value):
        if not _is_usual_setting(key, environment):
            yield f"{where}.{key}: found a setting that may bring code or credentials of others. {list_it(environment)}"
        elif item is not UNKNOWN and (not isinstance(item, str) or _ELSEWHERE.match(item)):
            yield from in_folder(item, f"{where}.{key}", environment)
        yield from no_foreign_secret(item, f"{where}.{key}", environment)


def _is_usual_setting(key: str, environment: Environment) -> bool:
    return bool(_SPARK.fullmatch(key)) or environment.allows(key)


def variables(value: Any, where: str, environment: Environment) -> Problems:
    """Environment variables that only the job's own code reads."""
    if not isinstance(value, dict):
        yield f"{where}: found {shown(value)}, expected names and values."
        return
    for key, item in value.items():
        usual = (key, item) == ("PYSPARK_PYTHON", "/databricks/python3/bin/python3")
        if _STEERING.fullmatch(key) and not usual and not environment.allows(key):
            yield f"{where}.{key}: found a variable that steers which code runs or whom it asks. {list_it(environment)}"
        yield from no_foreign_secret(item, f"{where}.{key}", environment)


def pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values; what is no mapping stands for itself, so that it is judged too."""
    yield from value.items() if isinstance(value, dict) else [(f"({shown(value)})", value)]
