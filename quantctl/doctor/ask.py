"""Asks engine, Git, Databricks, Snowflake and the forge at the same time; each question that fails is an answer too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from infra.errors import UserError
from infra.outside import git, gitlab
from infra.outside.account import reach_snowflake
from infra.outside.workspace import Workspace
from infra.outside.workspace_connection import reach_databricks
from infra.settings import Settings
from infra.vocabulary import Environment, Persona, SchemaAccess
from quantctl.doctor import model
from quantctl.doctor.model import Answer, fine, missing, unknown
from quantctl.drift.account import WITH_OPTION, Account
from quantctl.engine.process import run

Questions = Callable[[], Sequence[Answer]]
_PROBE = "refs/tags/quantctl-doctor"  # pushed with --dry-run: nothing is made


def examine(settings: Sequence[Settings], environ: Mapping[str, str]) -> list[Answer]:
    """Every answer, the engine's first."""
    asked: list[tuple[str, Questions]] = [
        ("engine", partial(_engine, settings, environ)),
        ("Git", partial(_git, settings)),
        ("Databricks", partial(_databricks, settings, environ)),
        ("Snowflake", partial(_snowflake, settings, environ)),
        ("GitLab", partial(_forge, settings, environ)),
    ]
    with ThreadPoolExecutor(len(asked)) as pool:
        running = [(where, pool.submit(questions)) for where, questions in asked]
    found: list[Answer] = []
    for where, answers in running:
        try:
            found += answers.result()
        except (UserError, OSError, ValueError, KeyError, TypeError) as error:
            found.append(unknown(where, "an answer", str(error)))
    return found


def _engine(settings: Sequence[Settings], environ: Mapping[str, str]) -> list[Answer]:
    version = run(["version"], environ).out.strip()
    found = [fine("engine", "pulumi", version)]
    listed = run(["stack", "ls", "--json"], environ, must=False)
    if listed.code != 0:
        fix = "set PULUMI_BACKEND_URL or backend: in Pulumi.yaml, and log in to it (docs/state.md)"
        return [*found, missing("engine", "a backend for the states", listed.reason, fix)]
    names = {str(stack["name"]).rsplit("/", 1)[-1] for stack in json.loads(listed.out)}
    for one in settings:
        env = one.environment.value
        if env in names:
            found.append(fine("engine", f"stack {env}", "there"))
        else:
            words = f"pulumi stack init {env} --secrets-provider=... (docs/state.md)"
            found.append(missing("engine", f"stack {env}", "not there", words))
    return found


def _git(settings: Sequence[Settings]) -> list[Answer]:
    remote = settings[0].remote
    try:
        listed = git.need(git.run(["git", "ls-remote", "--heads", remote]), remote).decode(errors="replace").splitlines()
    except UserError as error:
        fix = "git's credential helper must log in somebody who may read it; check quant:remote (or QUANT_REMOTE)"
        return [unknown("Git", "the pipelines repository", str(error), fix)]
    heads = {line.partition("\trefs/heads/")[2]: line.partition("\t")[0] for line in listed}
    found = model.branches(heads, [one.branch for one in settings], remote)
    needed = "push of records (tags deployment/..., promotion/...)"
    if not heads:
        return found
    commit = next(iter(heads.values()))
    repository = git.cache(remote)
    heads_of_all = "+refs/heads/*:refs/quant/all/*"
    with git.one_at_a_time(repository):
        fetched = git.run_in(
            repository,
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            remote,
            heads_of_all,
            seconds=git.FETCH_SECONDS,
        )
    if fetched.returncode:
        return [*found, unknown("Git", needed, git.said(fetched), "the host must let this shell read all branches")]
    tried = git.run_in(
        repository, "push", "--dry-run", "--porcelain", remote, f"{commit}:{_PROBE}", seconds=git.ANSWER_SECONDS * 2
    )
    if tried.returncode == 0:
        return [*found, fine("Git", needed, "the host lets this shell push; protected tags are not tried")]
    fix = "git's credential helper must log in somebody who may push tags; without it updates run and are not on record"
    return [*found, missing("Git", needed, git.said(tried), fix)]


