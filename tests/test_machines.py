"""Commands on machines as they are: strange locales, no home, proxies, a user's own variables, and another user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Team, shell
from tests.paths import ROOT
from tests.toolchain_programs import program
from tests.ways_out import carry_out, the_way

QUANTCTL = str(ROOT / ".venv" / "bin" / "quantctl")
DEAD = "http://127.0.0.1:9"  # the port where nobody listens
NOBODY = 65534
_UNTOLD = ("Traceback", "fault of its own")


def said(command: list[str], environ: dict[str, str], umask: int = -1) -> subprocess.CompletedProcess[str]:
    """A command that ends as a user expects: never with a traceback."""
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, errors="replace", check=False, umask=umask, cwd=ROOT,
        stdin=subprocess.DEVNULL, timeout=300,
    )  # fmt: skip
    assert not any(word in done.stdout + done.stderr for word in _UNTOLD), done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A plain environment with a sandbox that runs, in which nothing is deployed."""
    folder = tmp_path_factory.mktemp("machine")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    plain = {"PATH": os.environ["PATH"], "QUANT_SANDBOX": str(folder / "state"), "XDG_CACHE_HOME": cache}
    yield {**plain, "HOME": str(folder)}
    subprocess.run([QUANTCTL, "down", "--yes"], env={**plain, "HOME": str(folder)}, capture_output=True, check=True)


@pytest.mark.parametrize(
    "machine",
    [
        {"HOME": ""},
        {"HOME": "/nonexistent"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"TERM": "dumb", "COLUMNS": "20"},
        {"HTTP_PROXY": DEAD, "http_proxy": DEAD, "HTTPS_PROXY": DEAD, "ALL_PROXY": DEAD},
        {"TMPDIR": "/nonexistent"},
        {"umask": "077"},
    ],
    ids=lambda machine: ", ".join(f"{name}={value}" for name, value in machine.items()),
)
def test_a_command_works_there(sandbox: dict[str, str], machine: dict[str, str]) -> None:
    """Starting, looking, and what a shell is given; a name that the terminal cannot show is no error."""
    more = {name: value for name, value in machine.items() if name != "umask" and value}
    environ = {name: value for name, value in sandbox.items() if machine.get(name) != ""} | more
    umask = int(machine.get("umask", "-1"), 8) if "umask" in machine else -1
    for words in ("sandbox start", "env", "sandbox credentials"):
        done = said([QUANTCTL, *words.split()], environ, umask)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    looked = said([QUANTCTL, "status"], environ, umask)
    assert looked.returncode == 1 and "unknown" in looked.stdout, looked.stdout  # there is no pipelines repository yet


def test_a_shell_of_the_sandbox_is_nobody_elses(sandbox: dict[str, str]) -> None:
    """What the user's own shell says of a workspace, an account or a backend is over; a second time changes nothing."""
    said([QUANTCTL, "sandbox", "start"], sandbox)
    own = {
        "DATABRICKS_CONFIG_PROFILE": "work",
        "DATABRICKS_CLIENT_ID": "me",
        "ARM_TENANT_ID": "ours",
        "SNOWFLAKE_PASSWORD": "secret",
        "PULUMI_ACCESS_TOKEN": "pul-1",
        "PULUMI_BACKEND_URL": "https://api.pulumi.com",
        "PULUMI_STACK": "mine",
    }
    plain, beside = shell(sandbox), shell({**sandbox, **own})
    assert plain["PULUMI_BACKEND_URL"].startswith("file://")
    assert {name: value for name, value in beside.items() if name != "_"} == {
        name: value for name, value in plain.items() if name != "_"
    }
    again = shell(beside)
    assert {name: again.get(name) for name in plain if name != "_"} == {
        name: value for name, value in plain.items() if name != "_"
    }


def test_a_sandbox_that_was_stopped_is_started_by_the_command_that_is_told(sandbox: dict[str, str]) -> None:
    """Exactly as it is printed, by what needs one and by what a shell is given."""
    for words in ("status", "env"):
        said([QUANTCTL, "sandbox", "start"], sandbox)
        said([QUANTCTL, "sandbox", "stop"], sandbox)
        told = said([QUANTCTL, words], sandbox).stderr
        path = f"{ROOT / '.venv' / 'bin'}:{sandbox['PATH']}"
        started = carry_out(the_way(told, "start"), {**sandbox, "PATH": path})
        assert started.returncode == 0, started.stderr
        assert said([QUANTCTL, "sandbox", "status"], sandbox).returncode == 0


