"""What was asked, what is needed, what was found, and how it is fixed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from quantctl.drift.account import WITH_OPTION

MAINTAINER = 40  # https://docs.gitlab.com/api/access_requests/#valid-access-levels


class Health(StrEnum):
    """How an answer reads."""

    FINE = "ok"
    WRONG = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """One question: `fix` says what to do where it is not fine."""

    where: str
    needed: str
    health: Health
    found: str
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        """For programs."""
        return {key: str(value) for key, value in asdict(self).items()}


def fine(where: str, needed: str, found: str) -> Answer:
    """As it should be."""
    return Answer(where, needed, Health.FINE, found)


def missing(where: str, needed: str, found: str, fix: str) -> Answer:
    """Not as it should be."""
    return Answer(where, needed, Health.WRONG, found, fix)


def unknown(where: str, needed: str, why: str, fix: str = "") -> Answer:
    """It could not be asked."""
    return Answer(
        where, needed, Health.UNKNOWN, " ".join(why.split()), fix or "fix what could not be asked, and run it again"
    )


def exit_status(answers: Iterable[Answer]) -> int:
    """0 when everything is fine, 2 when something is missing, 1 when something is unknown."""
    found = {answer.health for answer in answers}
    return 1 if Health.UNKNOWN in found else 2 if Health.WRONG in found else 0


def branches(heads: Iterable[str], wanted: Iterable[str], remote: str) -> list[Answer]:
    """Whether the maturity branches are there."""
    there = set(heads)
    return [
        fine("Git", f"branch {branch}", "there")
        if branch in there
        else missing("Git", f"branch {branch}", "not there", f"git push {remote} HEAD:refs/heads/{branch}")
        for branch in wanted
    ]


def login(me: Mapping[str, Any], deployer: str) -> list[Answer]:
    """Whether whoever is logged in is the deployer, and an administrator of the workspace."""
    name = str(me.get("userName") or me.get("applicationId") or "")
    is_admin = any(str(group.get("display", "")).lower() == "admins" for group in me.get("groups") or [])
    return [
        fine("Databricks", "login as the deployer", name)
        if name.lower() == deployer.lower()
        else missing(
            "Databricks",
            "login as the deployer",
            f"logged in as {name}, quant:deployer is {deployer}",
            "log in as the deployer, or correct quant:deployer in Pulumi.yaml; a reader may preview, and nothing else",
        ),
        fine("Databricks", "workspace administrator", "member of admins")
        if is_admin
        else missing(
            "Databricks", "workspace administrator", f"{name} is not in the group admins", "add the deployer to admins"
        ),
    ]


def git_credential(listed: Iterable[Mapping[str, Any]], provider: str, is_public: bool) -> Answer:
    """Whether the deployer can clone: a Git folder is cloned with its caller's own credential.

    https://docs.databricks.com/repos/automate-with-sp
    """
    needed = f"the deployer's own Git credential for {provider}"
    found = [str(one.get("git_username") or one.get("git_provider")) for one in listed if _same(one, provider)]
    if found:
        return fine("Databricks", needed, f"of {found[0]}")
    if is_public:
        return fine("Databricks", needed, "none, and the remote asks for none")
    words = f"databricks git-credentials create {provider} --git-username NAME --personal-access-token TOKEN"
    return missing("Databricks", needed, "none", f"{words}, as the deployer; a public repository needs none")


def principals(there: Mapping[str, bool], names: Mapping[str, str]) -> list[Answer]:
    """Whether the service principals that run the jobs exist; `names` is environment -> application id."""
    return [
        fine("Databricks", f"service principal of {env}", name)
        if there.get(name)
        else missing(
            "Databricks",
            f"service principal of {env}",
            f"no {name} in the workspace",
            f"create it in the account and assign it to the workspace, or correct quant:servicePrincipal of {env}",
        )
        for env, name in names.items()
    ]


def groups(there: Iterable[str], wanted: Mapping[str, str]) -> list[Answer]:
    """Whether the personas' groups exist; `wanted` is group -> persona."""
    found = set(there)
    return [
        fine("Databricks", f"group of {persona}", name)
        if name.lower() in found
        else missing(
            "Databricks",
            f"group of {persona}",
            f"no group {name}",
            f"create the account group and assign it to the workspace, or name another: quant:personas.{persona}.group",
        )
        for name, persona in sorted(wanted.items())
    ]


def may_use(application: str, env: str, rules: Iterable[Mapping[str, Any]], me: str) -> Answer:
    """Whether the deployer has the user role on a principal: run_as needs it, for administrators too.

    https://learn.microsoft.com/azure/databricks/admin/workspace-settings/restrict-workspace-admins
    """
    needed = f"Service Principal User role on the principal of {env}"
    holders = {
        str(principal)
        for rule in rules
        if str(rule.get("role", "")).endswith("servicePrincipal.user")
        for principal in rule.get("principals") or []
    }
    if any(holder.rpartition("/")[2].lower() == me.lower() for holder in holders):
        return fine("Databricks", needed, "held")
    found = f"held by {', '.join(sorted(holders)) or 'nobody'}"
    return missing(
        "Databricks", needed, found, f"account console, service principal {application}, Permissions: add the deployer"
    )


def privileges(role: str, wanted: Mapping[str, tuple[str, str]], held: Iterable[tuple[str, str]]) -> list[Answer]:
    """Whether the deployer's role holds each; `wanted` is what for -> (privilege, on), `held` are the same pairs."""
    there = {(privilege.upper(), on.upper()) for privilege, on in held}
    answers = []
    for what, (privilege, on) in wanted.items():
        needed = f"{privilege} on {on.lower() if on == 'ACCOUNT' else on} ({what})"
        if (privilege, on.upper()) in there or ("OWNERSHIP", on.upper()) in there:
            answers.append(fine("Snowflake", needed, f"{role} holds it"))
        else:
            plain, option, _ = privilege.partition(WITH_OPTION)
            answers.append(
                missing("Snowflake", needed, f"{role} does not hold it", f"GRANT {plain} ON {on} TO ROLE {role}{option};")
            )
    return answers


def forge(level: int, who: str, project: str) -> Answer:
    """Whether the deployer's bot may set protections; `level` is its role in the project.

    https://docs.gitlab.com/api/protected_branches/
    """
    needed = f"role Maintainer in {project}"
    if level >= MAINTAINER:
        return fine("GitLab", needed, f"{who} has it")
    words = f"give it to {who} in the project's members: it sets the protection of branches and record tags"
    return missing("GitLab", needed, f"{who} has level {level}, Maintainer is {MAINTAINER}", words)


def roles(there: Iterable[str], wanted: Mapping[str, str]) -> list[Answer]:
    """Whether the personas' account roles exist; `wanted` is role -> persona."""
    found = {name.upper() for name in there}
    return [
        fine("Snowflake", f"account role of {persona}", name)
        if name.upper() in found
        else missing(
            "Snowflake",
            f"account role of {persona}",
            f"no role {name}",
            f"CREATE ROLE {name}; or name another: quant:personas.{persona}.role",
        )
        for name, persona in sorted(wanted.items())
    ]


def _same(credential: Mapping[str, Any], provider: str) -> bool:
    return str(credential.get("git_provider", "")).lower() == provider.lower()
