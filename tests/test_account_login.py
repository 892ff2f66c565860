"""Logging in to the account: password, key pair, both slots, and each way to be refused."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from snowflake.connector.errors import DatabaseError, ProgrammingError

from sandbox.state import State
from tests.account_sandbox import Account, running


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with running(State(tmp_path_factory.mktemp("login") / "state")) as made:
        yield made


Claims = dict[str, Any]


def token(account: Account, key: str, user: str, **changed: Any) -> str:
    """A driver's token, as another program would make it."""
    private = load_pem_private_key(account.state.key_file(key).read_bytes(), None)
    digest = hashlib.sha256(base64.b64decode(account.state.public_key(key))).digest()
    print_ = "SHA256:" + base64.b64encode(digest).decode()
    now = int(time.time())
    claims = {"iss": f"SANDBOX.{user}.{print_}", "sub": f"SANDBOX.{user}", "iat": now, "exp": now + 60, **changed}
    assert isinstance(private, RSAPrivateKey)
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, private, algorithm="RS256")


def log_in(account: Account, written: str, name: str = "") -> dict[str, Any]:
    data = {"AUTHENTICATOR": "SNOWFLAKE_JWT", "TOKEN": written, "LOGIN_NAME": name}
    return account.post("/session/v1/login-request", {"data": data})


def refused(account: Account, user: str, key: str = "", **more: Any) -> str:
    """`<code> <message>` of a login that must fail."""
    with pytest.raises(DatabaseError) as caught:
        account.connect(user, key, **more)
    assert caught.value.sqlstate in ("08001", "28000")
    return f"{caught.value.errno} {str(caught.value.msg).partition('Failed to connect to DB: ')[2].partition('. ')[2]}"


def test_a_password_logs_in_and_is_kept_as_a_hash(account: Account) -> None:
    """The right password is accepted, others are not, and the files hold neither."""
    account.sql("CREATE USER PAT PASSWORD = 'Correct-Horse-1' LOGIN_NAME = 'pat@desk'")
    with account.connect("pat@DESK", password="Correct-Horse-1") as connection:
        assert connection.cursor().execute("SELECT CURRENT_USER(), CURRENT_ROLE()").fetchone() == ("PAT", "PUBLIC")
    for user, password in (("pat@desk", "correct-horse-1"), ("pat", "Correct-Horse-1"), ("nobody", "x")):
        said = refused(account, user, password=password)
        assert said == "390100 Incorrect username or password was specified."
    nothing = account.post("/session/v1/login-request", {"data": {"LOGIN_NAME": "pat@desk", "PASSWORD": ""}})
    assert nothing["code"] == "390100"
    account.sql("ALTER USER PAT SET PASSWORD = 'Battery-Staple-2'")
    assert "Incorrect username" in refused(account, "pat@desk", password="Correct-Horse-1")
    account.connect("pat@desk", password="Battery-Staple-2").close()
    for file in account.state.folder.glob("sandbox.db*"):
        for secret in (b"Correct-Horse-1", b"Battery-Staple-2"):
            assert secret not in file.read_bytes()
    account.sql("ALTER USER PAT SET PASSWORD = ''")
    nothing = account.post("/session/v1/login-request", {"data": {"LOGIN_NAME": "pat@desk", "PASSWORD": ""}})
    assert nothing["code"] == "390100"
    assert "Incorrect username" in refused(account, "pat@desk", password="Battery-Staple-2")


def test_both_key_slots_log_in_and_nothing_else_does(account: Account) -> None:
    """A key is good in either slot, until it is taken away; somebody else's key never."""
    first, second = account.state.public_key("dana"), account.state.public_key("ravi")
    account.sql(f"CREATE USER SVC TYPE = SERVICE RSA_PUBLIC_KEY = '{first}' RSA_PUBLIC_KEY_2 = '{second}'")
    for key in ("dana", "ravi"):
        account.connect("svc", key).close()
    assert refused(account, "SVC", "rhea").startswith("390144 JWT token is invalid.")
    account.sql("ALTER USER SVC UNSET RSA_PUBLIC_KEY")
    assert "JWT token is invalid." in refused(account, "SVC", "dana")
    account.connect("SVC", "ravi").close()
    assert "New public key rejected" in account.refused("ALTER USER SVC SET RSA_PUBLIC_KEY = 'bm8ga2V5'")


