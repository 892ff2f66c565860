"""Logging in: with a password, or with a key pair (a JWT signed by one of the user's two keys)."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

import jwt

from sandbox.account import known_parameters, names, network, passwords, public_keys, sessions, users
from sandbox.account.errors import SqlError, unsupported
from sandbox.account.parameters import session_value
from sandbox.account.privileges import Hierarchy, Rights
from sandbox.account.reader import Reader
from sandbox.account.session import Session
from sandbox.account.sessions import Validity
from sandbox.account.state import Object, State
from sandbox.account.wire import native
from sandbox.identities import SNOWFLAKE_ACCOUNT, SNOWFLAKE_ORGANIZATION

ACCOUNTS = (SNOWFLAKE_ACCOUNT, f"{SNOWFLAKE_ORGANIZATION}-{SNOWFLAKE_ACCOUNT}")
# The same work is done for a name that is not there, so that the time of an answer does not tell.
_NOBODY = passwords.hashed(secrets.token_hex(16))
# https://docs.snowflake.com/en/user-guide/key-pair-auth-troubleshooting: a token is good for at most an hour
_LONGEST = 3600
_SKEW = 60
_UNNUMBERED = -1  # a session that is not kept yet; 0 is the sandbox's own
_ASK = "Contact your local system administrator"


def log_in(state: State, data: dict[str, Any], query: dict[str, str], address: str, validity: Validity) -> dict[str, Any]:
    """The `data` of a login answer; the session is kept before it is answered.

    Raises:
        SqlError: 390100 wrong name or password, 390144 a token that does not verify, 390101 a disabled user, 390422 an
            address that is not allowed, 390186 a role that is not granted.
    """
    user = _authenticated(state, data)
    if user.props.get("DISABLED") == "true":
        raise SqlError("390101", "08001", "User access disabled. Contact your local system administrator.")
    network.check(state, user, address)
    session = _session(state, user, data, query)
    number, token, master = sessions.begin(state, session, validity)
    return {
        "token": token,
        "masterToken": master,
        "validityInSeconds": validity.session,
        "masterValidityInSeconds": validity.master,
        "displayUserName": user.last_name,
        "serverVersion": "9.0.0",
        "firstLogin": False,
        "remMeToken": None,
        "sessionId": number,
        "parameters": [
            {"name": name, "value": native(session.parameters.get(name) or known_parameters.ACCOUNT.get(name) or default)}
            for name, default in (known_parameters.SESSION | known_parameters.HIDDEN).items()
        ],
        "sessionInfo": {
            "databaseName": session.database,
            "schemaName": session.schema,
            "warehouseName": session.warehouse,
            "roleName": session.role,
        },
    }


def _authenticated(state: State, data: dict[str, Any]) -> Object:
    authenticator = str(data.get("AUTHENTICATOR") or "SNOWFLAKE").upper()
    token = str(data.get("TOKEN") or "")
    # The Go driver sends no LOGIN_NAME beside its token: its subject is believed when the signature is checked.
    name = str(data.get("LOGIN_NAME") or _subject(token)).upper()
    user = next((each for each in state.all("USER") if users.login_name(each) == name), None)
    if authenticator == "SNOWFLAKE_JWT":
        if user is None or not _signed_by(user, token):
            raise SqlError("390144", "08001", f"JWT token is invalid. [{uuid.uuid4()}]")
        return user
    if authenticator != "SNOWFLAKE":
        raise SqlError("390400", "08001", f"Bad request: authenticator {authenticator} (this sandbox does not emulate it).")
    # A service user cannot have a password, so no password is right for it.
    kept = user.props.get("PASSWORD") if user is not None and user.props.get("TYPE") != "SERVICE" else None
    right = passwords.matches(str(data.get("PASSWORD") or ""), str(kept or _NOBODY))
    if user is None or kept is None or not right:
        raise SqlError("390100", "08001", "Incorrect username or password was specified.")
    return user


def _session(state: State, user: Object, data: dict[str, Any], query: dict[str, str]) -> Session:
    session = Session(_UNNUMBERED, user.name, _role(state, user, query.get("roleName")), users.secondary_roles(user))
    for key, value in (data.get("SESSION_PARAMETERS") or {}).items():
        name = str(key).upper()
        if name not in known_parameters.SESSION:  # the drivers send some that no account knows
            continue
        text, default = session_value(name, value), known_parameters.ACCOUNT.get(name) or known_parameters.SESSION[name]
        if name in known_parameters.SETTABLE_IN_SESSION:
            session.parameters[name] = text
        elif text != default:
            raise unsupported(f"session parameter {name} = {text}")
    rights = Rights(state, session)
    namespace = [names.quoted_if_needed(part) for part in names.split(str(user.props.get("DEFAULT_NAMESPACE") or ""))]
    database, schema = [*namespace, "", ""][:2]
    database = _named(query.get("databaseName")) or database
    schema = _named(query.get("schemaName")) or schema
    # What is not there or may not be used is left out, without an error.
    if rights.uses("DATABASE", database):
        session.database = database
        schema = schema or "PUBLIC"
        session.schema = schema if rights.uses("SCHEMA", f"{database}.{schema}") else None
    warehouse = _named(query.get("warehouse")) or str(user.props.get("DEFAULT_WAREHOUSE") or "")
    if rights.has("USAGE", "WAREHOUSE", warehouse):
        session.warehouse = warehouse
    return session


def _role(state: State, user: Object, wanted: str | None) -> str:
    role = _named(wanted) or str(user.props.get("DEFAULT_ROLE") or "PUBLIC")
    if role in Hierarchy(state).of_user(user.name):
        return role
    shown = names.last(role)
    there = state.get("ROLE", role) is not None
    if wanted:
        what = "is not granted to this user" if there else "does not exist or not authorized"
        message = f"Role '{shown}' specified in the connect string {what}. {_ASK}, or attempt to login with another role"
    else:
        message = f"User's configured default role '{shown}' is not granted to this user. {_ASK}, or attempt to login using"
        message += " a CLI client with a connect string selecting another role"
    raise SqlError("390189" if wanted and not there else "390186", "08001", f"{message}, e.g. PUBLIC.")


def _named(written: str | None) -> str:
    """An identifier of the connect string, which may be quoted."""
    if not written:
        return ""
    reader = Reader(written)
    name = reader.name()
    return name if reader.done else names.join([written.upper()])


def _signed_by(user: Object, token: str) -> bool:
    """Whether one of the user's keys has signed it, for this account, this user and this very key, and not too long ago.

    https://docs.snowflake.com/en/developer-guide/sql-api/authenticating#using-key-pair-authentication
    """
    for slot in public_keys.SLOTS:
        body = str(user.props.get(slot) or "")
        if not body:
            continue
        try:
            claims = jwt.decode(
                token, public_keys.loaded(body), algorithms=["RS256"], leeway=_SKEW,
                options={"require": ["iss", "sub", "iat", "exp"]},
            )  # fmt: skip
        except (jwt.InvalidTokenError, ValueError):
            continue
        subjects = {f"{account}.{users.login_name(user)}" for account in ACCOUNTS}
        issuers = {f"{subject}.{public_keys.fingerprint(body)}" for subject in subjects}
        lives = float(claims["exp"]) - float(claims["iat"])
        return str(claims["sub"]) in subjects and str(claims["iss"]) in issuers and lives <= _LONGEST + _SKEW
    return False


def _subject(token: str) -> str:
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return ""
    return str(claims.get("sub", "")).rpartition(".")[2]
