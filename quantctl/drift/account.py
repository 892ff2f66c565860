"""What the Snowflake account says of an environment's grants, read as the deployer with snowflake-connector-python.

What the deployer's role is not shown is not judged.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from infra.naming import Names
from quantctl.drift.grants import Grant, Held, identifier, last, plain, quoted
from quantctl.errors import UserError

_SECONDS = 20  # to log in, and for one answer; the connector waits for minutes
_AT_ONCE = 8  # statements; a connection may be shared by threads (PEP 249, threadsafety 2)
# What the writer may create, and the column that says that one is of another kind of object (external, materialized ...).
_OBJECTS = {
    "TABLE": ("is_external", "is_dynamic", "is_iceberg"),
    "VIEW": ("is_materialized",),
    "STAGE": (),
    "SEQUENCE": (),
}
# What the provider takes from SNOWFLAKE_* variables, as the connector calls it.
_CONNECTION = (
    "role", "host", "port", "protocol", "password", "token", "warehouse", "authenticator", "workload_identity_provider",
)  # fmt: skip
WITH_OPTION = " WITH GRANT OPTION"  # whoever holds a privilege so may hand it on
_NOT_THERE = 2003  # does not exist or not authorized


class Account:
    """A connection as whom the environment names, the deployer; `more` are further arguments of the connector. Close it."""

    def __init__(self, environ: Mapping[str, str], more: Mapping[str, Any] | None = None) -> None:
        import snowflake.connector  # a third of a second, which commands that do not need it do not wait for

        logging.getLogger("snowflake.connector").setLevel(logging.CRITICAL)  # what fails is told as a finding
        self._connector = snowflake.connector
        self._connection = snowflake.connector.connect(**connection_of(environ) | dict(more or {}))
        self.role = plain(self._connection.role or "")

    def close(self) -> None:
        """Log out."""
        self._connection.close()

    def held(self, database: str, names: Names) -> Held:
        """Everything granted on, to, and of what the environment owns.

        Raises:
            snowflake.connector.Error: a statement was refused for another reason than that its object is missing.
        """
        schema = f"{database}.{names.schema}"
        asked: list[Callable[[], list[Grant]]] = [
            partial(self._grants, f"ON SCHEMA {quoted(schema)}"),
            partial(self._future, schema),
            partial(self._grants, f"TO ROLE {identifier(names.service_role)}"),
            partial(self._holders, "ROLE", names.service_role),
            partial(self._roles_of_user, names.service_user),
        ]
        for role in (f"{database}.{names.reader}", f"{database}.{names.writer}"):
            asked.append(partial(self._grants, f"TO DATABASE ROLE {quoted(role)}"))
            asked.append(partial(self._holders, "DATABASE ROLE", role))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            keys = pool.submit(self.public_keys, names.service_user)
            objects = [row for rows in pool.map(partial(self._objects, schema), _OBJECTS) for row in rows]
            asked += [partial(self._grants_on, kind, name, schema) for kind, name, _ in objects]
            grants = frozenset(grant for found in pool.map(lambda ask: ask(), asked) for grant in found)
        exact = frozenset((kind, name) for kind, name, exactly in objects if exactly)
        return Held(self.role, grants, exact, keys.result())

    def answer(self, statement: str, seconds: int) -> list[tuple[Any, ...]]:
        """The rows of a query.

        Raises:
            snowflake.connector.Error: it was refused, or ended after so many seconds.
        """
        with self._connection.cursor() as cursor:
            return list(cursor.execute(statement, timeout=seconds).fetchall())

    def shown(self, what: str) -> list[dict[str, Any]]:
        """The rows of a SHOW, by column."""
        return self._rows(f"SHOW {what}")

    def parameters(self, kind: str, name: str) -> dict[str, tuple[str, str]]:
        """KEY -> value and the level that it is set at, of a schema, user or warehouse; a quoted name is taken as it is.

        Raises:
            snowflake.connector.Error: it was refused.
        """
        spelled = name if name.startswith('"') else quoted(name)
        rows = self._rows(f"SHOW PARAMETERS IN {kind} {spelled}")
        return {str(row["key"]): (str(row["value"]), str(row["level"])) for row in rows}

    def privileges(self) -> set[tuple[str, str]]:
        """What the deployer's role holds, and the roles below it: (privilege, object), such as (USAGE, DATABASE QUANT).

        A privilege that it may hand on is there twice, once with WITH_OPTION.
        """
        found: set[tuple[str, str]] = set()
        asked, roles = set[str](), [self.role]
        while roles:
            asked.add(role := roles.pop())
            for grant in self._grants(f"TO ROLE {identifier(role)}"):
                if grant.on == "ROLE" and grant.privilege == "USAGE" and grant.name not in asked:
                    roles.append(grant.name)
                on = "ACCOUNT" if grant.on == "ACCOUNT" else f"{grant.on} {grant.name}"
                found.add((grant.privilege, on))
                if grant.option:
                    found.add((f"{grant.privilege}{WITH_OPTION}", on))
        return found

    def roles(self) -> set[str]:
        """Names of the account roles that the deployer's role is shown."""
        return {str(row["name"]) for row in self._rows("SHOW ROLES")}

    def run(self, statement: str) -> None:
        """One statement that changes something."""
        self._connection.cursor().execute(statement)

    def _grants_on(self, kind: str, name: str, schema: str) -> list[Grant]:
        """Grants on an object that was listed; without any it was dropped meanwhile, or may not be read.

        Raises:
            ValueError: the latter, which is unknown and not clean.
        """
        found = self._grants(f"ON {kind} {quoted(name)}")
        if not found and any(name == other for _, other, _ in self._objects(schema, kind)):
            raise ValueError(f"the deployer's role is not shown the grants on {kind.lower()} {name}")
        return found

    def _rows(self, statement: str) -> list[dict[str, Any]]:
        """Rows by column; none when the object is not there, which the engine tells."""
        cursor = self._connection.cursor(self._connector.DictCursor)
        try:
            return list(cursor.execute(statement, timeout=_SECONDS).fetchall())
        except self._connector.errors.ProgrammingError as error:
            if error.errno == _NOT_THERE:
                return []
            raise
        finally:
            cursor.close()

    def _grants(self, what: str) -> list[Grant]:
        return [
            Grant(
                row["privilege"],
                row["granted_on"],
                plain(row["name"]),
                *_grantee(row["granted_to"], row["grantee_name"]),
                option=_hands_on(row),
            )
            for row in self._rows(f"SHOW GRANTS {what}")
        ]

    def _future(self, schema: str) -> list[Grant]:
        return [
            Grant(
                row["privilege"],
                row["grant_on"],
                schema,
                *_grantee(row["grant_to"], row["grantee_name"]),
                True,
                _hands_on(row),
            )
            for row in self._rows(f"SHOW FUTURE GRANTS IN SCHEMA {quoted(schema)}")
        ]

    def _holders(self, kind: str, role: str) -> list[Grant]:
        shown = kind.replace(" ", "_")
        return [
            Grant("USAGE", shown, role, *_grantee(row["granted_to"], row["grantee_name"]))
            for row in self._rows(f"SHOW GRANTS OF {kind} {quoted(role)}")
        ]

    def _roles_of_user(self, user: str) -> list[Grant]:
        rows = self._rows(f"SHOW GRANTS TO USER {identifier(user)}")
        return [
            Grant("USAGE", "ROLE", plain(row["role"]), "USER", user)
            if row.get("role")
            # https://docs.snowflake.com/en/user-guide/security-access-control-overview: privileges may be a user's own
            else Grant(row["privilege"], row["granted_on"], plain(row["name"]), "USER", user)
            for row in rows
        ]

    def public_keys(self, user: str) -> tuple[str, str] | None:
        """What a user's two slots hold, "" for nothing; None where there is no such user.

        https://docs.snowflake.com/en/sql-reference/sql/desc-user: one row a property, `null` where it is not set.
        """
        told = {str(row["property"]): str(row["value"]) for row in self._rows(f"DESCRIBE USER {identifier(user)}")}
        if not told:
            return None
        first, second = (told[name] for name in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"))
        return ("" if first == "null" else first, "" if second == "null" else second)

    def _objects(self, schema: str, kind: str) -> list[tuple[str, str, bool]]:
        """Kind, qualified name, and whether it is of this kind exactly, so that grants `on all` of it reach it."""
        found = []
        for row in self._rows(f"SHOW {kind}S IN SCHEMA {quoted(schema)}"):
            other = any(str(row.get(column, "")).upper() in ("Y", "TRUE") for column in _OBJECTS[kind])
            found.append((kind, f"{schema}.{row['name']}", not other))
        return found


@contextlib.contextmanager
def asking(environ: Mapping[str, str]) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """What a SHOW says, as the deployer; the connection is made when something is asked for.

    The function raises UserError where the account does not answer, or refuses.
    """
    opened: list[Account] = []

    def shown(what: str) -> list[dict[str, Any]]:
        import snowflake.connector.errors

        try:
            if not opened:
                opened.append(Account(environ))
            return opened[0].shown(what)
        except snowflake.connector.errors.Error as error:
            raise UserError(f"What is in the account is unknown: {' '.join(str(error).split())}") from None

    try:
        yield shown
    finally:
        for account in opened:
            account.close()


def connection_of(environ: Mapping[str, str]) -> dict[str, Any]:
    """The connector's arguments from what the provider reads in the environment.

    https://www.pulumi.com/registry/packages/snowflake/installation-configuration/
    """
    from cryptography.hazmat.primitives import serialization

    said: dict[str, Any] = {
        "account": f"{environ.get('SNOWFLAKE_ORGANIZATION_NAME', '')}-{environ.get('SNOWFLAKE_ACCOUNT_NAME', '')}",
        "user": environ.get("SNOWFLAKE_USER", ""),
        "login_timeout": _SECONDS,
        "network_timeout": _SECONDS,
    }
    for name in _CONNECTION:
        if value := environ.get(f"SNOWFLAKE_{name.upper()}"):
            said[name] = value
    if pem := environ.get("SNOWFLAKE_PRIVATE_KEY"):
        phrase = environ.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
        key = serialization.load_pem_private_key(pem.encode(), phrase.encode() if phrase else None)
        form, plain_text = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        said["private_key"] = key.private_bytes(serialization.Encoding.DER, form, plain_text)
    return said


def _hands_on(row: Mapping[str, Any]) -> bool:
    """Whether the grant has the grant option; an owner always has."""
    return row["privilege"] != "OWNERSHIP" and str(row.get("grant_option")).lower() == "true"


def _grantee(kind: str, name: str) -> tuple[str, str]:
    """A database role without its database, whichever way it is told."""
    return kind, last(plain(name)) if kind == "DATABASE_ROLE" else plain(name)
