"""Who exists in the sandbox, on both sides: the Databricks workspace and the Snowflake account."""

from __future__ import annotations

from dataclasses import dataclass

ENVIRONMENTS = ("quant", "quant_stg", "quant_lr", "quant_live")

SERVICE_PRINCIPALS = {env: f"00000000-0000-4000-8000-{number:012d}" for number, env in enumerate(ENVIRONMENTS, start=1)}
DEPLOYER_ID = "00000000-0000-4000-8000-0000000000d0"
DEPLOYER_NAME = "quant-deployer"
DEPLOYER_EMAIL = "quant-deployer@quant.example"
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
    gitlab_level: int  # their role in the project: https://docs.gitlab.com/user/permissions/

    @property
    def key(self) -> str:
        return self.user_name.partition("@")[0]

    @property
    def snowflake_user(self) -> str:
        return self.key.upper()


def _person(persona: str, name: str, group: str, gitlab_level: int) -> Person:
    return Person(persona, f"{name}@quant.example", group, group.upper().replace("-", "_"), gitlab_level)


ADMIN = Person("admin", "ada@quant.example", None, "ACCOUNTADMIN", 50)
PEOPLE = (
    _person("developer", "dana", "quant-developers", 30),
    _person("reviewer", "ravi", "quant-reviewers", 30),
    _person("release_manager", "rhea", "quant-release-managers", 40),
    _person("uat_tester", "uma", "quant-uat-testers", 20),
    _person("limited_release", "lena", "quant-limited-release", 10),
    _person("end_user", "eddie", "quant-end-users", 10),
    _person("support", "sam", "quant-support", 20),
    _person("comparer", "cora", "quant-comparers", 10),
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


def gitlab_users() -> list[str]:
    """Every user of the forge, by user name: the people, and the deployer's bot."""
    return [*(person.key for person in PEOPLE), DEPLOYER_NAME]


def key_names() -> list[str]:
    """Every key file in `keys/`, without `.p8`."""
    return ["deployer", *(person.key for person in PEOPLE)]
