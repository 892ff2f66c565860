"""Network policies: from which addresses a user may log in.

https://docs.snowflake.com/en/user-guide/network-policies
"""

from __future__ import annotations

import ipaddress

from sandbox.account.errors import SqlError
from sandbox.account.state import Object, State


def check(state: State, user: Object, address: str) -> None:
    """Refuse an address that the user's policy does not allow; what is blocked wins over what is allowed.

    Raises:
        SqlError: 390422
    """
    policy = state.get("NETWORK POLICY", str(user.props.get("NETWORK_POLICY") or ""))
    if policy is None:
        return
    allowed, blocked = (policy.props.get(key) or [] for key in ("ALLOWED_IP_LIST", "BLOCKED_IP_LIST"))
    if _in(address, blocked) or (allowed and not _in(address, allowed)):
        message = f"Incoming request with IP/Token {address} is not allowed to access Snowflake."
        raise SqlError("390422", "08004", f"{message} Contact your account administrator.")


def check_list(addresses: list[str]) -> None:
    """Refuse what is no IPv4 address or range.

    Raises:
        SqlError: 001008
    """
    for address in addresses:
        try:
            ipaddress.IPv4Network(address, strict=False)
        except ValueError:
            raise SqlError("001008", "22023", f"SQL compilation error:\nInvalid IP address or range '{address}'.") from None


def _in(address: str, ranges: list[str]) -> bool:
    here = ipaddress.ip_address(address)
    return any(here in ipaddress.ip_network(each, strict=False) for each in ranges)