def _databricks(settings: Sequence[Settings], environ: Mapping[str, str]) -> list[Answer]:
    reach_databricks(environ)
    workspace, first = Workspace(environ), settings[0]
    me = workspace.me()
    found = model.login(me, first.deployer)
    found.append(model.git_credential(workspace.git_credentials(), first.git_provider, git.is_public(first.remote)))
    names = {one.environment.value: one.service_principal for one in settings}
    found += model.principals({name: workspace.has_service_principal(name) for name in names.values()}, names)
    for env, name in names.items():
        found.append(_user_role(workspace, environ, env, name, str(me.get("userName") or me.get("applicationId") or "")))
    wanted = _groups(settings)
    return [*found, *model.groups(workspace.groups(list(wanted)) if wanted else [], wanted)]


def _user_role(workspace: Workspace, environ: Mapping[str, str], env: str, name: str, me: str) -> Answer:
    account = environ.get("DATABRICKS_ACCOUNT_ID") or ("sandbox" if environ.get("QUANT_TARGET") == "sandbox" else "")
    needed = f"Service Principal User role on the principal of {env}"
    if not account:
        fix = "set DATABRICKS_ACCOUNT_ID to ask, or look in the account console: without it no job runs as the principal"
        return unknown("Databricks", needed, "the account's id is not known here", fix)
    try:
        rules = workspace.principal_rules(account, name)
    except UserError as error:
        fix = "look in the account console: reading roles needs the Service Principal Manager role"
        return unknown("Databricks", needed, str(error), fix)
    return model.may_use(name, env, rules, me)


def _groups(settings: Sequence[Settings]) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for one in settings:
        if one.groups != "managed":
            audience = Persona.LIMITED_RELEASE if one.environment is Environment.LIMITED else None
            chosen = (p for p, access in one.row.items() if access.in_databricks or p is audience)
            wanted |= {one.names(persona).group: persona.value for persona in chosen}
    return wanted


def _roles(settings: Sequence[Settings]) -> dict[str, str]:
    wanted: dict[str, str] = {}
    for one in settings:
        if one.groups != "managed":
            readers = (persona for persona, access in one.row.items() if access.schema is not SchemaAccess.NONE)
            wanted |= {one.names(persona).role: persona.value for persona in readers}
    return wanted


def _privileges(settings: Sequence[Settings]) -> dict[str, tuple[str, str]]:
    """What for -> privilege and object, of all that the stacks declare."""
    database = f"DATABASE {settings[0].database.upper()}"
    wanted = {
        "its schemas": ("CREATE SCHEMA", database),
        "readers and writers": ("CREATE DATABASE ROLE", database),
        "the database": ("USAGE", database),
        "roles of the service users": ("CREATE ROLE", "ACCOUNT"),
        "service users": ("CREATE USER", "ACCOUNT"),
    }
    for one in settings:
        if one.managed_warehouse is not None:
            wanted["quant:managedWarehouse"] = ("CREATE WAREHOUSE", "ACCOUNT")
        else:
            wanted[f"the jobs' {one.warehouse.upper()}"] = (f"USAGE{WITH_OPTION}", f"WAREHOUSE {one.warehouse.upper()}")
        if one.allowed_addresses:
            wanted["quant:allowedAddresses"] = ("CREATE NETWORK POLICY", "ACCOUNT")
    return wanted


def _forge(settings: Sequence[Settings], environ: Mapping[str, str]) -> list[Answer]:
    """Nothing where promotions go by plain Git."""
    where = settings[0].gitlab
    if where is None:
        return []
    from quantctl.forge.gitlab_permission import level_of

    client, project = gitlab.connect(where.url, where.project, environ)
    user: Any = client.user
    return [model.forge(level_of(client, project), f"@{user.username}", where.project)]


def _snowflake(settings: Sequence[Settings], environ: Mapping[str, str]) -> list[Answer]:
    import snowflake.connector.errors

    reach_snowflake(environ)
    try:
        account = Account(environ)
    except snowflake.connector.errors.Error as error:
        fix = "check SNOWFLAKE_USER, SNOWFLAKE_ROLE and SNOWFLAKE_PRIVATE_KEY (docs/cloud.md)"
        return [missing("Snowflake", "login as the deployer", " ".join(str(error).split())[:200], fix)]
    try:
        found = [fine("Snowflake", "login as the deployer", f"role {account.role}")]
        found += model.privileges(account.role, _privileges(settings), account.privileges())
        return [*found, *model.roles(account.roles(), _roles(settings))]
    except snowflake.connector.errors.Error as error:
        return [unknown("Snowflake", "the deployer's privileges", str(error))]
    finally:
        account.close()
