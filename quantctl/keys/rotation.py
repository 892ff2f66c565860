"""`quantctl keys`: a new key pair for an environment's service user, while its jobs go on.

Two slots: the idle one gets the new key, the account accepts it, then the jobs hold it. The old one stays valid until it
is retired, for jobs that read it before. Interrupted anywhere, the same command run again goes on.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from quantctl.engine.process import POLICY, Done, run
from quantctl.errors import UserError

# Only these two change: a rotation must not deploy a branch that has moved meanwhile.
_TARGETS = ("**ServiceUser::user", "**Secret::snowflake_private_key")
Say = Callable[[str], None]


def rotate(env: str, environ: dict[str, str], say: Say) -> None:
    """Make a key in the idle slot, install it, and let the jobs log in with it."""
    slots = _slots(env, environ)
    if not slots.has(slots.active()):
        slots.write(slots.active(), _new_key())
        say(f"The first key of {env} is made (slot {slots.active()}); pulumi up -s {env} installs it.")
        return
    say("Making sure that what was begun before is finished ...")
    _install(env, environ)
    idle = 3 - slots.active()
    say(f"A new key in slot {idle}; the account learns it ...")
    slots.write(idle, _new_key())
    _install(env, environ)
    say("The jobs get it ...")
    slots.activate(idle)
    _install(env, environ)
    say(f"Done. The old key (slot {3 - idle}) is still accepted; when no job uses it: quantctl keys retire {env}")


def retire(env: str, environ: dict[str, str], say: Say) -> None:
    """Take away the key that the jobs no longer use."""
    slots = _slots(env, environ)
    idle = 3 - slots.active()
    slots.write(idle, None)
    _install(env, environ)
    say(f"Done. Slot {idle} is empty; only the key of slot {3 - idle} is accepted.")


class _Slots(ABC):
    """Where the two private keys are kept."""

    @abstractmethod
    def active(self) -> int:
        """1 or 2."""

    @abstractmethod
    def has(self, slot: int) -> bool:
        """Whether there is a key in the slot."""

    @abstractmethod
    def write(self, slot: int, pem: str | None) -> None:
        """Put a key into a slot, or empty it."""

    @abstractmethod
    def activate(self, slot: int) -> None:
        """The jobs log in with this one."""


class _Files(_Slots):
    """`<env>.1.p8` and `<env>.2.p8` in a folder, `<env>.p8` a link to the active one."""

    def __init__(self, folder: Path, env: str) -> None:
        self._folder, self._env = folder, env

    def active(self) -> int:
        link = self._folder / f"{self._env}.p8"
        return 2 if link.is_symlink() and link.readlink().name == self._name(2) else 1

    def has(self, slot: int) -> bool:
        return (self._folder / self._name(slot)).exists()

    def write(self, slot: int, pem: str | None) -> None:
        path = self._folder / self._name(slot)
        if pem is None:
            path.unlink(missing_ok=True)
            return
        new = path.with_suffix(".new")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(pem)
        new.replace(path)

    def activate(self, slot: int) -> None:
        link = self._folder / f"{self._env}.p8"
        new = link.with_suffix(".link")
        new.unlink(missing_ok=True)
        new.symlink_to(self._name(slot))
        new.replace(link)

    def _name(self, slot: int) -> str:
        return f"{self._env}.{slot}.p8"


class _Secrets(_Slots):
    """Secrets of the stack: quant:serviceUserKey and quant:serviceUserKey2, and quant:activeKey."""

    def __init__(self, env: str, environ: dict[str, str]) -> None:
        self._env, self._environ = env, environ

    def active(self) -> int:
        done = self._config("get", "quant:activeKey", must=False)
        return 2 if done.out.strip() == "2" else 1

    def has(self, slot: int) -> bool:
        return self._config("get", self._key(slot), must=False).code == 0

    def write(self, slot: int, pem: str | None) -> None:
        key = self._key(slot)
        if pem is None:
            self._config("rm", key)
        else:
            self._config("set", "--secret", key, value=pem)  # by standard input: arguments are seen in process lists

    def activate(self, slot: int) -> None:
        self._config("set", "quant:activeKey", str(slot))

    def _key(self, slot: int) -> str:
        return "quant:serviceUserKey" + ("2" if slot == 2 else "")

    def _config(self, *words: str, value: str | None = None, must: bool = True) -> Done:
        return run(["config", *words, "-s", self._env], self._environ, value=value, must=must)


def _slots(env: str, environ: dict[str, str]) -> _Slots:
    folder = environ.get("QUANT_SERVICE_KEYS")
    if not folder:
        return _Secrets(env, environ)
    if not Path(folder).is_dir():
        raise UserError("QUANT_SERVICE_KEYS is not a folder.", found=folder, do_next="make it, or unset the variable")
    return _Files(Path(folder), env)


def _install(env: str, environ: dict[str, str]) -> None:
    targets = [word for target in _TARGETS for word in ("--target", target)]
    run(["up", "--yes", "--skip-preview", "-s", env, *POLICY, *targets], environ)


def _new_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()
