"""Logging in: with a password, or with a key pair (a JWT signed by one of the user's two keys)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sandbox.account.errors import SqlError
from sandbox.account.privileges import Session, roles_of_user
from sandbox.account.state import Object, State

VALID = 3600  # seconds a session token is said to be good for


def fingerprint(public_key: str) -> str:
    """SHA256:<base64> of a key's DER form, as DESCRIBE USER shows it."""
    try:
        digest = hashlib.sha256(base64.b64decode("".join(public_key.split()))).digest()
    except ValueError:
        return ""
    return "SHA256:" + base64.b64encode(digest).decode()


def log_in(state: State, data: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
    """The `data` of a login answer; the session is kept before it is answered.

    Raises:
        SqlError: 390100 wrong name or password, 390144 a token that does not verify, 390189 a role not granted.
    """
    name = str(data.get("LOGIN_NAME") or _subject(str(data.get("TOKEN", "")))).upper()
    user = next((u for u in state.all("USER") if str(u.props.get("LOGIN_NAME", u.name)).upper() == name), None)
    if str(data.get("AUTHENTICATOR", "")).upper() == "SNOWFLAKE_JWT":
        if user is None or not _signed_by(user, str(data.get("TOKEN", ""))):
            raise SqlError("390144", "08001", "JWT token is invalid.")
    elif user is None or not _password_matches(user, str(data.get("PASSWORD", ""))):
        raise SqlError("390100", "08001", "Incorrect username or password was specified.")
    if str(user.props.get("DISABLED", "false")) == "true":
        raise SqlError("390101", "08001", "User access disabled. Contact your local system administrator.")
    role = _role(state, user, query.get("roleName"))
    token, master = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    database, _, schema = str(query.get("databaseName") or user.props.get("DEFAULT_NAMESPACE") or "").upper().partition(".")
    schema = (query.get("schemaName") or schema or "").upper()
    warehouse = str(query.get("warehouse") or user.props.get("DEFAULT_WAREHOUSE") or "").upper()
    state.write(
        "insert into sf_session (token, master, user, role, database, schema, warehouse) values (?, ?, ?, ?, ?, ?, ?)",
        _hash(token), _hash(master), user.name, role, database or None, schema or None, warehouse or None,
    )  # fmt: skip
    number = state.rows("select id from sf_session where token = ?", _hash(token))[0]["id"]
    return {
        "token": token,
        "masterToken": master,
        "validityInSeconds": VALID,
        "masterValidityInSeconds": VALID * 4,
        "displayUserName": user.name,
        "serverVersion": "9.0.0",
        "firstLogin": False,
        "remMeToken": None,
        "sessionId": number,
        "parameters": [{"name": "AUTOCOMMIT", "value": True}, {"name": "TIMEZONE", "value": "Etc/UTC"}],
        "sessionInfo": {
            "databaseName": database or None,
            "schemaName": schema or None,
            "warehouseName": warehouse or None,
            "roleName": role,
        },
    }


def renew(state: State, master: str) -> dict[str, Any]:
    """A new session token for a master token."""
    rows = state.rows("select id from sf_session where master = ?", _hash(master))
    if not rows:
        raise SqlError("390114", "08001", "Authentication token has expired. The user must authenticate again.")
    token = secrets.token_urlsafe(32)
    state.write("update sf_session set token = ? where id = ?", _hash(token), rows[0]["id"])
    return {
        "sessionToken": token,
        "masterToken": master,
        "validityInSecondsST": VALID,
        "validityInSecondsMT": VALID * 4,
        "sessionId": rows[0]["id"],
    }


def session_of(state: State, authorization: str) -> Session:
    """The session of an `Authorization: Snowflake Token="..."` header."""
    token = authorization.partition('Token="')[2].rstrip('"')
    rows = state.rows("select * from sf_session where token = ?", _hash(token))
    if not rows:
        raise SqlError("390104", "08001", "The session token is invalid; log in again.")
    row = rows[0]
    return Session(row["id"], row["user"], row["role"], row["database"], row["schema"], row["warehouse"])


def master_of(authorization: str) -> str:
    """The token of the header, which for a renewal is the master token."""
    return authorization.partition('Token="')[2].rstrip('"')


def log_out(state: State, session: Session) -> None:
    """End a session."""
    state.write("delete from sf_session where id = ?", session.id)


def _role(state: State, user: Object, wanted: str | None) -> str:
    default = str(user.props.get("DEFAULT_ROLE") or "PUBLIC")
    role = (wanted or default).strip('"').upper()
    if role in roles_of_user(state, user.name):
        return role
    if wanted:
        raise SqlError("390189", "08001", f"Role '{role}' specified in the connect string does not exist or not authorized.")
    return "PUBLIC"


def _signed_by(user: Object, token: str) -> bool:
    for key in (user.props.get("RSA_PUBLIC_KEY"), user.props.get("RSA_PUBLIC_KEY_2")):
        if not key:
            continue
        try:
            public = load_der_public_key(base64.b64decode("".join(str(key).split())))
            claims = jwt.decode(token, public, algorithms=["RS256"])  # type: ignore[arg-type]  # an RSA key, by its DER
        except (jwt.InvalidTokenError, ValueError):
            continue
        issuer = str(claims.get("iss", ""))
        return issuer.endswith(f".{user.name}.{fingerprint(str(key))}")
    return False


def _subject(token: str) -> str:
    """Whom a token is about, not yet believed: the Go driver sends no LOGIN_NAME beside its JWT."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return ""
    return str(claims.get("sub", "")).rpartition(".")[2]


def _password_matches(user: Object, given: str) -> bool:
    kept = json.loads(json.dumps(user.props.get("PASSWORD") or ""))
    return bool(kept) and user.props.get("TYPE") != "SERVICE" and hmac.compare_digest(str(kept), given)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
