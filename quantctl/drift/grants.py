"""What a stack declares of grants in Snowflake, against what the account says. Pure.

The grant resources look for what they declare and pass over whatever else is granted, and those `on all` look at nothing:
both are judged here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from quantctl.drift.finding import By, Class, Finding, Fix
from quantctl.drift.steps import Refresh, Step

HANDS_ON = "granted, with the right to hand it on"
_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]*")


@dataclass(frozen=True, order=True)
class Grant:
    """One privilege, or the use of one role (`USAGE` on a `ROLE` or `DATABASE_ROLE`), as SHOW GRANTS spells them.

    A grantee that is a database role is named without its database, as SHOW GRANTS does.
    """

    privilege: str
    on: str
    name: str
    grantee_kind: str
    grantee: str
    future: bool = False
    option: bool = False  # WITH GRANT OPTION: whoever holds it may hand it on


@dataclass(frozen=True)
class Held:
    """What the account says of one environment; `objects` are (kind, qualified name), `deployer` is the role that asked."""

    deployer: str
    grants: frozenset[Grant]
    objects: frozenset[tuple[str, str]] = frozenset()
    keys: tuple[str, str] | None = None  # the service user's two public keys, "" for none; None when there is no such user


@dataclass
class Declared:
    """What the stack's state says, each with the resource that declares it."""

    grants: dict[Grant, Step] = field(default_factory=dict)
    on_all: list[tuple[str, str, str, Step]] = field(default_factory=list)  # privilege, object kind, database role, by

    @property
    def on_existing(self) -> set[tuple[str, str, str]]:
        """Privilege, object kind and database role of what may be granted on objects that are there."""
        future = {(grant.privilege, grant.on, grant.grantee) for grant in self.grants if grant.future}
        return future | {(privilege, kind, role) for privilege, kind, role, _ in self.on_all}


def declared_grants(refresh: Refresh) -> Declared:
    """Every grant that a resource of the stack declares."""
    said = Declared()
    for step in refresh.steps:
        inputs = step.inputs
        match step.type:
            case "GrantDatabaseRole":
                role = plain(inputs["databaseRoleName"])
                said.grants[Grant("USAGE", "DATABASE_ROLE", role, "ROLE", plain(inputs["parentRoleName"]))] = step
            case "GrantAccountRole" if inputs.get("userName"):
                said.grants[Grant("USAGE", "ROLE", plain(inputs["roleName"]), "USER", plain(inputs["userName"]))] = step
            case "GrantPrivilegesToAccountRole" if inputs.get("onAccountObject"):
                on = inputs["onAccountObject"]
                for privilege in inputs.get("privileges") or []:
                    holder = ("ROLE", plain(inputs["accountRoleName"]))
                    said.grants[Grant(privilege, on["objectType"], plain(on["objectName"]), *holder)] = step
            case "GrantPrivilegesToDatabaseRole":
                _to_database_role(said, step)
    return said


def _to_database_role(said: Declared, step: Step) -> None:
    role = last(plain(step.inputs["databaseRoleName"]))
    on_schema, on_objects = step.inputs.get("onSchema"), step.inputs.get("onSchemaObject") or {}
    for privilege in step.inputs.get("privileges") or []:
        if on_schema:
            said.grants[Grant(privilege, "SCHEMA", plain(on_schema["schemaName"]), "DATABASE_ROLE", role)] = step
        if all_ := on_objects.get("all"):
            said.on_all.append((privilege, singular(all_["objectTypePlural"]), role, step))
        if future := on_objects.get("future"):
            where = plain(future["inSchema"])
            kind = singular(future["objectTypePlural"])
            said.grants[Grant(privilege, kind, where, "DATABASE_ROLE", role, future=True)] = step


def grant_findings(env: str, said: Declared, held: Held, schema: str, owners: frozenset[str]) -> list[Finding]:
    """Grants that nobody declared, and those on objects that are missing; missing ones else are the engine's to see.

    `schema` is `DATABASE.SCHEMA`; `owners` are the roles that may own what is in it: the deployer's and the service user's.
    """
    return [*_extra(env, said, held, schema, owners), *_missing(env, said, held, schema)]


