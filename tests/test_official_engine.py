"""The official engine: downloaded while bytes arrive, from a server here that is slow, stalls, cuts short or lies."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console

import toolchain
from toolchain import Report, cache, official
from toolchain.errors import ToolchainError

Send = Callable[[Callable[[bytes], object], bytes], object]
ARCHIVE = f"pulumi-v{official.VERSION}-linux-x64.tar.gz"


def packed(version: str = official.VERSION, inside: str = "pulumi/") -> bytes:
    """An archive as the vendor's: the programs in one folder, here scripts."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, text in (("pulumi", f"#!/bin/sh\necho v{version}\n"), ("pulumi-language-python", "#!/bin/sh\n")):
            member = tarfile.TarInfo(inside + name)
            member.size, member.mode = len(text), 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()


@dataclass
class Vendor:
    """What the server gives, and how it sends a file: called with where to write to, and all bytes."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    send: Send = lambda write, whole: write(whole)
    asked: list[str] = field(default_factory=list)

    def publish(self, archive: bytes, checksum_of: bytes | None = None) -> None:
        """The archive, and the file of checksums beside it."""
        told = hashlib.sha256(checksum_of or archive).hexdigest()
        self.files = {ARCHIVE: archive, official.CHECKSUMS: f"{'0' * 64}  another.zip\n{told}  {ARCHIVE}\n".encode()}


@pytest.fixture
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vendor]:
    """A server in place of the vendor's, an empty cache, and no pulumi or Go on PATH."""
    made = Vendor()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            made.asked.append(name)
            found = made.files.get(name)
            if found is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            if name == ARCHIVE:
                made.send(self._written, found)
            else:
                self._written(found)

        def _written(self, part: bytes) -> None:
            self.wfile.write(part)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(official, "BASE", made.url)
    monkeypatch.setattr(official, "PINNED", {})
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def said() -> io.StringIO:
    """What a user is told."""
    return io.StringIO()


@pytest.fixture
def report(said: io.StringIO) -> Report:
    """A log, not a terminal, with a line every tenth of a second."""
    return Report(Console(file=said, width=500), every=0.1)


def nothing_is_left() -> bool:
    """No half of an archive in the cache, and nothing that `locate` would take."""
    return not any(cache.root().glob("official-*")) and toolchain.locate() is None


def test_the_official_engine_is_taken_when_its_checksum_is_right(vendor: Vendor, report: Report, said: io.StringIO) -> None:
    """The programs may be run, under any umask, and the checksum is said with its source."""
    vendor.publish(packed())
    found = toolchain.obtain(report)
    assert found.way == "official"
    assert found.bin is not None
    assert {path.name: path.stat().st_mode & 0o777 for path in found.bin.iterdir()} == {
        "pulumi": 0o755,
        "pulumi-language-python": 0o755,
    }
    assert f"sha256 as {vendor.url}/{official.CHECKSUMS} says" in said.getvalue()
    assert toolchain.obtain(report) == found
    assert vendor.asked == [official.CHECKSUMS, ARCHIVE]


