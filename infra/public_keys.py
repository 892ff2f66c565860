"""The settings `quant:publicKey` and `quant:publicKey2`. Pure, but for the files of QUANT_PUBLIC_KEYS."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path

from infra.errors import UserError

KEY_SETTINGS = ("publicKey", "publicKey2")
FOLDER = "QUANT_PUBLIC_KEYS"  # the sandbox's: each machine has keys of its own, and the stack files are tracked


def public_key(value: str) -> str:
    """An RSA public key as Snowflake's RSA_PUBLIC_KEY wants it: base64 of its DER form.

    Raises:
        ValueError: it is something else; the value is not repeated.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        key = serialization.load_der_public_key(base64.b64decode(value, validate=True))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise ValueError(
            "an RSA public key of at least 2048 bits is expected, the lines between header and footer of its PEM form"
            " joined (MIIBIjANBgkq...); `quantctl keys rotate` writes it"
        )
    return value


def file_of(env: str, environ: Mapping[str, str]) -> Path | None:
    """The sandbox's file of the environment's public keys; elsewhere its stack file holds them, which is reviewed."""
    folder = environ.get(FOLDER)
    return Path(folder) / f"{env}.json" if folder and environ.get("QUANT_TARGET") == "sandbox" else None


def public_keys_setting(given: dict[str, str | None], env: str, environ: Mapping[str, str]) -> dict[str, object]:
    """The values of both settings: in the sandbox what its file says, where there is one; else the stack file.

    Raises:
        UserError: the file cannot be read.
    """
    file = file_of(env, environ)
    if file is None:
        return {key: value or None for key, value in given.items()}
    try:
        read = json.loads(file.read_text())
    except FileNotFoundError:
        return {key: value or None for key, value in given.items()}
    except (OSError, ValueError) as error:
        raise UserError(f"{FOLDER}: {file} cannot be read as JSON ({error}). Remove it, and run make up again.") from None
    if not isinstance(read, dict):
        raise UserError(f"{FOLDER}: {file}: found no keys and values. Remove it, and run make up again.")
    return {key: read.get(key) or None for key in KEY_SETTINGS}
