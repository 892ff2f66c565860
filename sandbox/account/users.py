"""What is special about users: passwords, keys, types, and what DESCRIBE USER shows.

https://docs.snowflake.com/en/sql-reference/sql/create-user
"""

from __future__ import annotations

import json
from typing import Any

from sandbox import clock
from sandbox.account import names, passwords, public_keys
from sandbox.account.errors import SqlError, invalid
from sandbox.account.state import Object

_PERSONAL = ("FIRST_NAME", "MIDDLE_NAME", "LAST_NAME", "MINS_TO_BYPASS_MFA", "DISABLE_MFA")
# https://docs.snowflake.com/en/user-guide/admin-user-management#types-of-users
_NOT_FOR = {"SERVICE": (*_PERSONAL, "MUST_CHANGE_PASSWORD", "PASSWORD"), "LEGACY_SERVICE": _PERSONAL}
_NOT_EVEN_UNSET = ("MUST_CHANGE_PASSWORD", "DISABLE_MFA")  # of the above, as the provider's own tests have it
# Set as a span of time and told as what is left of it; seconds of one unit.
_SPANS = {"DAYS_TO_EXPIRY": 86400, "MINS_TO_UNLOCK": 60, "MINS_TO_BYPASS_MFA": 60}
# DESCRIBE USER's properties in its order, each with its default and what Snowflake says of it.
_DESCRIBED: tuple[tuple[str, str, str], ...] = (
    ("NAME", "null", "Name"),
    ("COMMENT", "null", "user comment associated to an object in the dictionary"),
    ("DISPLAY_NAME", "null", "Display name of the associated object"),
    ("TYPE", "null", "Indicates the type of user (PERSON | SERVICE | LEGACY_SERVICE)"),
    ("LOGIN_NAME", "null", "Login name of the user"),
    ("FIRST_NAME", "null", "First name of the user"),
    ("MIDDLE_NAME", "null", "Middle name of the user"),
    ("LAST_NAME", "null", "Last name of the user"),
    ("EMAIL", "null", "Email address of the user"),
    ("PASSWORD", "null", "Password of the user"),
    ("MUST_CHANGE_PASSWORD", "false", "User must change the password"),
    ("DISABLED", "false", "Whether the user is disabled"),
    ("SNOWFLAKE_LOCK", "false", "Whether the user, account or organization is locked by Snowflake"),
    ("SNOWFLAKE_SUPPORT", "false", "Snowflake Support is allowed to use the user or account"),
    ("DAYS_TO_EXPIRY", "null", "User record will be treated as expired after specified number of days"),
    ("MINS_TO_UNLOCK", "null", "Temporary lock on the user will be removed after specified number of minutes"),
    ("DEFAULT_WAREHOUSE", "null", "Default warehouse for this user"),
    ("DEFAULT_NAMESPACE", "null", "Default database namespace prefix for this user"),
    ("DEFAULT_ROLE", "null", "Primary principal of user session will be set to this role"),
    ("DEFAULT_SECONDARY_ROLES", '["ALL"]', "The secondary roles will be set to all roles provided here"),
    ("EXT_AUTHN_DUO", "false", "Whether Duo Security is enabled as second factor authentication"),
    ("EXT_AUTHN_UID", "null", "External authentication ID of the user"),
    ("HAS_MFA", "false", "Whether the user has MFA enabled"),
    ("MINS_TO_BYPASS_MFA", "null", "Temporary bypass MFA for the user for a specified number of minutes"),
    ("MINS_TO_BYPASS_NETWORK_POLICY", "null", "Temporary bypass network policy for the specified number of minutes"),
    ("RSA_PUBLIC_KEY", "null", "RSA public key of the user"),
    ("RSA_PUBLIC_KEY_FP", "null", "Fingerprint of user's RSA public key."),
    ("RSA_PUBLIC_KEY_LAST_SET_TIME", "null", "The timestamp at which the user's RSA public key was last set."),
    ("RSA_PUBLIC_KEY_2", "null", "Second RSA public key of the user"),
    ("RSA_PUBLIC_KEY_2_FP", "null", "Fingerprint of user's second RSA public key."),
    ("RSA_PUBLIC_KEY_2_LAST_SET_TIME", "null", "The timestamp at which the user's second RSA public key was last set."),
    ("PASSWORD_LAST_SET_TIME", "null", "The timestamp on which the last non-null password was set for the user."),
    ("CUSTOM_LANDING_PAGE_URL", "null", "Snowsight Landing Page URL that the user is directed to on login"),
    ("CUSTOM_LANDING_PAGE_URL_FLUSH_NEXT_UI_LOAD", "false", "The timestamp on which the landing page is flushed"),
)


