"""Passwords are kept as salted scrypt hashes, and compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

# RFC 7914 names these for interactive logins: 2^14, 8, 1; about 50 ms.
_COST = {"n": 1 << 14, "r": 8, "p": 1}


def hashed(password: str) -> str:
    """`scrypt$<salt>$<hash>`"""
    salt = secrets.token_bytes(16)
    return "$".join(("scrypt", *(base64.b64encode(part).decode() for part in (salt, _hash(password, salt)))))


def matches(password: str, kept: str) -> bool:
    """Whether it is the password that was hashed."""
    _, salt, digest = kept.split("$")
    return hmac.compare_digest(_hash(password, base64.b64decode(salt)), base64.b64decode(digest))


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)
