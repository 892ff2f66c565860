"""Find out whether an engine run may leave the providers' Diffs out, and with which variables it then runs."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import toolchain
from infra.errors import UserError
from infra.outside.workspace import Workspace
from quantctl.engine import settled
from quantctl.engine.state import States

# The engine's older rule: equal inputs are no difference. Documented by its name only (sdk/go/common/env/env.go).
LEFT_OUT = {"PULUMI_ENABLE_LEGACY_DIFF": "true"}
# The plugins of our own build leave them out themselves (toolchain/providers/bridge/quick.go), unless they are told not to.
EVERY = {"QUANT_EVERY_DIFF": "1"}
_SECONDS = 10
_FEW = 80  # custom resources: below, reading the account costs more than their Diffs (docs/decisions/0013-diffs-left-out.md)


def variables(env: str, environ: Mapping[str, str], thorough: bool = False) -> dict[str, str]:
    """LEFT_OUT where every Diff with equal inputs is proven to say nothing; nothing where one is not, or is not known.

    Nothing for plugins that leave out single Diffs themselves. `thorough` leaves out none.
    """
    if thorough:
        return EVERY
    if toolchain.are_plugins_ours(environ):
        return {}
    try:
        resources = States(environ).with_secrets(env)["deployment"]["resources"]
    except (UserError, KeyError, TypeError):
        return {}
    if sum(bool(one.get("custom")) for one in resources) < _FEW:
        return {}
    return {} if reasons(resources, environ) else LEFT_OUT


def reasons(resources: list[dict[str, Any]], environ: Mapping[str, str]) -> dict[str, str]:
    """URN -> why the provider has to be asked; what cannot be read is a reason."""
    with ThreadPoolExecutor(2) as pool:
        workspace, parameters = pool.submit(_workspace, environ), pool.submit(_parameters, resources, environ)
        return settled.unsettled(resources, parameters.result(), workspace.result())


def _workspace(environ: Mapping[str, str]) -> str:
    """Empty, which is no workspace's id, where it is not known."""
    try:
        return Workspace(environ, seconds=_SECONDS).number()
    except UserError:
        return ""


def _parameters(resources: list[dict[str, Any]], environ: Mapping[str, str]) -> settled.Parameters:
    """Empty where the account does not answer."""
    from snowflake.connector.errors import Error

    from quantctl.drift.account import Account

    try:
        account = Account(environ)
        try:
            return {urn: account.parameters(*what) for urn, what in settled.with_parameters(resources).items()}
        finally:
            account.close()
    except (Error, OSError, ValueError):
        return {}