def _extra(env: str, said: Declared, held: Held, schema: str, owners: frozenset[str]) -> Iterator[Finding]:
    schemas = {schema, *(grant.name for grant in said.grants if grant.on == "SCHEMA")}
    for grant in sorted(held.grants - said.grants.keys()):
        within = any(grant.name == one or grant.name.startswith(f"{one}.") for one in schemas)
        if grant.privilege == "OWNERSHIP":
            if within and grant.grantee not in owners:
                words = (
                    f"give it back as {grant.grantee}: GRANT OWNERSHIP ON {_object(grant)} TO ROLE ... COPY CURRENT GRANTS"
                )
                yield _finding(env, grant, f"one of {', '.join(sorted(owners))}", Fix(words))
            continue
        if _comes_with_its_holder(grant, held):
            continue
        may = (grant.privilege, grant.on, grant.grantee) in said.on_existing
        declared = within and not grant.future and grant.grantee_kind == "DATABASE_ROLE" and may
        if declared and not grant.option:
            continue
        if grant.option and (declared or replace(grant, option=False) in said.grants):
            statement = _revoke(grant).replace("REVOKE ", "REVOKE GRANT OPTION FOR ", 1)
            fix = Fix(statement, By.ACCOUNT, statements=(statement,))
            step = said.grants.get(replace(grant, option=False))
            yield replace(_finding(env, grant, "granted", fix), real=HANDS_ON, urn=step.urn if step else "")
            continue
        statement = _revoke(grant)
        if (grant.grantee_kind, grant.grantee) == ("ROLE", held.deployer):
            # Who runs `--fix` must not take away what it may need for it: a person decides.
            yield _finding(env, grant, "nothing", Fix(f"if the deployer does not need it: {statement}"))
            continue
        yield _finding(env, grant, "nothing", Fix(statement, By.ACCOUNT, statements=(statement,)))


def _comes_with_its_holder(grant: Grant, held: Held) -> bool:
    """What the account tells of a holder by itself and nobody has granted.

    A database role has the use of its database; the owner of a managed-access schema manages its grants
    (https://docs.snowflake.com/en/release-notes/bcr-bundles/2023_08/bcr-1397).
    """
    if grant.grantee_kind == "DATABASE_ROLE" and (grant.privilege, grant.on) == ("USAGE", "DATABASE"):
        return True
    owner = replace(grant, privilege="OWNERSHIP", option=False)
    return (grant.privilege, grant.on) == ("MANAGE GRANTS", "SCHEMA") and owner in held.grants


def _missing(env: str, said: Declared, held: Held, schema: str) -> Iterator[Finding]:
    database = schema.split(".")[0]
    for kind, name in sorted(held.objects):
        for privilege, on, role, step in said.on_all:
            given = Grant(privilege, kind, name, "DATABASE_ROLE", role)
            if on != kind or given in held.grants or replace(given, option=True) in held.grants:
                continue
            statement = f"GRANT {privilege} ON {_words(kind)} {quoted(name)} TO DATABASE ROLE {quoted(f'{database}.{role}')}"
            fix = Fix(statement, By.ACCOUNT, statements=(statement,))
            resource = f"{_words(kind).lower()} {name}"
            yield Finding(env, Class.DRIFT, resource, f"{privilege} for {role}", "granted", "not granted", fix, step.urn)


def _finding(env: str, grant: Grant, declared: str, fix: Fix) -> Finding:
    if grant.on in ("ROLE", "DATABASE_ROLE"):
        resource, what = f"{_words(grant.on).lower()} {grant.name}", "held by"
        return Finding(
            env, Class.DRIFT, resource, what, declared, f"{_words(grant.grantee_kind).lower()} {grant.grantee}", fix
        )
    where = (
        f"future {_words(grant.on).lower()}s of {grant.name}" if grant.future else f"{_words(grant.on).lower()} {grant.name}"
    )
    holder = f"{grant.privilege} for {_words(grant.grantee_kind).lower()} {grant.grantee}"
    return Finding(env, Class.DRIFT, where, holder, declared, "granted", fix)


def _revoke(grant: Grant) -> str:
    holder = f"FROM {_words(grant.grantee_kind)} {_holder(grant)}"
    if grant.on == "ROLE":
        return f"REVOKE ROLE {identifier(grant.name)} {holder}"
    if grant.on == "DATABASE_ROLE":
        return f"REVOKE DATABASE ROLE {quoted(grant.name)} {holder}"
    if grant.future:
        return f"REVOKE {grant.privilege} ON FUTURE {_words(grant.on)}S IN SCHEMA {quoted(grant.name)} {holder}"
    return f"REVOKE {grant.privilege} ON {_object(grant)} {holder}"


def _holder(grant: Grant) -> str:
    """A database role is named with its database, which is that of what it holds (grants do not cross databases)."""
    if grant.grantee_kind == "DATABASE_ROLE":
        return quoted(f"{grant.name.split('.')[0]}.{grant.grantee}")
    return identifier(grant.grantee)


def _object(grant: Grant) -> str:
    return f"{_words(grant.on)} {quoted(grant.name)}"


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def plain(name: Any) -> str:
    """A name as SHOW tells it: without the quotes of the provider's spelling."""
    return str(name).replace('"', "")


def last(name: str) -> str:
    """The last part of a qualified name."""
    return name.rpartition(".")[2]


def singular(kinds: str) -> str:
    """`TABLES` -> `TABLE`, as SHOW GRANTS spells what GRANT ... ON ALL has in the plural."""
    return kinds.removesuffix("S").replace(" ", "_")


def quoted(name: str) -> str:
    """A qualified name as a statement needs it: quoted where it is no plain identifier."""
    return ".".join(identifier(part) for part in name.split("."))


def identifier(name: str) -> str:
    """One name, of a user for example, which may hold a dot."""
    return name if _PLAIN.fullmatch(name) else '"{}"'.format(name.replace('"', '""'))
