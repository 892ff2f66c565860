"""Every identity of the sandbox, so that anybody can try what each may do."""

from __future__ import annotations

from quantctl.laptop.exports import endpoints_of
from sandbox import identities
from sandbox.held_keys import held_keys
from sandbox.state import State


def credentials(state: State) -> list[dict[str, str | int | None]]:
    """Who there is; service principals are no users of the forge (None), and have no key before it was made (None)."""
    endpoints = endpoints_of(state)
    held = held_keys(state)
    state.prepare()  # a state folder of an earlier version has no tokens for the forge
    tokens, gitlab_tokens = state.tokens(), state.gitlab_tokens()

    def identity(
        persona: str, user: str, snowflake_user: str, key: str, role: str, gitlab_user: str | None
    ) -> dict[str, str | int | None]:
        return {
            "persona": persona,
            "databricks_user": user,
            "databricks_token": tokens[user],
            "databricks_host": endpoints.databricks_host,
            "snowflake_user": snowflake_user,
            "snowflake_key_file": None if key in identities.ENVIRONMENTS and key not in held else str(state.key_file(key)),
            "snowflake_role": role,
            "snowflake_host": endpoints.snowflake_host,
            "snowflake_port": endpoints.snowflake_port,
            "snowflake_account": f"{identities.SNOWFLAKE_ORGANIZATION}-{identities.SNOWFLAKE_ACCOUNT}",
            "gitlab_user": gitlab_user,
            "gitlab_token": gitlab_tokens[gitlab_user] if gitlab_user else None,
            "gitlab_url": endpoints.gitlab_url,
        }

    people = [identity(p.persona, p.user_name, p.snowflake_user, p.key, p.role, p.key) for p in identities.PEOPLE]
    deployer = identity(
        "deployer",
        identities.DEPLOYER_ID,
        identities.DEPLOYER_USER,
        "deployer",
        identities.DEPLOYER_ROLE,
        identities.DEPLOYER_NAME,
    )
    services = [
        identity(
            f"service_principal:{env}",
            application,
            identities.service_user(env),
            env,
            identities.service_role(env),
            None,
        )
        for env, application in identities.SERVICE_PRINCIPALS.items()
    ]
    return [*people, deployer, *services]
