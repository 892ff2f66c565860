"""The public keys of users: what is accepted, and the fingerprint that DESCRIBE USER and the drivers' tokens name.

https://docs.snowflake.com/en/user-guide/key-pair-auth
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from sandbox.account.errors import SqlError

SLOTS = ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")
_SMALLEST = 2048


def loaded(body: str) -> RSAPublicKey:
    """The key of a PEM body, with or without line breaks.

    Raises:
        ValueError: it is no RSA key, or a short one.
    """
    try:
        key = load_der_public_key(_der(body))
    except (binascii.Error, UnsupportedAlgorithm) as error:
        raise ValueError(str(error)) from None
    if not isinstance(key, RSAPublicKey) or key.key_size < _SMALLEST:
        raise ValueError(f"not an RSA key of {_SMALLEST} bits or more")
    return key


def check(body: str) -> None:
    """Refuse what cannot be a user's key."""
    try:
        loaded(body)
    except ValueError:
        message = "SQL execution error: New public key rejected by current policy. Reason: 'Invalid public key'"
        raise SqlError("003550", "22023", message) from None


def fingerprint(body: str) -> str:
    """SHA256:<base64> of the key's DER form."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(_der(body)).digest()).decode()


def _der(body: str) -> bytes:
    return base64.b64decode("".join(body.split()), validate=True)
