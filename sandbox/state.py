"""The state folder: what lies where, and the secrets made at set-up."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import identities

HOST = "127.0.0.1"
# The tracked stack files carry the salt of this passphrase: docs/decisions/0003.
PASSPHRASE = "sandbox"


@dataclass(frozen=True)
class Endpoints:
    pid: int
    databricks_port: int
    snowflake_port: int
    git_port: int
    host: str = HOST

    @property
    def databricks_host(self) -> str:
        return f"http://{self.host}:{self.databricks_port}"

    @property
    def gitlab_url(self) -> str:
        """The forge; its API is under /api/v4."""
        return f"http://{self.host}:{self.git_port}"

    @property
    def remote_url(self) -> str:
        """The sample pipelines repository, as a forge would serve it."""
        return f"{self.gitlab_url}/remote.git"

    @property
    def snowflake_host(self) -> str:
        return self.host


@dataclass(frozen=True)
class State:
    folder: Path

    @property
    def database(self) -> Path:
        return self.folder / "sandbox.db"

    @property
    def folders(self) -> Path:
        return self.folder / "folders"

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def public_keys(self) -> Path:
        """Public halves of the service users' keys, as `quantctl keys` keeps them."""
        return self.folder / "public-keys"

    @property
    def endpoints_file(self) -> Path:
        return self.folder / "endpoints.json"

    @property
    def credentials_file(self) -> Path:
        return self.folder / "credentials.json"

    @property
    def gitlab_tokens_file(self) -> Path:
        return self.folder / "gitlab-tokens.json"

    @property
    def forge(self) -> Path:
        return self.folder / "forge.db"

    @property
    def hooks(self) -> Path:
        return self.folder / "hooks"

    @property
    def remote(self) -> Path:
        return self.folder / "remote.git"

    @property
    def pulumi(self) -> Path:
        return self.folder / "pulumi"

    @property
    def passphrase(self) -> Path:
        return self.folder / "passphrase"

    @property
    def log(self) -> Path:
        return self.folder / "sandbox.log"

    @property
    def pid_file(self) -> Path:
        return self.folder / "sandbox.pid"

    def key_file(self, name: str) -> Path:
        return self.keys / f"{name}.p8"

    def endpoints(self) -> Endpoints | None:
        """The ports of this or the last start, None before the first one."""
        try:
            return Endpoints(**json.loads(self.endpoints_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write_endpoints(self, endpoints: Endpoints) -> None:
        write_atomically(self.endpoints_file, json.dumps(asdict(endpoints)))

    def tokens(self) -> dict[str, str]:
        """Identity (userName or applicationId) -> Databricks token."""
        return _read(self.credentials_file)

    def gitlab_tokens(self) -> dict[str, str]:
        """User name in the forge -> GitLab token."""
        return _read(self.gitlab_tokens_file)

    def prepare(self) -> None:
        """Make what is missing, keep what is there."""
        for folder in (self.folder, self.keys, self.pulumi, self.folders):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)  # also one that was there
        for name in identities.key_names():
            if not self.key_file(name).exists():
                write_atomically(self.key_file(name), _new_private_key())
        write_atomically(self.passphrase, PASSPHRASE)
        _keep_tokens(self.credentials_file, identities.databricks_identities(), "dapi")
        _keep_tokens(self.gitlab_tokens_file, identities.gitlab_users(), "glpat-")

    def public_key(self, name: str) -> str:
        """Base64 body of the SPKI public key, as Snowflake's RSA_PUBLIC_KEY takes it."""
        key = serialization.load_pem_private_key(self.key_file(name).read_bytes(), None)
        spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(spki).decode()

    def clear(self) -> None:
        """Forget what the servers and the engine know, clock and switches; keep keys, tokens, ports and the remote."""
        for pattern in ("sandbox.db*", "forge.db*", "clock", "switches.json"):
            for path in self.folder.glob(pattern):
                path.unlink()
        for folder in (self.folders, self.pulumi, self.public_keys):
            shutil.rmtree(folder, ignore_errors=True)


def write_atomically(path: Path, text: str) -> None:
    """Whole or not at all, readable by its owner only."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)


def _keep_tokens(file: Path, names: list[str], prefix: str) -> None:
    """A token for each name; those that are there are kept."""
    known = _read(file) if file.exists() else {}
    made = {name: known.get(name) or prefix + secrets.token_hex(16) for name in names}
    if made != known:
        write_atomically(file, json.dumps(made, indent=1))


def _read(file: Path) -> dict[str, str]:
    loaded: dict[str, str] = json.loads(file.read_text())
    return loaded


def _new_private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
