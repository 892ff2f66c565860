"""The service user's private key: from the stack's secret configuration, or from a file that only its owner reads. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from infra.errors import UserError
from infra.settings import Settings


def private_key(settings: Settings, environ: Mapping[str, str]) -> str:
    """PEM text of the environment's private key.

    Raises:
        UserError: no key is configured, or it is not an unencrypted PKCS#8 PEM key.
    """
    if settings.service_user_key:
        return settings.service_user_key
    folder = environ.get("QUANT_SERVICE_KEYS")
    if not folder:
        raise UserError(
            f"{settings.environment}: the service user has no key: set the secret quant:serviceUserKey (pulumi config set"
            " --secret), or QUANT_SERVICE_KEYS to a folder with one <environment>.p8 file each."
        )
    path = Path(folder) / f"{settings.environment}.p8"
    try:
        return path.read_text()
    except OSError as error:
        raise UserError(
            f"the service user's key {path} cannot be read ({error.strerror}); see QUANT_SERVICE_KEYS."
        ) from None


def public_key(pem: str) -> str:
    """The public half as Snowflake's RSA_PUBLIC_KEY wants it: base64 of the DER form, without header or line ends."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UserError(
            "the service user's key is not an unencrypted PEM private key: -----BEGIN PRIVATE KEY----- is expected"
            " (openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048)."
        ) from None
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()
