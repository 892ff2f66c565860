"""The Snowflake account's door for the program: does it answer? Who may log in is for the provider to find."""

from __future__ import annotations

from collections.abc import Mapping

import requests

from infra.errors import UserError
from infra.outside.workspace_connection import first_line

_TIMEOUT = (3.0, 6.0)  # seconds to connect and to answer


def reach_snowflake(environ: Mapping[str, str]) -> None:
    """Refuse when the account does not answer within seconds.

    Raises:
        UserError: names the address and the setting, or says that no account is named.
    """
    host = environ.get("SNOWFLAKE_HOST")
    if not host:
        organization, account = environ.get("SNOWFLAKE_ORGANIZATION_NAME"), environ.get("SNOWFLAKE_ACCOUNT_NAME")
        if not (organization and account):
            raise UserError(
                "Snowflake: no account is named: set SNOWFLAKE_ORGANIZATION_NAME and SNOWFLAKE_ACCOUNT_NAME (and"
                ' SNOWFLAKE_USER with its key). In the sandbox: eval "$(quantctl env)".'
            )
        host = f"{organization}-{account}.snowflakecomputing.com".replace("_", "-").lower()
    protocol, port = environ.get("SNOWFLAKE_PROTOCOL", "https"), environ.get("SNOWFLAKE_PORT", "443")
    setting = "SNOWFLAKE_HOST and SNOWFLAKE_PORT" if environ.get("SNOWFLAKE_HOST") else "SNOWFLAKE_ACCOUNT_NAME"
    url = f"{protocol}://{host}:{port}"
    try:  # any HTTP answer is an answer
        requests.get(url, timeout=_TIMEOUT, allow_redirects=False, stream=True).close()
    except requests.RequestException as error:
        raise UserError(
            f"Snowflake: {url} does not answer ({first_line(error)}). Check {setting} and the network."
        ) from None
