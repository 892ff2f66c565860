"""What the tests of the account share: a sandbox of their own, and clients that nobody here wrote."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
import snowflake.connector
from snowflake.connector.errors import Error

from sandbox import control, identities
from sandbox.state import Endpoints, State


@dataclass
class Account:
    """A running sandbox."""

    state: State
    endpoints: Endpoints
    _open: dict[str, Any] = field(default_factory=dict)

    def connect(self, user: str, key: str = "", **more: Any) -> Any:
        """snowflake-connector-python, unmodified; with the key of that name, or with what `more` says."""
        if key:
            more |= {"private_key_file": str(self.state.key_file(key)), "authenticator": "SNOWFLAKE_JWT"}
        return snowflake.connector.connect(
            **{
                "account": identities.SNOWFLAKE_ACCOUNT,
                "user": user,
                "host": self.endpoints.host,
                "port": self.endpoints.snowflake_port,
                "protocol": "http",
                "login_timeout": 5,
                **more,
            }
        )

    def cursor(self, role: str = "ACCOUNTADMIN", user: str = "ADA") -> Any:
        """Of a session of that user with that role only."""
        name = f"{user}/{role}"
        if name not in self._open:
            self._open[name] = self.connect(user, user.lower(), role=role)
            self._open[name].cursor().execute("USE SECONDARY ROLES NONE")
        return self._open[name].cursor()

    def sql(self, statement: str, role: str = "ACCOUNTADMIN", user: str = "ADA") -> list[tuple[Any, ...]]:
        """Rows of a statement, in a session of that user with that role only."""
        return list(self.cursor(role, user).execute(statement).fetchall())

    def shown(self, statement: str, **who: str) -> list[dict[str, Any]]:
        """Rows as dictionaries."""
        cursor = self.cursor(**who)
        rows = cursor.execute(statement).fetchall()
        return [dict(zip([column.name for column in cursor.description], row, strict=True)) for row in rows]

    def refused(self, statement: str, role: str = "ACCOUNTADMIN", user: str = "ADA") -> str:
        """`<error number> <SQLSTATE> <message>` of a statement that must fail."""
        try:
            rows = self.sql(statement, role, user)
        except Error as error:
            return f"{error.errno:06d} {error.sqlstate} {' '.join(str(error.msg).split(':', 1)[1].split())}"
        raise AssertionError(f"not refused: {statement}: {rows}")

    def there(self, named: str) -> bool:
        """Whether an object is there, for an account administrator."""
        try:
            self.sql(f"SHOW GRANTS ON {named}")
        except Error:
            return False
        return True

    def post(self, path: str, body: Any, token: str = "", **query: str) -> dict[str, Any]:
        """The raw protocol."""
        headers = {"Authorization": f'Snowflake Token="{token}"'} if token else {}
        url = f"http://{self.endpoints.host}:{self.endpoints.snowflake_port}{path}"
        answer = requests.post(url, json=body, params=query, headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def kill_9(self) -> None:
        """End the process at once."""
        os.kill(self.endpoints.pid, signal.SIGKILL)
        os.waitpid(self.endpoints.pid, 0)

    def start_again(self) -> None:
        """On the same port, with the same state."""
        before = self.endpoints.snowflake_port
        self.endpoints = control.start(self.state)
        assert self.endpoints.snowflake_port == before


@contextlib.contextmanager
def running(state: State) -> Iterator[Account]:
    """A sandbox, stopped at the end."""
    account = Account(state, control.start(state))
    try:
        yield account
    finally:
        control.stop(state)