@pytest.mark.real
def test_the_engine_works_there(team: Team, tmp_path: Path) -> None:
    """All at once: proxies without an exception, own variables, an old pulumi first, another login, ASCII, a umask."""
    program(tmp_path / "old", "pulumi", "echo v3.100.0")
    login = tmp_path / "home" / ".pulumi" / "credentials.json"
    login.parent.mkdir(parents=True)
    login.write_text(json.dumps({"current": "https://api.pulumi.com", "accessTokens": {"https://api.pulumi.com": "pul-1"}}))
    kept = ("QUANT_SANDBOX", "XDG_CONFIG_HOME", "TMPDIR")
    machine = {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "QUANT_SANDBOX": team.environ["QUANT_SANDBOX"],
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
        "HOME": str(tmp_path / "home"),
        "PATH": f"{tmp_path / 'old'}:{os.environ['PATH']}",
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"), DEAD),
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "ascii",
        "DATABRICKS_CLIENT_ID": "me",
        "DATABRICKS_CLIENT_SECRET": "secret",
        "SNOWFLAKE_PASSWORD": "secret",
        "PULUMI_ACCESS_TOKEN": "pul-1",
    }
    environ = shell(machine)
    shown = said([QUANTCTL, "preview", "quant"], environ, umask=0o077)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    plain = said(["pulumi", "preview", "-s", "quant", "--non-interactive", "--expect-no-changes"], environ, umask=0o077)
    assert plain.returncode == 0, plain.stdout + plain.stderr


@pytest.fixture
def stranger(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """How another user of this machine runs quantctl, with a folder of theirs; skipped where nobody can become one."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("only root becomes somebody else")
    become = [setpriv, "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (Path(sys.base_prefix) / "bin" / version, Path("/usr/bin") / version):
        able = subprocess.run([*become, "env", str(python), "-c", ""], capture_output=True, check=False, cwd="/")
        readable = subprocess.run([*become, "test", "-r", str(ROOT / "pyproject.toml")], check=False, cwd="/")
        if able.returncode == readable.returncode == 0:
            break
    else:
        pytest.skip("another user can read neither this checkout nor a Python of this version")
    home = Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True, cwd="/tmp").stdout.strip())
    venv = home / "venv"  # a Python that they may run, with the packages that we have
    subprocess.run([str(python), "-m", "venv", "--without-pip", str(venv)], check=True)
    [packages] = (ROOT / ".venv" / "lib").glob("python*/site-packages")
    [theirs] = (venv / "lib").glob("python*/site-packages")
    (theirs / "ours.pth").write_text(f"{ROOT}\n{packages}\n")
    subprocess.run(["chown", "-R", str(NOBODY), str(home)], check=True)
    given = [f"HOME={home}", "PATH=/usr/bin:/bin", f"QUANT_SANDBOX={home / 'state'}"]
    return [*become, "env", "-i", *given, str(venv / "bin" / "python"), "-m", "quantctl.main"], home


def test_another_user_has_a_sandbox_of_their_own(stranger: tuple[list[str], Path]) -> None:
    """In a checkout that they may only read; what needs an engine says how one is obtained."""
    quantctl, home = stranger
    try:
        for words in ("sandbox start", "sandbox status", "settings", "env"):
            done = said([*quantctl, *words.split()], {})
            assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        assert (home / "state").stat().st_uid == NOBODY
        engineless = said([*quantctl, "preview", "quant"], {})
        assert engineless.returncode == 1 and "quantctl toolchain --obtain" in engineless.stdout + engineless.stderr
    finally:
        ended = said([*quantctl, "down", "--yes"], {})
        shutil.rmtree(home, ignore_errors=True)
    assert ended.returncode == 0, ended.stderr


def test_another_users_sandbox_is_unknown_and_not_absent(stranger: tuple[list[str], Path], sandbox: dict[str, str]) -> None:
    """It is there and may not be read: nobody says that there is none, and nothing of it is touched."""
    quantctl, home = stranger
    said([QUANTCTL, "sandbox", "start"], sandbox)
    place = Path(sandbox["QUANT_SANDBOX"])
    for above in (place.parent, place.parent.parent, place.parent.parent.parent):
        above.chmod(0o755)
    before = sorted(place.iterdir())
    try:
        at = quantctl.index(f"QUANT_SANDBOX={home / 'state'}")
        quantctl = [*quantctl[:at], f"QUANT_SANDBOX={place}", *quantctl[at + 1 :]]
        for words in (
            "status",
            "sandbox status",
            "sandbox start",
            "sandbox stop",
            "env",
            "up",
            "down --yes",
            "lock",
            "drift",
        ):
            done = said([*quantctl, *words.split()], {})
            assert done.returncode == 1, f"{words}: {done.stdout}{done.stderr}"
            assert "is another user's" in done.stderr and "QUANT_SANDBOX" in done.stderr, f"{words}: {done.stderr}"
    finally:
        shutil.rmtree(home, ignore_errors=True)
    assert sorted(place.iterdir()) == before
