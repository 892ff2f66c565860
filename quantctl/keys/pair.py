"""A new RSA key pair."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True)
class Pair:
    """`private` is PEM text that goes into the secret scope alone; `public` what a setting and Snowflake hold."""

    private: str = field(repr=False)
    public: str


def new_pair() -> Pair:
    """2048 bits: https://docs.snowflake.com/en/user-guide/key-pair-auth"""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, form, plain).decode()
    der = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Pair(private, base64.b64encode(der).decode())
