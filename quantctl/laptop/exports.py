"""The environment variables with which plain `pulumi` works against the sandbox."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

import toolchain
from quantctl import project
from sandbox import identities
from sandbox.state import State


def exports(state: State) -> dict[str, str]:
    endpoints = project.running_endpoints(state)
    found = toolchain.locate()
    values = {
        "PATH": _path(str(found.bin) if found is not None and found.bin is not None else None),
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
        "QUANT_SERVICE_KEYS": str(state.keys),
        # No collection below this; engine and providers live for seconds: https://go.dev/doc/gc-guide#Memory_limit
        "GOGC": "off",
        "GOMEMLIMIT": "2GiB",
    }
    if found is not None and found.way == "built":
        values["PULUMI_HOME"] = str(state.folder / "pulumi-home")
    return values


def shell(values: Mapping[str, str | None]) -> str:
    """Lines for `eval`; None is a variable that is over."""
    lines = (f"unset {n}" if value is None else f"export {n}={shlex.quote(value)}" for n, value in values.items())
    return "\n".join(lines)


def process_environment(state: State) -> dict[str, str]:
    """This process's environment with the sandbox's on top, for a child."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "DATABRICKS_", "SNOWFLAKE_"))
    }
    return inherited | exports(state)


def engine_environment(state: State) -> dict[str, str]:
    """What the engine and the clients run with: this shell's settings where it has some, else the sandbox's."""
    if os.environ.get("DATABRICKS_HOST") or os.environ.get("PULUMI_BACKEND_URL"):
        found = toolchain.locate()
        tools = str(found.bin) if found is not None and found.bin is not None else None
        return {**os.environ, "PATH": _path(tools)}
    return process_environment(state)


def enter(state: State) -> dict[str, str]:
    """Make this process one that was started with `engine_environment`, so that the SDKs find what they read there."""
    environ = engine_environment(state)
    os.environ.clear()
    os.environ.update(environ)
    return environ


def _path(tools: str | None) -> str:
    """The toolchain and the virtual environment first, each once."""
    first = [*([tools] if tools else []), str(project.root() / ".venv" / "bin")]
    rest = [part for part in os.environ.get("PATH", "").split(os.pathsep) if part and part not in first]
    return os.pathsep.join(first + rest)
