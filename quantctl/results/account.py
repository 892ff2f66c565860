"""The account as whoever compares: two DESCRIBEs and one SELECT a pair, with a time limit and a tag in the query history.

QUANT_COMPARER_USER, _ROLE and _PRIVATE_KEY name who that is; without them it is whom SNOWFLAKE_USER names. The rights are
that role's own: what it may not read is unknown.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.settings import Settings
from quantctl.drift.account import Account
from quantctl.errors import UserError
from quantctl.text.plain import one_line

SECONDS = 600  # for one statement, in the account too: STATEMENT_TIMEOUT_IN_SECONDS
_OWN = "QUANT_COMPARER_"
_NOT_THERE = 2003  # does not exist or not authorized: Snowflake does not say which


class Refused(Exception):
    """The account refused a statement; the message is why, on one line."""


@dataclass
class Reader:
    """A session that only reads. `sent` are the statements, for the report."""

    account: Account
    role: str
    seconds: int
    sent: list[str] = field(default_factory=list)

    def columns(self, table: str) -> tuple[dict[str, str], dict[str, str]]:
        """Column -> type of a table or view, and column -> masking policy, as DESCRIBE tells them.

        https://docs.snowflake.com/en/sql-reference/sql/desc-table

        Raises:
            Refused: it is not there, or the role may not see it.
        """
        rows = self.select(f"DESCRIBE TABLE {table}")
        policy = 10  # the column `policy name`
        masked = {str(row[0]): str(row[policy]) for row in rows if len(row) > policy and row[policy]}
        return {str(row[0]): str(row[1]) for row in rows}, masked

    def select(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement that reads.

        Raises:
            Refused: with the account's own words.
        """
        import snowflake.connector.errors

        self.sent.append(sql)
        try:
            return self.account.answer(sql, self.seconds)
        except snowflake.connector.errors.Error as error:
            told = one_line(" ".join(str(error.msg or error).split()), 300)
            if error.errno == _NOT_THERE:
                told = f"it does not exist, or the role {self.role} may not read it"
            raise Refused(told) from None


@contextlib.contextmanager
def reading(settings: Settings, environ: Mapping[str, str], tag: str, seconds: int = SECONDS) -> Iterator[Reader]:
    """A session as whoever compares.

    Raises:
        UserError: the account does not answer, or does not let them in.
    """
    import snowflake.connector.errors

    as_whom = {"SNOWFLAKE_WAREHOUSE": settings.warehouse, **environ}
    if environ.get(f"{_OWN}USER"):
        dropped = ("PASSWORD", "TOKEN", "PRIVATE_KEY_PASSPHRASE")
        as_whom = {name: value for name, value in as_whom.items() if name.removeprefix("SNOWFLAKE_") not in dropped}
        as_whom["SNOWFLAKE_AUTHENTICATOR"] = "SNOWFLAKE_JWT"
        for name in ("USER", "ROLE", "PRIVATE_KEY", "PRIVATE_KEY_PASSPHRASE"):
            if value := environ.get(f"{_OWN}{name}"):
                as_whom[f"SNOWFLAKE_{name}"] = value
    session = {"QUERY_TAG": tag, "STATEMENT_TIMEOUT_IN_SECONDS": seconds}
    try:
        account = Account(as_whom, {"session_parameters": session, "network_timeout": seconds + 30})
    except snowflake.connector.errors.Error as error:
        raise UserError(
            "The account cannot be asked, so what its tables hold is unknown.",
            found=" ".join(str(error.msg or error).split())[:300],
            do_next=f"check {_OWN}USER, _ROLE and _PRIVATE_KEY, or SNOWFLAKE_USER (docs/results.md)",
        ) from None
    try:
        yield Reader(account, account.role, seconds)
    finally:
        account.close()
