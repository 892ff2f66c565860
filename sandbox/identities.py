"""Who exists in the sandbox, on both sides: the Databricks workspace and the Snowflake account."""

from __future__ import annotations

from dataclasses import dataclass

ENVIRONMENTS = ("quant", "quant_stg", "quant_lr", "quant_live")

SERVICE_PRINCIPALS = {env: f"00000000-0000-4000-8000-{number:012d}" for number, env in enumerate(ENVIRONMENTS, start=1)}
DEPLOYER_ID = "00000000-0000-4000-8000-0000000000d0"
DEPLOYER_NAME = "quant-deployer"
DEPLOYER_USER = DEPLOYER_ROLE = "QUANT_DEPLOYER"

SNOWFLAKE_ORGANIZATION = "QUANTORG"
SNOWFLAKE_ACCOUNT = "SANDBOX"

# What a deployer needs and no more, as docs/cloud.md says it: above all no MANAGE GRANTS.
SEED_STATEMENTS = [
    "CREATE DATABASE IF NOT EXISTS QUANT",
    "CREATE WAREHOUSE IF NOT EXISTS QUANT_WH",
    "GRANT USAGE, CREATE SCHEMA, CREATE DATABASE ROLE ON DATABASE QUANT TO ROLE QUANT_DEPLOYER",
    "GRANT CREATE ROLE, CREATE USER, CREATE WAREHOUSE ON ACCOUNT TO ROLE QUANT_DEPLOYER",
    "GRANT CREATE NETWORK POLICY ON ACCOUNT TO ROLE QUANT_DEPLOYER",
    "GRANT USAGE ON WAREHOUSE QUANT_WH TO ROLE QUANT_DEPLOYER WITH GRANT OPTION",
    "GRANT USAGE ON WAREHOUSE QUANT_WH TO ROLE PUBLIC",
    "GRANT ROLE QUANT_DEPLOYER TO ROLE ACCOUNTADMIN",  # custom roles end in the hierarchy, as Snowflake advises
]


@dataclass(frozen=True)
class Person:
    persona: str
    user_name: str
    group: str | None
    role: str

    @property
    def key(self) -> str:
        return self.user_name.partition("@")[0]

    @property
    def snowflake_user(self) -> str:
        return self.key.upper()


def _person(persona: str, name: str, group: str) -> Person:
    return Person(persona, f"{name}@quant.example", group, group.upper().replace("-", "_"))


ADMIN = Person("admin", "ada@quant.example", None, "ACCOUNTADMIN")
PEOPLE = (
    _person("developer", "dana", "quant-developers"),
    _person("reviewer", "ravi", "quant-reviewers"),
    _person("release_manager", "rhea", "quant-release-managers"),
    _person("uat_tester", "uma", "quant-uat-testers"),
    _person("limited_release", "lena", "quant-limited-release"),
    _person("end_user", "eddie", "quant-end-users"),
    _person("support", "sam", "quant-support"),
    ADMIN,
)


def service_principal_name(env: str) -> str:
    return "sp-" + env.replace("_", "-")


def service_user(env: str) -> str:
    return f"SVC_{env.upper()}"


def service_role(env: str) -> str:
    return f"{env.upper()}_SVC"


def databricks_identities() -> list[str]:
    """Every identity that has a token, by userName or applicationId."""
    return [person.user_name for person in PEOPLE] + [*SERVICE_PRINCIPALS.values(), DEPLOYER_ID]


def key_names() -> list[str]:
    """Every key file in `keys/`, without `.p8`."""
    return [*ENVIRONMENTS, "deployer", *(person.key for person in PEOPLE)]
