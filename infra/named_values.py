"""What a value of a stack file may be: plain validators, and the named types made of them. Pure.

Each message holds an example of a good value.
"""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Part(BaseModel):
    """A piece of the configuration: frozen, in camelCase, and nothing else than what it names."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)


def _workspace_path(value: str) -> str:
    # The workspace answers without the prefix, and `path` is force-new (security-analysis-tool, PR #198).
    path = value.removeprefix("/Workspace").rstrip("/")
    if not re.fullmatch(r"(/[^/\s]+)+", path):
        raise ValueError("an absolute workspace path is expected, for example /quant_stg")
    return path


def _remote(value: str) -> str:
    # A Git folder is cloned over HTTP alone: https://docs.databricks.com/repos/repos-setup
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an http or https URL is expected, for example https://gitlab.example/quant/pipelines.git")
    if "@" in parts.netloc:
        raise ValueError("a URL without user name and password is expected; git takes them from its credential helper")
    return value


def _relative(value: str) -> str:
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", value) or ".." in value.split("/"):
        raise ValueError("a folder of the repository is expected, for example workflows")
    return value


def _address(value: str) -> str:
    try:
        ipaddress.IPv4Network(value)
    except ValueError:
        raise ValueError("an IPv4 address or range is expected, for example 192.0.2.0/24") from None
    return value


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,254}", value):
        raise ValueError("a plain Snowflake identifier is expected, for example QUANT")
    return value


def _scope_name(value: str) -> str:
    # https://docs.databricks.com/api/workspace/secrets/createscope
    if not re.fullmatch(r"[A-Za-z0-9_.@-]{1,128}", value):
        raise ValueError("up to 128 letters, digits, - _ @ and . are expected, for example quant_stg")
    return value


def _application_id(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        raise ValueError("the application id of a service principal is expected, a UUID")
    return value.lower()


def _account(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]+-[A-Za-z0-9_]+", value):
        raise ValueError("<organization>-<account> is expected, for example ACME-PROD")
    return value


def _user(value: str) -> str:
    if not re.fullmatch(r"[^@/\s]+@[^@/\s]+", value):
        raise ValueError("a workspace user name is expected, for example dana@quant.example")
    return value


def structured(value: object) -> object:
    """The engine hands objects and lists of a stack file over as JSON text."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


WorkspacePath = Annotated[str, AfterValidator(_workspace_path)]
Identifier = Annotated[str, AfterValidator(_identifier)]
ScopeName = Annotated[str, AfterValidator(_scope_name)]
ApplicationId = Annotated[str, AfterValidator(_application_id)]
AccountName = Annotated[str, AfterValidator(_account)]
UserName = Annotated[str, AfterValidator(_user)]
Remote = Annotated[str, AfterValidator(_remote)]
RelativePath = Annotated[str, AfterValidator(_relative)]
Address = Annotated[str, AfterValidator(_address)]
# https://docs.databricks.com/api/workspace/repos/create
GitProvider = Literal[
    "awsCodeCommit",
    "azureDevOpsServices",
    "bitbucketCloud",
    "bitbucketServer",
    "gitHub",
    "gitHubEnterprise",
    "gitLab",
    "gitLabEnterpriseEdition",
]
