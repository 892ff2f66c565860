"""Where a command acts: in the cloud that this shell names, or in this machine's sandbox. Chosen, never guessed.

Any sign of a cloud means the cloud, even where a sandbox runs. `quantctl env` makes a shell the sandbox's.
"""

from __future__ import annotations

import configparser
import contextlib
import errno
import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from infra.errors import without_credentials
from quantctl import project
from quantctl.errors import UserError

SHELL_FILE = "shell.json"  # what the sandbox writes when it starts: the variables of a shell that uses it
_PREFIXES = ("DATABRICKS_", "ARM_", "SNOWFLAKE_")
_NAMES = ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN")
_OF_A_PLACE = ("PULUMI_", *_PREFIXES)  # a shell's own, which must not reach a sandbox's engine
_LOOPBACK = "127.0.0.1,localhost,::1"


@dataclass(frozen=True)
class Where:
    """The choice: `kind` is cloud or sandbox; `signs` is why it is the cloud."""

    kind: str
    signs: tuple[str, ...]
    environ: dict[str, str]

    def __str__(self) -> str:
        host = self.environ.get("DATABRICKS_HOST") or f"profile {self.environ.get('DATABRICKS_CONFIG_PROFILE', 'DEFAULT')}"
        names = (self.environ.get(f"SNOWFLAKE_{part}_NAME", "") for part in ("ORGANIZATION", "ACCOUNT"))
        account = "-".join(name for name in names if name) or "not named"
        state = self.environ.get("PULUMI_BACKEND_URL") or "pulumi's login"
        return f"{self.kind}: workspace {without_credentials(host)}, account {account}, state {without_credentials(state)}"


def signs(environ: Mapping[str, str], settings: Path, profiles: Path) -> tuple[str, ...]:
    """What in this shell and project means a cloud; `settings` is Pulumi.yaml, `profiles` the Databricks client's file."""
    found = [name for name in sorted(environ) if environ[name] and (name.startswith(_PREFIXES) or name in _NAMES)]
    with contextlib.suppress(OSError, ValueError, yaml.YAMLError):
        read = yaml.safe_load(settings.read_text())
        if isinstance(read, dict) and read.get("backend"):
            found.append(f"backend: in {settings.name}")
    with contextlib.suppress(OSError, ValueError, configparser.Error):
        read_profiles = configparser.ConfigParser()
        read_profiles.read_string(profiles.read_text())
        if read_profiles.defaults().get("host"):  # what Databricks' clients take when nothing else is said
            found.append(f"the profile DEFAULT in {profiles}")
    return tuple(found)


def choose(environ: Mapping[str, str], sandbox: Mapping[str, str] | None, found: tuple[str, ...]) -> Where:
    """The cloud where there is any sign of one, else the sandbox, whose variables are `sandbox` (None: it does not run).

    Raises:
        UserError: there is neither.
    """
    if found:
        kind = "sandbox" if environ.get("QUANT_TARGET") == "sandbox" else "cloud"
        return Where(kind, found, with_loopback(dict(environ)))
    if sandbox is None:
        raise UserError(
            "There is neither a cloud nor a sandbox to work on.",
            found="no DATABRICKS_*, ARM_*, SNOWFLAKE_* or PULUMI_BACKEND_URL variable, and no sandbox that runs",
            do_next="`make up` (or `quantctl sandbox start`) for a sandbox; docs/cloud.md for the cloud",
        )
    return Where("sandbox", (), with_loopback(without_places(environ) | dict(sandbox)))


def enter(*, tell: bool = False, needed: bool = True) -> dict[str, str]:
    """Choose, and make this process one that was started there, so that every library finds what it reads.

    `tell` says on standard error which workspace, account and state are meant: for what changes something, and `status`.
    Without `needed` there may be neither: for what asks the forge alone.

    Raises:
        UserError: there is neither a cloud nor a sandbox.
    """
    root = project.root()
    profiles = Path(os.environ.get("DATABRICKS_CONFIG_FILE") or Path("~/.databrickscfg").expanduser())
    found = signs(os.environ, root / "Pulumi.yaml", profiles)
    sandbox = None if found else _sandbox()
    if not (found or sandbox or needed):
        return dict(os.environ)
    chosen = choose(os.environ, sandbox, found)
    environ = _with_tools(chosen.environ)
    os.environ.clear()
    os.environ.update(environ)
    if tell:
        print(str(chosen), file=sys.stderr)
    return environ


def without_places(environ: Mapping[str, str]) -> dict[str, str]:
    """Without what would lead an engine or a client somewhere."""
    return {name: value for name, value in environ.items() if not name.startswith(_OF_A_PLACE)}


def with_loopback(environ: dict[str, str]) -> dict[str, str]:
    """The engine talks to its plugins over loopback, where no proxy belongs; only where a proxy is set."""
    lower = {name.lower(): value for name, value in environ.items()}
    if not any(lower.get(f"{scheme}_proxy") for scheme in ("http", "https", "all", "grpc")):
        return environ
    excepted = lower.get("no_proxy", "")
    if excepted == "*" or "127.0.0.1" in excepted:
        return environ
    joined = f"{excepted},{_LOOPBACK}" if excepted else _LOOPBACK
    return environ | {"NO_PROXY": joined, "no_proxy": joined}


def sandbox_folder() -> Path:
    """The sandbox's state folder: QUANT_SANDBOX, else .sandbox in the checkout.

    Raises:
        UserError: it is there and may not be read, so nobody knows what it holds.
    """
    chosen = os.environ.get("QUANT_SANDBOX")
    folder = Path(chosen).expanduser().resolve() if chosen else project.root() / ".sandbox"
    try:
        hidden = folder.stat() and not os.access(folder, os.R_OK | os.X_OK)
    except OSError as error:
        hidden = error.errno == errno.EACCES
    if hidden:
        raise UserError(
            "The sandbox's folder is another user's: what it holds is unknown.",
            found=str(folder),
            do_next="use one of your own: export QUANT_SANDBOX=FOLDER",
        )
    return folder


def _sandbox() -> dict[str, str] | None:
    """The variables of the sandbox, if it runs."""
    try:
        read = json.loads((sandbox_folder() / SHELL_FILE).read_text())
        address = urlsplit(str(read["DATABRICKS_HOST"]))
        with socket.create_connection((address.hostname, address.port), timeout=1):
            return {str(name): str(value) for name, value in read.items()}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _with_tools(environ: dict[str, str]) -> dict[str, str]:
    """PATH with the toolchain and the virtual environment first; the plugins' home, where ours was built."""
    import toolchain

    return environ | toolchain.enter(environ, project.checkout() / ".venv" / "bin")
