"""What a team says of itself once: the questions, and the answers, checked as the settings are. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, model_validator

from infra.allowed import Domain
from infra.named_values import AccountName, ApplicationId, GitProvider, Identifier, Part, Remote
from infra.settings import PersonaNames
from infra.vocabulary import Environment, Persona
from quantctl.errors import UserError


def _host(value: str) -> str:
    if not re.fullmatch(r"https://[^/\s@]+/?", value):
        raise ValueError("an address is expected, for example https://adb-1.azuredatabricks.net")
    return value.rstrip("/")


Host = Annotated[str, AfterValidator(_host)]


class GitLabProject(Part):
    """Where the pipelines repository is, if promotions go by merge request."""

    url: Host
    project: str = Field(min_length=1)


class Answers(Part):
    """All of it, as an answers file holds it."""

    remote: Remote
    git_provider: GitProvider
    databricks_host: Host
    account: AccountName
    database: Identifier
    warehouse: Identifier
    deployer: ApplicationId
    service_principals: dict[Environment, ApplicationId] = Field(min_length=4)
    mail_domains: list[Domain] = Field(min_length=1)
    gitlab: GitLabProject | None = None
    backend: str | None = None
    groups: str = Field(default="quant", pattern=r"^[A-Za-z][A-Za-z0-9-]*$")
    personas: dict[Persona, PersonaNames] = Field(default={})

    @model_validator(mode="after")
    def _principals_differ(self) -> Answers:
        ids = [self.deployer, *self.service_principals.values()]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(
                f"each environment, and the deployer, has a service principal of its own (twice: {', '.join(twice)})"
            )
        return self


@dataclass(frozen=True)
class Question:
    """One value of `Answers`; `key` is its place, parts joined by dots."""

    key: str
    asks: str
    example: str
    default: str | None = None


_PRINCIPALS = [
    Question(f"servicePrincipals.{env}", f"Application id of the service principal that runs the jobs of {env}", "a UUID")
    for env in Environment
]
QUESTIONS = (
    Question("remote", "URL of the pipelines repository", "https://gitlab.example/quant/pipelines.git"),
    Question("gitProvider", "Its Git host, in Databricks' word", "gitLab, gitHub, azureDevOpsServices", "gitLab"),
    Question("databricksHost", "Address of the Databricks workspace", "https://adb-1.azuredatabricks.net"),
    Question("account", "Snowflake account, as ORGANIZATION-ACCOUNT", "ACME-PROD"),
    Question("database", "Snowflake database of the four schemas", "QUANT", "QUANT"),
    Question("warehouse", "Snowflake warehouse of the jobs", "QUANT_WH", "QUANT_WH"),
    Question("deployer", "Application id of the service principal that deploys", "a UUID"),
    *_PRINCIPALS,
    Question(
        "groups", "First word of the personas' groups and roles", "quant, for quant-developers and QUANT_DEVELOPERS", "quant"
    ),
    Question("mailDomains", "Mail domains that jobs may write to, with commas between", "example.com"),
)


def merged(given: Mapping[str, str], file: Mapping[str, Any]) -> dict[str, Any]:
    """The answers of a file, and over them those given one by one (`servicePrincipals.quant` -> value)."""
    found: dict[str, Any] = {key: dict(value) if isinstance(value, Mapping) else value for key, value in file.items()}
    for key, value in given.items():
        above, _, last = key.rpartition(".")
        place = found.setdefault(above, {}) if above else found
        place[last] = [part.strip() for part in value.split(",")] if key == "mailDomains" else value
    return found


def missing(found: Mapping[str, Any]) -> list[Question]:
    """What is not answered yet, in the order of the questions."""
    return [question for question in QUESTIONS if _at(found, question.key) in (None, "", [])]


def with_defaults(found: Mapping[str, Any]) -> dict[str, Any]:
    """What has a usual answer is answered with it."""
    return merged({one.key: one.default for one in missing(found) if one.default}, found)


def wrong(question: Question, found: Mapping[str, Any]) -> str | None:
    """What is wrong with one answer."""
    return next((said for key, said in _problems(found) if key == question.key or key.startswith(question.key + ".")), None)


def answers(found: Mapping[str, Any]) -> Answers:
    """The whole of it.

    Raises:
        UserError: every answer that is wrong, one line each.
    """
    if problems := _problems(found):
        lines = [f"  {key}: {said}" for key, said in problems]
        raise UserError("\n".join(["Some answers cannot be taken:", *lines]), do_next="correct them; nothing was written")
    return Answers.model_validate(found)


def _problems(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    try:
        Answers.model_validate(found)
    except ValidationError as error:
        return [(".".join(map(str, one["loc"])), _said(dict(one))) for one in error.errors()]
    return []


def _said(problem: dict[str, Any]) -> str:
    text = str(problem["msg"]).removeprefix("Value error, ")
    return text if problem["type"] == "missing" else f"{text} (found {problem['input']!r})"


def _at(found: Mapping[str, Any], key: str) -> Any:
    value: Any = found
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
