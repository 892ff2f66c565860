"""The service user's keys: public halves that are gone, which the provider does not miss, and what the jobs hold. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.naming import Names
from infra.service_keys import Slots, written
from quantctl.drift.changed import named, shown
from quantctl.drift.finding import By, Class, Finding, Fix
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
            fix = Fix(f"ALTER USER {user} SET {column} = ...", By.ACCOUNT, statements=(statement,))
            yield Finding(env, Class.DRIFT, named(step), name, shown(declared), shown(real), fix, step.urn)


def held_findings(env: str, refresh: Refresh, secrets: Mapping[str, int], names: Names) -> Iterator[Finding]:
    """Whether the jobs hold the private half of a declared key; `secrets` is what the scope lists.

    Its value is not read: the marker that a rotation writes after it says whose half it is, and when.
    """
    keys = next((_declared(step.inputs) for step in refresh.of("ServiceUser")), (None, None))
    if not any(keys):
        return
    told = written(secrets, names.secret_key)
    if told.slot(keys) is not None:
        return
    if told.key_at is None:
        real = "missing: the jobs cannot log in"
    elif told.fingerprint is None:
        real = "whose key it is was not told by a rotation"
    elif not told.sure:
        real = "written since by somebody else, or by a rotation that was interrupted"
    else:
        real = "the key of a rotation whose settings are not deployed"
    fix = Fix(f"quantctl keys rotate {env}")
    yield Finding(env, Class.DRIFT, f"secret {names.secret_scope}/{names.secret_key}", "value", "as rotated in", real, fix)


def _declared(inputs: Mapping[str, Any]) -> Slots:
    first, second = (_bare(str(inputs.get(name) or "")) or None for name, _ in _PROPERTIES)
    return first, second


def _bare(key: str) -> str:
    """A key without the lines and the frame of PEM."""
    return re.sub(r"-----[^-]+-----|\s", "", key)
