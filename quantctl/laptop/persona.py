"""Who one is in a shell: the exports of `quantctl env --as PERSONA` and `--gitlab`."""

from __future__ import annotations

from collections.abc import Mapping

from quantctl.errors import UserError
from quantctl.laptop import signing
from quantctl.laptop.credentials import credentials
from quantctl.laptop.signing import as_environment
from sandbox import identities
from sandbox.forge.call import PROJECT_PATH
from sandbox.state import State

_WHO = "QUANT_PERSONA"
_OWN = (_WHO, "QUANT_PROMOTER_TOKEN", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL",
        "QUANT_GITLAB_URL", "QUANT_GITLAB_PROJECT", "GITLAB_TOKEN")  # fmt: skip


def exports(state: State, persona: str | None, *, gitlab: bool, environ: Mapping[str, str]) -> dict[str, str | None]:
    """What to export, None for what an earlier call has exported and is over now.

    Args:
        persona: one of `quantctl sandbox credentials`; None is the deployer with `gitlab`, nobody without.
        gitlab: also switch to GitLab's API.
        environ: the shell's environment, to which git's settings are added.

    Raises:
        UserError: there is no such persona, or it is no user of the forge.
    """
    before: dict[str, str | None] = dict.fromkeys(_OWN) if _WHO in environ else {}
    who = _find(state, persona or "deployer")
    git = signing.git_settings(state, str(who["persona"]))
    if persona is None and not gitlab:
        return before | as_environment(environ, git)
    name, address = _git_identity(who)
    values: dict[str, str | None] = {
        _WHO: str(who["persona"]),
        "QUANT_PROMOTER_TOKEN": str(who["databricks_token"]),
        **{f"GIT_{role}_NAME": name for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_EMAIL": address for role in ("AUTHOR", "COMMITTER")},
    }
    if not gitlab:
        return before | values | as_environment(environ, git)
    if who["gitlab_token"] is None:
        raise UserError(
            f"{who['persona']} is no user of the forge.",
            expected=f"one of {', '.join(_personas(state, forge=True))}",
            do_next="choose another persona, or leave --gitlab out",
        )
    token = str(who["gitlab_token"])
    values |= {"QUANT_GITLAB_URL": str(who["gitlab_url"]), "QUANT_GITLAB_PROJECT": PROJECT_PATH, "GITLAB_TOKEN": token}
    return before | values | as_environment(environ, git)


def _find(state: State, persona: str) -> dict[str, str | int | None]:
    for one in credentials(state):
        if one["persona"] == persona:
            return one
    raise UserError(
        f"There is no persona {persona!r}.",
        expected=f"one of {', '.join(_personas(state))}",
        do_next="see who there is: quantctl sandbox credentials",
    )


def _personas(state: State, *, forge: bool = False) -> list[str]:
    return [str(one["persona"]) for one in credentials(state) if one["gitlab_token"] or not forge]


def _git_identity(who: Mapping[str, str | int | None]) -> tuple[str, str]:
    for person in identities.PEOPLE:
        if person.persona == who["persona"]:
            return person.key.capitalize(), person.user_name
    if who["persona"] == "deployer":
        return "Quant Deployer", identities.DEPLOYER_EMAIL
    name = identities.service_principal_name(str(who["persona"]).partition(":")[2])
    return name, f"{name}@quant.example"
