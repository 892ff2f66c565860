"""The configuration of one environment stack: the only reader of stack name and configuration.

Shared values stand in `Pulumi.yaml`, what differs in `Pulumi.<stack>.yaml`. Everything that configuration alone can
break is refused here, before anything is declared, with the file, the key, what was found and what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from infra.errors import UserError

PROJECT = "quant"


class Environment(StrEnum):
    """The four maturity branches, in the order of promotion. A stack, a branch, a folder and a schema share the name."""

    DEV = "quant"
    STAGING = "quant_stg"
    LIMITED = "quant_lr"
    LIVE = "quant_live"


def _workspace_path(value: str) -> str:
    # The workspace answers without the prefix, and `path` is force-new (security-analysis-tool, PR #198).
    path = value.removeprefix("/Workspace").rstrip("/")
    if not re.fullmatch(r"(/[^/\s]+)+", path):
        raise ValueError("an absolute workspace path is expected, for example /quant_stg")
    return path


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,254}", value):
        raise ValueError("a plain Snowflake identifier is expected, for example QUANT")
    return value


def _application_id(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        raise ValueError("the application id of a service principal is expected, a UUID")
    return value.lower()


def _account(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]+-[A-Za-z0-9_]+", value):
        raise ValueError("<organization>-<account> is expected, for example ACME-PROD")
    return value


WorkspacePath = Annotated[str, AfterValidator(_workspace_path)]
Identifier = Annotated[str, AfterValidator(_identifier)]
ApplicationId = Annotated[str, AfterValidator(_application_id)]
AccountName = Annotated[str, AfterValidator(_account)]


class Settings(BaseModel):
    """What one stack declares. Keys are written in camelCase below the namespace `quant:`."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    environment: Environment
    remote: str = Field(min_length=1, description="URL of the pipelines repository; QUANT_REMOTE wins over it")
    branch: str = Field(description="maturity branch; must be the stack's name")
    folder: WorkspacePath = Field(description="workspace path of the Git folder; its last part is the branch")
    schema_: Identifier = Field(alias="schema", description="Snowflake schema; must be the stack's name")
    database: Identifier = Field(description="Snowflake database that holds the four schemas")
    warehouse: Identifier = Field(description="Snowflake warehouse that the jobs use")
    account: AccountName = Field(description="Snowflake account that the jobs log in to: organization-account")
    service_principal: ApplicationId = Field(description="application id that the jobs run as")
    deployer: ApplicationId = Field(description="application id of the service principal that deploys and owns the jobs")
    schedules: Literal["live", "paused"] = Field(default="live", description="whether schedules of jobs run")
    git_provider: str = Field(default="gitLab", description="the Databricks word for the forge, e.g. gitHub")
    workflows: str = Field(default="workflows", description="folder of workflow files in the pipelines repository")
    service_user_key: str | None = Field(
        default=None, repr=False, description="secret: PEM private key of the service user; else QUANT_SERVICE_KEYS"
    )

    @property
    def is_live(self) -> bool:
        """Whether this is production, where everything is locked down."""
        return self.environment is Environment.LIVE


def read_settings(stack: str, config: Mapping[str, str], environ: Mapping[str, str]) -> Settings:
    """The settings of `stack` from the engine's configuration (`quant:key` -> value) and the process environment.

    Raises:
        UserError: names file, key, what was found and what is allowed.
    """
    names = [env.value for env in Environment]
    if stack not in names:
        raise UserError(f"stack {stack!r} is not an environment: expected one of {', '.join(names)}.")
    prefix = f"{PROJECT}:"
    values = {key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)}
    remote = environ.get("QUANT_REMOTE") or values.get("remote")
    if not remote:
        raise UserError(
            "no pipelines repository is named: set the environment variable QUANT_REMOTE, or quant:remote in"
            ' Pulumi.yaml. In the sandbox: eval "$(quantctl env)".'
        )
    file = f"Pulumi.{stack}.yaml"
    try:
        settings = Settings.model_validate({**values, "remote": remote, "environment": stack})
    except ValidationError as error:
        raise UserError("\n".join(_explain(file, entry) for entry in error.errors())) from None
    for key, found in (
        ("branch", settings.branch),
        ("schema", settings.schema_.lower()),
        ("folder", settings.folder.rsplit("/", 1)[-1]),
    ):
        if found != stack:
            raise UserError(
                f"{file}: quant:{key}: found {found!r}, expected {stack!r}: stack, branch, folder and schema of an"
                " environment bear one name, so that nothing is deployed to the wrong place."
            )
    return settings


def _explain(file: str, entry: object) -> str:
    assert isinstance(entry, dict)
    key = ".".join(str(part) for part in entry["loc"])
    if entry["type"] == "extra_forbidden":
        allowed = sorted(field.alias or name for name, field in Settings.model_fields.items() if name != "environment")
        return f"{file}: quant:{key} is not a setting; allowed are {', '.join(allowed)}."
    if entry["type"] == "missing":
        return f"{file}: quant:{key} is missing; every environment needs it."
    message = str(entry["msg"]).removeprefix("Value error, ")
    found = "(hidden)" if key == "serviceUserKey" else repr(entry.get("input"))
    return f"{file}: quant:{key}: found {found}: {message}."
