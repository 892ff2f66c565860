"""The environment variables with which plain `pulumi` works against the sandbox."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

import toolchain
from infra.public_keys import FOLDER
from quantctl import project
from quantctl.engine import tuning
from quantctl.errors import UserError
from quantctl.laptop import signing
from quantctl.where import with_loopback, without_places
from sandbox import identities
from sandbox.state import Endpoints, State


def endpoints_of(state: State) -> Endpoints:
    """The ports of a sandbox that was started at least once.

    Raises:
        UserError: there is none.
    """
    endpoints = state.endpoints()
    if endpoints is None or not state.credentials_file.exists():
        raise UserError(
            "There is no sandbox yet.",
            found=f"no endpoints in {state.folder}",
            expected="a sandbox that was started",
            do_next="`make up` for everything, or `quantctl sandbox start`",
        )
    return endpoints


def exports(state: State) -> dict[str, str]:
    """What a shell needs, but for PATH."""
    endpoints, found = endpoints_of(state), toolchain.locate()
    return {
        "QUANT_TARGET": "sandbox",
        # Official plugins are 150 MB each: those stay in the user's own home.
        **({"PULUMI_HOME": str(state.folder / "pulumi-home")} if found and found.way == "built" else {}),
        "PULUMI_BACKEND_URL": f"file://{state.pulumi}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(state.passphrase),
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "DATABRICKS_HOST": endpoints.databricks_host,
        "DATABRICKS_TOKEN": state.tokens()[identities.DEPLOYER_ID],
        "DATABRICKS_RATE_LIMIT": "200",
        "SNOWFLAKE_ORGANIZATION_NAME": identities.SNOWFLAKE_ORGANIZATION,
        "SNOWFLAKE_ACCOUNT_NAME": identities.SNOWFLAKE_ACCOUNT,
        "SNOWFLAKE_USER": identities.DEPLOYER_USER,
        "SNOWFLAKE_ROLE": identities.DEPLOYER_ROLE,
        "SNOWFLAKE_AUTHENTICATOR": "SNOWFLAKE_JWT",
        "SNOWFLAKE_PRIVATE_KEY": state.key_file("deployer").read_text(),
        "SNOWFLAKE_HOST": endpoints.snowflake_host,
        "SNOWFLAKE_PORT": str(endpoints.snowflake_port),
        "SNOWFLAKE_PROTOCOL": "http",
        "QUANT_REMOTE": endpoints.remote_url,
        FOLDER: str(state.public_keys),
        "QUANT_SIGNERS": str(signing.signers_file(state)),
        **comparer(state, "cora"),
        **tuning.ALWAYS,
    }


def comparer(state: State, key: str) -> dict[str, str]:
    """As whom `quantctl results` reads the account: a person of the sandbox."""
    person = next(one for one in identities.PEOPLE if one.key == key)
    return {
        "QUANT_COMPARER_USER": person.snowflake_user,
        "QUANT_COMPARER_ROLE": person.role,
        "QUANT_COMPARER_PRIVATE_KEY": state.key_file(key).read_text(),
    }


def shell_exports(state: State) -> dict[str, str]:
    """What `quantctl env` prints: the same, with PATH and what this shell's proxies need."""
    values = exports(state)
    changed = with_loopback(dict(os.environ))
    proxies = {name: changed[name] for name in ("NO_PROXY", "no_proxy") if changed.get(name) != os.environ.get(name)}
    return values | proxies | toolchain.enter({**os.environ, **values}, project.checkout() / ".venv" / "bin")


def foreign(environ: Mapping[str, str], values: Mapping[str, str | None]) -> dict[str, None]:
    """A shell's own variables that would lead engine or clients elsewhere than what it is given: they are over."""
    return dict.fromkeys(sorted(set(environ) - set(without_places(environ)) - set(values)))


def shell(values: Mapping[str, str | None]) -> str:
    """Lines for `eval`; None is a variable that is over."""
    lines = (f"unset {n}" if value is None else f"export {n}={shlex.quote(value)}" for n, value in values.items())
    return "\n".join(lines)


def process_environment(state: State) -> dict[str, str]:
    """This process's environment with the sandbox's on top, for a child."""
    signs = signing.as_environment(os.environ, signing.git_settings(state, "deployer"))
    return without_places(with_loopback(dict(os.environ))) | shell_exports(state) | signs
