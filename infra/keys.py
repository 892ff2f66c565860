"""The service user's key pairs: two slots, so that a key is rotated while jobs log in. Pure.

Snowflake accepts both of a user's public keys (https://docs.snowflake.com/en/user-guide/key-pair-auth#configuring-key-pair-rotation);
the jobs hold the private key of one slot. A rotation fills the idle slot and then changes what the jobs hold.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.errors import UserError
from infra.settings import Settings


@dataclass(frozen=True)
class Keys:
    """`private` is the PEM text that the jobs log in with; `public` what each of the user's two slots holds."""

    private: str = field(repr=False)
    public: tuple[str | None, str | None]


def read_keys(settings: Settings, environ: Mapping[str, str]) -> Keys:
    """The keys of the environment: secrets of the stack, or files in the folder QUANT_SERVICE_KEYS.

    The folder holds `<environment>.1.p8` and `<environment>.2.p8`, and `<environment>.p8`, a link to the active one.

    Raises:
        UserError: the active key is missing, or one is not an unencrypted PEM private key of at least 2048 bits.
    """
    env = settings.environment
    if settings.service_user_key or settings.service_user_key2:
        slots = (settings.service_user_key, settings.service_user_key2)
        active = slots[settings.active_key - 1]
        where = [f"Pulumi.{env}.yaml: quant:serviceUserKey{number}" for number in ("", "2")]
        if not active:
            raise UserError(f"Pulumi.{env}.yaml: quant:activeKey is {settings.active_key}, but that key is not set.")
    elif folder := environ.get("QUANT_SERVICE_KEYS"):
        files = [Path(folder) / f"{env}.{number}.p8" for number in (1, 2)]
        where = [str(file) for file in files]
        slots = (_read(files[0]), _read(files[1]))
        active = _read(Path(folder) / f"{env}.p8")
        if not active:
            raise UserError(f"the service user's key {Path(folder) / f'{env}.p8'} is missing; see QUANT_SERVICE_KEYS.")
    else:
        raise UserError(
            f"{env}: the service user has no key. Make one with quantctl keys rotate {env}; it is kept as the secret"
            " quant:serviceUserKey, or as a file where QUANT_SERVICE_KEYS names a folder."
        )
    first, second = (public_key(pem, name) if pem else None for pem, name in zip(slots, where, strict=True))
    return Keys(active, (first, second))


def public_key(pem: str, where: str) -> str:
    """The public half as Snowflake's RSA_PUBLIC_KEY wants it: base64 of the DER form, without header or line ends.

    Raises:
        UserError: names `where`; the key itself is never shown.
    """
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < 2048:
        raise UserError(
            f"{where}: found something else than an unencrypted RSA private key in PEM form of at least 2048 bits"
            " (-----BEGIN PRIVATE KEY-----); make one with quantctl keys rotate."
        )
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the service user's key {path} cannot be read ({error}); see QUANT_SERVICE_KEYS.") from None
