"""The service user's public keys, which the provider does not miss when they are gone. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quantctl.drift.changed import named, shown
from quantctl.drift.finding import By, Class, Finding, Mend
from quantctl.drift.grants import identifier
from quantctl.drift.steps import Refresh

_PROPERTIES = (("rsaPublicKey", "RSA_PUBLIC_KEY"), ("rsaPublicKey2", "RSA_PUBLIC_KEY_2"))


def key_findings(env: str, refresh: Refresh, keys: tuple[str, str] | None) -> Iterator[Finding]:
    """Declared keys that the account does not hold; `keys` is what it holds, None where there is no such user."""
    for step in refresh.of("ServiceUser"):
        if step.new is None or keys is None:
            continue  # the user is gone, which the engine tells
        for (name, column), real in zip(_PROPERTIES, keys, strict=True):
            declared = _bare(str(step.inputs.get(name) or ""))
            if not declared or declared == _bare(real) or name in step.changed:
                continue
            user = identifier(str(step.inputs.get("name")))
            statement = f"ALTER USER {user} SET {column} = '{declared}'"
            mend = Mend(f"ALTER USER {user} SET {column} = ...", By.ACCOUNT, statements=(statement,))
            yield Finding(env, Class.DRIFT, named(step), name, shown(declared), shown(real), mend, step.urn)


def _bare(key: str) -> str:
    """A key without the lines and the frame of PEM."""
    return re.sub(r"-----[^-]+-----|\s", "", key)