def test_a_service_user_has_no_password(account: Account) -> None:
    """It can neither be given one nor log in with one."""
    account.sql("CREATE USER ROBOT TYPE = SERVICE")
    said = account.refused("ALTER USER ROBOT SET PASSWORD = 'x'")
    assert said == "511503 23001 SQL execution error: Cannot set PASSWORD on users with TYPE=SERVICE."
    account.sql("CREATE USER WAS_A_PERSON PASSWORD = 'Correct-Horse-1'")
    account.connect("was_a_person", password="Correct-Horse-1").close()
    account.sql("ALTER USER WAS_A_PERSON SET TYPE = SERVICE")
    assert "Incorrect username" in refused(account, "was_a_person", password="Correct-Horse-1")


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": 1_000_000_000, "iat": 999_999_000},
        {"iat": 4_000_000_000, "exp": 4_000_000_060},
        {"exp": int(time.time()) + 7200},
        {"exp": None},
        {"iss": "SANDBOX.DANA"},
        {"iss": "SANDBOX.DANA.SHA256:AAAA"},
        {"sub": "ELSEWHERE.DANA"},
        {"sub": "SANDBOX.ADA"},
    ],
    ids=["expired", "not yet", "too long", "for ever", "no fingerprint", "another key", "another account", "another user"],
)
def test_a_token_must_be_about_this_key_this_user_and_now(account: Account, changed: Claims) -> None:
    """Dana's own signature is not enough: 390144, whatever is wrong with the claims."""
    assert log_in(account, token(account, "dana", "DANA"), "DANA")["success"]
    assert log_in(account, token(account, "dana", "DANA"))["success"]  # the Go driver sends no name beside it
    answer = log_in(account, token(account, "dana", "DANA", **changed), "DANA")
    assert (answer["success"], answer["code"]) == (False, "390144")


def test_a_token_without_a_signature_is_refused(account: Account) -> None:
    """Neither `none` nor a signature with the public key as a shared secret."""
    claims = jwt.decode(token(account, "dana", "DANA"), options={"verify_signature": False})
    for forged in (jwt.encode(claims, "", algorithm="none"), jwt.encode(claims, "x" * 32, algorithm="HS256"), "no token"):
        assert log_in(account, forged, "DANA")["code"] == "390144"


def test_a_role_must_be_granted(account: Account) -> None:
    """Of a role that is not there one is told as little as of one that is somebody else's."""
    account.connect("DANA", "dana", role="QUANT_DEVELOPERS").close()
    said = refused(account, "DANA", "dana", role="ACCOUNTADMIN")
    assert said.startswith("390186 ")
    assert "Role 'ACCOUNTADMIN' specified in the connect string is not granted to this user." in said
    said = refused(account, "DANA", "dana", role="NOSUCH")
    assert said.startswith("390189 Role 'NOSUCH' specified in the connect string does not exist or not authorized.")
    account.sql(f"CREATE USER LOST RSA_PUBLIC_KEY = '{account.state.public_key('dana')}' DEFAULT_ROLE = SYSADMIN")
    assert "User's configured default role 'SYSADMIN' is not granted to this user." in refused(account, "LOST", "dana")
    account.connect("LOST", "dana", role="PUBLIC").close()


def test_a_disabled_user_is_out_at_once(account: Account) -> None:
    """No login, and no statement in a session that is open."""
    account.sql(f"CREATE USER LEAVER RSA_PUBLIC_KEY = '{account.state.public_key('dana')}'")
    connection = account.connect("LEAVER", "dana")
    account.sql("ALTER USER LEAVER SET DISABLED = TRUE")
    assert refused(account, "LEAVER", "dana").startswith("390101 User access disabled.")
    with pytest.raises(ProgrammingError) as caught:
        connection.cursor().execute("SELECT 1")
    assert caught.value.errno == 390111
    account.sql("ALTER USER LEAVER SET DISABLED = FALSE")
    account.connect("LEAVER", "dana").close()


def test_a_network_policy_says_from_where(account: Account) -> None:
    """127.0.0.1 is let in when it is allowed and not blocked; a policy that somebody has cannot be dropped."""
    account.sql("CREATE NETWORK POLICY ONLY ALLOWED_IP_LIST = ('10.0.0.0/8')")
    account.sql(f"CREATE USER FAR RSA_PUBLIC_KEY = '{account.state.public_key('dana')}' NETWORK_POLICY = ONLY")
    said = refused(account, "FAR", "dana")
    assert said.startswith("390422 Incoming request with IP/Token 127.0.0.1 is not allowed to access Snowflake.")
    account.sql("ALTER NETWORK POLICY ONLY SET ALLOWED_IP_LIST = ('10.0.0.0/8', '127.0.0.0/24')")
    account.connect("FAR", "dana").close()
    account.sql("ALTER NETWORK POLICY ONLY SET BLOCKED_IP_LIST = ('127.0.0.1')")
    assert "127.0.0.1" in refused(account, "FAR", "dana")
    assert "attached to USER FAR" in account.refused("DROP NETWORK POLICY ONLY")
    account.sql("ALTER USER FAR UNSET NETWORK_POLICY")
    account.connect("FAR", "dana").close()
    account.sql("DROP NETWORK POLICY ONLY")
    assert account.refused("ALTER USER FAR SET NETWORK_POLICY = ONLY").startswith("002003 02000")


def test_what_is_not_there_is_not_in_use(account: Account) -> None:
    """A database, schema or warehouse of the connect string that one may not use is left out, without an error."""
    with account.connect("ADA", "ada", database="quant", schema="public", warehouse="quant_wh") as connection:
        assert (connection.database, connection.schema, connection.warehouse) == ("QUANT", "PUBLIC", "QUANT_WH")
    with account.connect("DANA", "dana", database="quant", warehouse="nosuch") as connection:
        seen = connection.cursor().execute("SELECT CURRENT_DATABASE(), CURRENT_SCHEMA(), CURRENT_WAREHOUSE()").fetchone()
        assert seen == (None, None, None)
