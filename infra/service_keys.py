"""The service user's keys: public halves are declared, the private half lies in the environment's secret scope alone. Pure.

Snowflake accepts both of a user's public keys (https://docs.snowflake.com/en/user-guide/key-pair-auth#configuring-key-pair-rotation),
so that a key is rotated while jobs log in. `quantctl keys rotate` writes the private key, then a marker
beside it, whose name says which public key belongs to it: a list of secrets tells names and times, and no values.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from infra.errors import UserError
from infra.naming import SECRET_KEY, names_of
from infra.settings import Settings

_MARKER = "snowflake_public_key."
Slots = tuple[str | None, str | None]


@dataclass(frozen=True)
class Written:
    """What the secret scope tells: which public key the newest marker names, and when each of the two was written (ms)."""

    key_at: int | None = None
    fingerprint: str | None = None
    marked_at: int = 0

    @property
    def sure(self) -> bool:
        """The private key is the one that the marker names: it was not written again after it."""
        return self.key_at is not None and self.fingerprint is not None and self.key_at <= self.marked_at

    def slot(self, keys: Slots) -> int | None:
        """The slot (1 or 2) whose key the jobs hold; None when it is in neither, or unknown."""
        return self.marked_slot(keys) if self.sure else None

    def marked_slot(self, keys: Slots) -> int | None:
        """The slot whose key the marker names."""
        return next((slot for slot, key in enumerate(keys, start=1) if key and fingerprint(key) == self.fingerprint), None)


def written(secrets: Mapping[str, int], key: str = SECRET_KEY) -> Written:
    """What the names and times of a scope's secrets say of its private key, which is kept under `key`."""
    marks = [(at, name.removeprefix(_MARKER)) for name, at in secrets.items() if name.startswith(_MARKER)]
    marked_at, newest = max(marks, default=(0, None))
    return Written(secrets.get(key), newest, marked_at)


def is_ours(name: str, key: str = SECRET_KEY) -> bool:
    """Whether a secret is one that `quantctl keys` writes."""
    return name == key or name.startswith(_MARKER)


def marker(key: str) -> str:
    """The name of the secret that says that the private half of this public key was written."""
    return _MARKER + fingerprint(key)


def fingerprint(key: str) -> str:
    """SHA-256 of a public key as it stands in the settings: base64 of its DER form."""
    return hashlib.sha256(base64.b64decode(key)).hexdigest()


def need_keys(settings: Settings) -> None:
    """Refuse a service user that could never log in.

    Raises:
        UserError: there is no public key.
    """
    if not any(settings.public_keys):
        env = settings.environment
        raise UserError(
            f"{env}: the service user has no key: quant:publicKey is not set in Pulumi.{env}.yaml. Make one: quantctl keys"
            f" rotate {env}. Only its public half is a setting."
        )


def need_held(settings: Settings, secrets: Mapping[str, int]) -> None:
    """Refuse an update that would take the key away that the jobs log in with; `secrets` is what the scope lists.

    Raises:
        UserError: the settings are older than the last rotation.
    """
    told = written(secrets, names_of(settings).secret_key)
    if told.sure and told.slot(settings.public_keys) is None:
        env = settings.environment
        raise UserError(
            f"{env}: the jobs log in with a key that Pulumi.{env}.yaml does not name: it was rotated, and these settings are"
            f" older. An update would lock the jobs out. Merge the commit with the new quant:publicKey, or make another key:"
            f" quantctl keys rotate {env}."
        )
