"""The files of a team's project, from its answers. Pure."""

from __future__ import annotations

import shlex
from pathlib import PurePath
from typing import Any

import yaml

from infra.settings import persona_names
from infra.vocabulary import Environment
from quantctl.init.answers import Answers

_STAGES = {
    Environment.DEV: "Development: the team's own tests run here for several days.",
    Environment.STAGING: "UAT: end users validate the outputs.",
    Environment.LIMITED: "Limited release: the canary, for a named audience.",
    Environment.LIVE: "Production: the source of truth, locked down.",
}
_ALLOWED = """\
# What this team allows beyond the rules of the policy pack. Reviewed like code: docs/policy.md of quant.

# Resource types of the team's own, `any` or the properties: `snowflake:Table: any`, `snowflake:Schema: [logLevel]`.
types: {}

# What jobs may use that is not their environment's own. In quant_live this list alone counts.
references:
  quant: {}
  quant_stg: {}
  quant_lr: {}
  quant_live: {}

# Notifications go to addresses of these domains.
"""
_SHELL = """\
# What a shell needs, but for logins (docs/cloud.md of quant): . ./cloud.env
QUANT_PROJECT="$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")" && pwd)"
export QUANT_PROJECT
"""


def files(said: Answers, checkout: PurePath) -> dict[str, str]:
    """File name -> content; `checkout` is where quant's code lies, seen from the project's folder."""
    return {
        "Pulumi.yaml": _project(said, checkout),
        **{f"Pulumi.{env}.yaml": _stack(said, env) for env in Environment},
        "policy/allowed.yaml": _ALLOWED + _yaml({"mail_domains": said.mail_domains}),
        "cloud.env": _SHELL + "".join(f"export {name}={shlex.quote(value)}\n" for name, value in _variables(said).items()),
    }


def _project(said: Answers, checkout: PurePath) -> str:
    config: dict[str, Any] = {
        "remote": said.remote,
        "gitProvider": said.git_provider,
        "database": said.database,
        "warehouse": said.warehouse,
        "account": said.account,
        "deployer": said.deployer,
    }
    # An object of a project file is a declaration of a key, its value stands within:
    # https://www.pulumi.com/docs/iac/concepts/config/#project-level-configuration
    if said.gitlab is not None:
        config["gitlab"] = {"value": {"url": said.gitlab.url, "project": said.gitlab.project}}
    if names := (persona_names(said.groups) if said.groups != "quant" else {}) | said.personas:
        config["personas"] = {"value": {str(one): of.model_dump(by_alias=True) for one, of in names.items()}}
    return _yaml(
        {
            "name": "quant",
            "description": "Four maturity branches, four environments.",
            "main": str(checkout),
            "runtime": {"name": "python", "options": {"virtualenv": str(checkout / ".venv")}},
            **({"backend": {"url": said.backend}} if said.backend else {}),
            "config": config,
        }
    )


def _stack(said: Answers, env: Environment) -> str:
    config = {
        "quant:branch": str(env),
        "quant:folder": f"/{env}",
        "quant:schema": str(env),
        "quant:servicePrincipal": said.service_principals[env],
        "quant:schedules": "live",
        "quant:allowed": {"mailDomains": said.mail_domains},
    }
    return f"# {_STAGES[env]} Every key: quantctl settings\n" + _yaml({"config": config})


def _variables(said: Answers) -> dict[str, str]:
    organization, _, account = said.account.partition("-")
    return {
        "DATABRICKS_HOST": said.databricks_host,
        "SNOWFLAKE_ORGANIZATION_NAME": organization,
        "SNOWFLAKE_ACCOUNT_NAME": account,
        "SNOWFLAKE_USER": "QUANT_DEPLOYER",
        "SNOWFLAKE_ROLE": "QUANT_DEPLOYER",
        "SNOWFLAKE_AUTHENTICATOR": "SNOWFLAKE_JWT",
    }


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, width=120)
