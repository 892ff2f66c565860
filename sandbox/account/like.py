"""The LIKE of SHOW, without regard to case."""

from __future__ import annotations

import re


def matches(pattern: str, name: str) -> bool:
    """`%` any characters, `_` one, a backslash takes their meaning away."""
    parts = []
    for escaped, plain in re.findall(r"\\(.)|(.)", pattern, re.S):
        parts.append(re.escape(escaped) if escaped else {"%": ".*", "_": "."}.get(plain, re.escape(plain)))
    return re.fullmatch("".join(parts), name, re.I | re.S) is not None
