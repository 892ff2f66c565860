"""How the sandbox's people are known to git: the keys with which they sign records, and their login."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from infra.vocabulary import Right
from sandbox import identities
from sandbox.state import State, write_atomically

# Who has no right signs all the same: the signature counts for nothing.
_RIGHTS = {
    "deployer": (Right.DEPLOY, Right.PROMOTE, Right.COMPARE),
    "reviewer": (Right.APPROVE,),
    "uat_tester": (Right.SIGN_OFF,),
    "release_manager": tuple(Right),
}


def signers_file(state: State) -> Path:
    """What QUANT_SIGNERS names in the sandbox; keys that are missing are made, for all of its people."""
    signers = {}
    for persona, principal in _principals().items():
        public = _public_key(key_file(state, persona))
        if persona in _RIGHTS:
            signers[principal] = {"key": public, "may": list(_RIGHTS[persona])}
    file, text = _folder(state) / "signers.json", json.dumps(signers, indent=1)
    if not file.exists() or file.read_text() != text:
        write_atomically(file, text)
    return file


def key_file(state: State, persona: str) -> Path:
    """A persona's private key, made when it is first asked for."""
    file = _folder(state) / persona.replace(":", "-")
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        form = serialization.PrivateFormat.OpenSSH
        made = Ed25519PrivateKey.generate()
        write_atomically(file, made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode())
    return file


def git_settings(state: State, persona: str) -> dict[str, str]:
    """git's settings with which somebody signs, and pushes: the login is in no URL and no process list.

    https://git-scm.com/docs/git-config#Documentation/git-config.txt-gpgformat and httpextraHeader
    """
    signs = {"gpg.format": "ssh", "user.signingKey": str(key_file(state, persona))}
    if (endpoints := state.endpoints()) is None:
        return signs
    user, token = _login(state, persona)
    header = "Authorization: Basic " + base64.b64encode(f"{user}:{token}".encode()).decode() if token else ""
    return {**signs, f"http.{endpoints.gitlab_url}/.extraHeader": header}


def as_environment(environ: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """git's settings as environment variables, after or in the place of those that `environ` has. Pure.

    https://git-scm.com/docs/git-config#Documentation/git-config.txt-GITCONFIGCOUNT
    """
    given = environ.get("GIT_CONFIG_COUNT", "")
    count = int(given) if given.isdecimal() else 0
    slots = {environ.get(f"GIT_CONFIG_KEY_{number}"): number for number in range(count)}
    values: dict[str, str] = {}
    for key, value in wanted.items():
        slot = slots.setdefault(key, count)
        count = max(count, slot + 1)
        values |= {f"GIT_CONFIG_KEY_{slot}": key, f"GIT_CONFIG_VALUE_{slot}": value}
    return values | {"GIT_CONFIG_COUNT": str(count)}


def _login(state: State, persona: str) -> tuple[str, str]:
    """User and token at the forge; none for a service principal that runs jobs, which pushes nothing."""
    users = {person.persona: person.key for person in identities.PEOPLE} | {"deployer": identities.DEPLOYER_NAME}
    return users.get(persona, ""), state.gitlab_tokens().get(users.get(persona, ""), "")


def _folder(state: State) -> Path:
    return state.folder / "signing"


def _principals() -> dict[str, str]:
    """Persona -> what the records call them."""
    return {person.persona: person.user_name for person in identities.PEOPLE} | {"deployer": identities.DEPLOYER_ID}


def _public_key(file: Path) -> str:
    key = serialization.load_ssh_private_key(file.read_bytes(), None)
    form = serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, form).decode()