def prepare(given: dict[str, Any], kind_of_user: str) -> dict[str, Any]:
    """Properties of CREATE USER and ALTER USER ... SET as they are kept.

    Raises:
        SqlError: 511503 a property that a service user cannot have; a key or a secondary role that is not accepted.
    """
    for key in given:
        if given[key] is not None:
            _need_allowed(key, kind_of_user)
    kept = dict(given)
    if kept.get("PASSWORD") == "":
        kept["PASSWORD"] = None
    if kept.get("PASSWORD"):
        kept["PASSWORD"] = passwords.hashed(kept["PASSWORD"])
        kept["PASSWORD_LAST_SET_TIME"] = _now()
    for slot in public_keys.SLOTS:
        if kept.get(slot):
            public_keys.check(kept[slot])
            kept[f"{slot}_LAST_SET_TIME"] = _now()
        elif slot in kept:
            kept[slot] = None
    for role in kept.get("DEFAULT_SECONDARY_ROLES") or []:
        if role.upper() != "ALL":
            raise invalid(f"invalid secondary roles option: {role}")
    if kept.get("LOGIN_NAME"):
        kept["LOGIN_NAME"] = kept["LOGIN_NAME"].upper()
    for key, seconds in _SPANS.items():
        if kept.get(key) is not None:
            kept[key] = clock.now() + seconds * int(kept[key]) if int(kept[key]) else None
    return kept


def check_unset(keys: list[str], kind_of_user: str) -> None:
    """UNSET of what such a user cannot have is let through, mostly."""
    for key in keys:
        if key in _NOT_EVEN_UNSET:
            _need_allowed(key, kind_of_user)


def _need_allowed(key: str, kind_of_user: str) -> None:
    if key in _NOT_FOR.get(kind_of_user, ()):
        message = f"SQL execution error:\nCannot set {key} on users with TYPE={kind_of_user}."
        raise SqlError("511503", "23001", message)


def told(item: Object) -> dict[str, Any]:
    """The properties as SHOW and DESCRIBE tell them; what is not set is left out."""
    known = {key: value for key, value in item.props.items() if value not in (None, "")}
    known |= {"NAME": item.last_name, "LOGIN_NAME": login_name(item)}
    for key in ("DEFAULT_ROLE", "DEFAULT_WAREHOUSE", "DEFAULT_NAMESPACE"):
        if key in known:
            parts = names.split(known[key])
            # A database alone is told in upper case, as the provider's own tests have it.
            known[key] = parts[0].upper() if key == "DEFAULT_NAMESPACE" and len(parts) == 1 else ".".join(parts)
    known["DEFAULT_SECONDARY_ROLES"] = json.dumps(known.get("DEFAULT_SECONDARY_ROLES", ["ALL"]))
    for key, seconds in _SPANS.items():
        if key in known:
            left = (known.pop(key) - clock.now()) / seconds
            if key == "DAYS_TO_EXPIRY" or left >= 0:
                known[key] = str(left if key == "DAYS_TO_EXPIRY" else int(left))
    return known


def until(item: Object, key: str) -> float | None:
    """When DAYS_TO_EXPIRY or MINS_TO_UNLOCK is over."""
    moment: float | None = item.props.get(key)
    return moment


def described(item: Object) -> list[list[str]]:
    """DESCRIBE USER's rows; a missing value is the word null."""
    known = told(item)
    if known.get("PASSWORD"):
        known["PASSWORD"] = "********"
    for slot in public_keys.SLOTS:
        if known.get(slot):
            known[f"{slot}_FP"] = public_keys.fingerprint(known[slot])
        else:
            known[f"{slot}_LAST_SET_TIME"] = None
    rows = []
    for key, default, description in _DESCRIBED:
        value = known.get(key)
        rows.append([key, default if value in (None, "") else str(value), default, description])
    return rows


def login_name(item: Object) -> str:
    """The name that is given at login, in upper case."""
    return str(item.props.get("LOGIN_NAME") or item.last_name).upper()


def secondary_roles(item: Object) -> str:
    """ALL or NONE, as a session begins with; ALL where nothing is said.

    https://docs.snowflake.com/en/release-notes/bcr-bundles/2024_08/bcr-1692
    """
    return "ALL" if item.props.get("DEFAULT_SECONDARY_ROLES", ["ALL"]) else "NONE"


def _now() -> str:
    return clock.today().strftime("%Y-%m-%d %H:%M:%S.000")
