"""The official engine: downloaded from its vendor while bytes arrive, compared with a checksum, taken only when whole."""

from __future__ import annotations

import hashlib
import platform
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import requests
import urllib3

from toolchain.build import ENGINE_VERSION
from toolchain.installed import version_of
from toolchain.progress import Report

VERSION = ENGINE_VERSION.removeprefix("v")
BASE = "https://get.pulumi.com/releases/sdk"  # where https://get.pulumi.com/install.sh downloads from
CHECKSUMS = f"pulumi-{VERSION}-checksums.txt"
# From that file of the vendor, which dirien/infrastructure-sandbox-kit v0.8.0 quotes for Linux. Where none is pinned, the
# file itself is read at the time of the download: that tells a damaged archive, not a dishonest server.
PINNED = {
    "linux-x64": "fe4afd4cda48f7fe06961268834caf78fb1efa8b31ee61ad00ee2e6cfa91caea",
    "linux-arm64": "a5b0c4cfc894d9147b8769eeb590fb6517f98829595d95443c2b6f91b1815711",
}
_PROCESSORS = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_CONNECT_SECONDS = 5.0
_STALLED_SECONDS = 20.0  # without a byte
_BLOCK = 1 << 16


class NotObtained(Exception):
    """Why the official engine was not installed, in one sentence."""


def install(target: Path, report: Report) -> None:
    """Bring the official programs to `target`/bin.

    Raises:
        NotObtained: it cannot be reached, stalls, is cut short, or is not what its checksum says.
    """
    kind = f"{platform.system().lower()}-{_PROCESSORS.get(platform.machine().lower(), platform.machine())}"
    archive = f"pulumi-v{VERSION}-{kind}.tar.gz"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix="official-", ignore_cleanup_errors=True) as scratch:
            expected, source = _expected(kind, archive)
            packed, made = Path(scratch) / archive, Path(scratch) / "root"
            with packed.open("wb") as file:
                found = _fetch(f"{BASE}/{archive}", file, report)
            if found != expected:
                raise NotObtained(f"{BASE}/{archive} is not what it should be: sha256 {found}, {source} says {expected}")
            report(f"pulumi {VERSION}: {packed.stat().st_size / 1e6:.0f} MB, sha256 as {source} says; unpacking")
            _unpack(packed, made / "bin")
            # What was cut short must not be found by `locate`: it gets its name only when it is whole.
            if not version_of(made / "bin" / "pulumi").endswith(VERSION):
                raise NotObtained("the official pulumi does not run on this machine")
            if not (target / "bin" / "pulumi").exists():
                made.rename(target)
    except OSError as error:
        raise NotObtained(
            f"the official pulumi could not be written to {target.parent}: {error.strerror or error}"
        ) from None


def _expected(kind: str, archive: str) -> tuple[str, str]:
    """The checksum of `archive`, and who says so."""
    if kind in PINNED:
        return PINNED[kind], "toolchain/official.py"
    url = f"{BASE}/{CHECKSUMS}"
    with _answer(url) as answer:
        lines = [line.split() for line in answer.text.splitlines()]
    found = next((words[0] for words in lines if len(words) == 2 and words[1].lstrip("*") == archive), None)
    if found is None:
        raise NotObtained(f"{url} names no {archive}")
    return found, url


def _fetch(url: str, into: BinaryIO, report: Report) -> str:
    """Write what `url` answers to `into`, for as long as bytes arrive; returns its sha256."""
    digest, received, began = hashlib.sha256(), 0, time.monotonic()
    with _answer(url) as answer:
        size = int(answer.headers.get("Content-Length") or 0)

        def described() -> str:
            speed = received / 1e6 / max(time.monotonic() - began, 0.001)
            of = f" of {size / 1e6:.0f} MB ({received * 100 // size} %)" if size else " MB"
            return f"pulumi {VERSION}: {received / 1e6:.1f}{of}, {speed:.1f} MB/s"

        report(f"downloading {url}" + (f", {size / 1e6:.0f} MB" if size else ""))
        with report.during(described):
            while block := answer.raw.read1(
                _BLOCK, decode_content=False
            ):  # what has arrived; `read` would wait for a whole block
                into.write(block)
                digest.update(block)
                received += len(block)
    if received < size:
        raise NotObtained(f"{url} was cut short: {received} of {size} bytes")
    return digest.hexdigest()


@contextmanager
def _answer(url: str) -> Iterator[Any]:
    """The answer to a GET, with each failure of the network in one sentence."""
    try:
        with requests.get(
            url, stream=True, timeout=(_CONNECT_SECONDS, _STALLED_SECONDS), headers={"Accept-Encoding": "identity"}
        ) as answer:
            if answer.status_code != 200:
                raise NotObtained(f"{url} answered {answer.status_code}")
            yield answer
    except requests.exceptions.SSLError:
        raise NotObtained(f"the certificate of {url} is not trusted here (REQUESTS_CA_BUNDLE names another store)") from None
    except requests.ConnectionError:
        raise NotObtained(f"{url} cannot be reached") from None
    except (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError):
        raise NotObtained(f"{url} stalled: no byte for {_STALLED_SECONDS:g} s") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise NotObtained(f"{url} was cut short: {error}") from None


def _unpack(packed: Path, folder: Path) -> None:
    """The programs of the archive, flat, whatever else it may hold."""
    folder.mkdir(parents=True)
    try:
        with tarfile.open(packed) as archive:
            for member in archive:
                if member.isfile() and (source := archive.extractfile(member)) is not None:
                    program = folder / Path(member.name).name
                    with program.open("wb") as copied:
                        shutil.copyfileobj(source, copied)
                    program.chmod(0o755)
    except (tarfile.TarError, EOFError) as error:
        raise NotObtained(f"{packed.name} cannot be unpacked: {error}") from None
    if not (folder / "pulumi").exists():
        raise NotObtained(f"{packed.name} holds no pulumi")
