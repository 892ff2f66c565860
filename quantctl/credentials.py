"""Every identity of the sandbox, so that anybody can try what each may do."""

from __future__ import annotations

from quantctl import project
from sandbox import identities
from sandbox.state import State


def credentials(state: State) -> list[dict[str, str | int]]:
    endpoints = project.running_endpoints(state)
    tokens = state.tokens()

    def identity(persona: str, user: str, snowflake_user: str, key: str, role: str) -> dict[str, str | int]:
        return {
            "persona": persona,
            "databricks_user": user,
            "databricks_token": tokens[user],
            "databricks_host": endpoints.databricks_host,
            "snowflake_user": snowflake_user,
            "snowflake_key_file": str(state.key_file(key)),
            "snowflake_role": role,
            "snowflake_host": endpoints.snowflake_host,
            "snowflake_port": endpoints.snowflake_port,
            "snowflake_account": f"{identities.SNOWFLAKE_ORGANIZATION}-{identities.SNOWFLAKE_ACCOUNT}",
        }

    people = [identity(p.persona, p.user_name, p.snowflake_user, p.key, p.role) for p in identities.PEOPLE]
    deployer = identity(
        "deployer",
        identities.DEPLOYER_ID,
        identities.DEPLOYER_USER,
        "deployer",
        identities.DEPLOYER_ROLE,
    )
    services = [
        identity(
            f"service_principal:{env}",
            application,
            identities.service_user(env),
            env,
            identities.service_role(env),
        )
        for env, application in identities.SERVICE_PRINCIPALS.items()
    ]
    return [*people, deployer, *services]