def test_a_pinned_checksum_needs_no_published_one(
    vendor: Vendor, report: Report, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is pinned is what counts, whatever the server publishes."""
    whole = packed()
    monkeypatch.setattr(official, "PINNED", {"linux-x64": hashlib.sha256(whole).hexdigest()})
    vendor.publish(whole, checksum_of=b"another")
    assert toolchain.obtain(report).way == "official"
    assert vendor.asked == [ARCHIVE]
    assert "sha256 as toolchain/official.py says" in said.getvalue()


def test_a_slow_download_goes_on_while_bytes_arrive(
    vendor: Vendor, report: Report, said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may take many times as long as a stall; how far it is, is told on the way."""
    monkeypatch.setattr(official, "_STALLED_SECONDS", 0.5)

    def slowly(write: Callable[[bytes], object], whole: bytes) -> None:
        for at in range(0, len(whole), len(whole) // 12):
            write(whole[at : at + len(whole) // 12])
            time.sleep(0.15)

    vendor.send = slowly
    vendor.publish(packed())
    assert toolchain.obtain(report).way == "official"
    shares = [int(line.split("(")[1].split(" %")[0]) for line in said.getvalue().splitlines() if " %)" in line]
    assert len(shares) > 5
    assert shares == sorted(shares)
    assert 0 < shares[len(shares) // 2] < 100


def stalls(write: Callable[[bytes], object], whole: bytes) -> None:
    """Half of it, and then nothing."""
    write(whole[: len(whole) // 2])
    time.sleep(3)


def ends_early(write: Callable[[bytes], object], whole: bytes) -> None:
    """Half of it, and then the connection is closed."""
    write(whole[: len(whole) // 2])


@pytest.mark.parametrize(("send", "why"), [(stalls, r"stalled: no byte for 0\.5 s"), (ends_early, "cut short")])
def test_a_download_that_does_not_end_is_told_and_built_instead(
    vendor: Vendor,
    report: Report,
    said: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
    send: Send,
    why: str,
) -> None:
    """Nothing of it stays, and the next way is tried: here there is no Go."""
    monkeypatch.setattr(official, "_STALLED_SECONDS", 0.5)
    vendor.send = send
    vendor.publish(packed())
    with pytest.raises(official.NotObtained, match=why):
        official.install(cache.root() / "official-x", report)
    with pytest.raises(ToolchainError, match="there is no Go to build one"):
        toolchain.obtain(report)
    assert "building it from pinned Go modules instead" in said.getvalue()
    assert nothing_is_left()


@pytest.mark.parametrize(
    ("archive", "checksum_of", "why"),
    [
        (packed("1.0.0"), packed(), "is not what it should be: sha256 "),
        (b"<html>sign in first</html>", packed(), "is not what it should be: sha256 "),
        (b"<html>sign in first</html>", None, "cannot be unpacked"),
        (packed("1.0.0"), None, "does not run on this machine"),
        (packed(inside="pulumi/old-"), None, "holds no pulumi"),
    ],
    ids=["another archive", "a page", "a page with its checksum", "another version", "no pulumi"],
)
def test_what_is_not_the_engine_is_refused(
    vendor: Vendor, report: Report, archive: bytes, checksum_of: bytes | None, why: str
) -> None:
    """Whatever it is, nothing of it is kept."""
    vendor.publish(archive, checksum_of)
    with pytest.raises(official.NotObtained, match=why):
        official.install(cache.root() / "official-x", report)
    assert nothing_is_left()


def test_a_wrong_pin_refuses_a_whole_archive(vendor: Vendor, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both checksums are named."""
    monkeypatch.setattr(official, "PINNED", {"linux-x64": "0" * 64})
    vendor.publish(packed())
    with pytest.raises(official.NotObtained, match=rf"sha256 [0-9a-f]{{64}}, toolchain/official\.py says {'0' * 64}"):
        official.install(cache.root() / "official-x", report)
    assert nothing_is_left()


@pytest.mark.parametrize("lost", [ARCHIVE, official.CHECKSUMS])
def test_a_file_that_is_not_served_is_named(vendor: Vendor, report: Report, lost: str) -> None:
    """With the address and the answer."""
    vendor.publish(packed())
    del vendor.files[lost]
    with pytest.raises(official.NotObtained, match=f"{vendor.url}/{lost} answered 404"):
        official.install(cache.root() / "official-x", report)
    assert nothing_is_left()


def test_a_machine_that_the_vendor_does_not_serve_is_named(
    vendor: Vendor, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No checksum, no download."""
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    vendor.publish(packed())
    with pytest.raises(official.NotObtained, match=r"names no pulumi-v\S+-linux-riscv64"):
        official.install(cache.root() / "official-x", report)
    assert vendor.asked == [official.CHECKSUMS]


def test_a_vendor_that_cannot_be_reached_is_told_at_once(
    vendor: Vendor, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No Internet, no waiting."""
    monkeypatch.setattr(official, "BASE", "http://127.0.0.1:9")
    with pytest.raises(official.NotObtained, match=r"^http://127\.0\.0\.1:9/\S+ cannot be reached$"):
        official.install(cache.root() / "official-x", report)


def test_the_pins_are_of_kinds_that_the_vendor_names() -> None:
    """A pin is a sha256 of an archive that a machine of ours would ask for."""
    for kind, checksum in official.PINNED.items():
        system, processor = kind.split("-")
        assert (system, processor) in {("linux", "x64"), ("linux", "arm64"), ("darwin", "x64"), ("darwin", "arm64")}
        assert len(bytes.fromhex(checksum)) == 32
