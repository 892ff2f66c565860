"""How `make` installs the Python packages, and under which Pythons the fast tests run. Nothing here downloads."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import each_python
from tests.toolchain_programs import program
from toolchain import python_packages


def _pip(folder: Path, told: str) -> list[str]:
    """A pip whose `config list` answers `told`."""
    return [str(program(folder, "pip", f"cat <<'EOF'\n{told}\nEOF"))]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's own variables do not matter."""
    for variable, _ in python_packages._SETTINGS.values():
        monkeypatch.delenv(variable, raising=False)


def test_what_pip_is_told_is_told_to_uv(tmp_path: Path) -> None:
    """A company's certificate, proxy and index; lists in uv's own way."""
    found = python_packages.settings(
        _pip(
            tmp_path,
            "global.cert='/etc/company.pem'\nglobal.index-url='https://one.example/simple'\n"
            "global.extra-index-url='https://two.example/simple\\nhttps://three.example/simple'\n"
            f"global.find-links='{tmp_path} https://four.example/wheels'\nglobal.timeout='60'\nglobal.trusted-host='one.example'",
        )
    )
    assert found == {
        "SSL_CERT_FILE": "/etc/company.pem",
        "UV_DEFAULT_INDEX": "https://one.example/simple",
        "UV_INDEX": "https://two.example/simple https://three.example/simple",
        "UV_FIND_LINKS": f"{tmp_path},https://four.example/wheels",
        "UV_INSECURE_HOST": "one.example",
    }


def test_pips_environment_wins_over_its_files_and_uvs_own_variable_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pip reads them, in whatever order it lists them."""
    pip = _pip(
        tmp_path,
        ":env:.index-url='https://environment.example'\nglobal.index-url='https://file.example'\n"
        ":env:.cert='/environment.pem'\nglobal.cert='/file.pem'\ninstall.cert='/install.pem'",
    )
    monkeypatch.setenv("SSL_CERT_FILE", "/mine.pem")
    assert python_packages.settings(pip) == {"UV_DEFAULT_INDEX": "https://environment.example"}


@pytest.mark.parametrize("told", ["", "global.find-links='/not/there'", "WARNING: something else", "global.cert=''"])
def test_a_pip_that_says_nothing_of_use_changes_nothing(tmp_path: Path, told: str) -> None:
    """A folder that is not there is passed over, as pip does."""
    assert python_packages.settings(_pip(tmp_path, told)) == {}


def test_the_lock_pins_uv_by_hash_and_names_no_index() -> None:
    """uv is installed by its own lines of the lock; the lock works with any index."""
    text = python_packages.LOCK.read_text()
    assert re.search(r"(?m)^uv==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text)
    assert "://" not in text
    assert "--index" not in text
    unhashed = [line for line in text.splitlines() if re.match(r"[a-z0-9-]+==", line) and not line.endswith("\\")]
    assert unhashed == []


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """What would be run; uv fails where a test leaves the file `fail`."""
    ran: list[list[str]] = []

    def run(title: str, command: list[str], more: object = None) -> str:
        ran.append(command)
        if command[0].endswith("/uv") and (tmp_path / "fail").exists():
            return "error: certificate\n"
        (tmp_path / "venv").mkdir(exist_ok=True)
        return ""

    monkeypatch.setattr(python_packages, "_run", run)
    monkeypatch.setattr(python_packages, "settings", lambda pip: {})
    return ran


def test_uv_installs_everything_but_itself(commands: list[list[str]], tmp_path: Path) -> None:
    """Each with the hashes of the lock; a second time the environment is kept, and after a move it is made again."""
    python_packages.install(tmp_path / "venv")
    made, uv, packages, ours, compiled = commands
    assert made[1:4] == ["-m", "venv", "--clear"]
    assert uv[1:5] == ["-m", "pip", "install", "--require-hashes"]
    assert packages[0] == str(tmp_path / "venv" / "bin" / "uv")
    assert packages[-3:] == ["--require-hashes", "-r", str(python_packages.LOCK)]
    assert "--no-deps" in ours
    assert compiled[1:3] == ["-m", "compileall"] and str(python_packages.HERE / "infra") in compiled
    commands.clear()
    python_packages.install(tmp_path / "venv")
    assert commands[0][1:3] == ["-m", "pip"]
    commands.clear()
    (tmp_path / "venv" / ".stamp").write_text("/before/venv\n")
    python_packages.install(tmp_path / "venv")
    assert commands[0][1:3] == ["-m", "venv"]


def test_pip_does_it_where_uv_cannot(commands: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reason is told in uv's own words."""
    (tmp_path / "fail").touch()
    python_packages.install(tmp_path / "venv")
    assert [Path(one[0]).name for one in commands][2:] == ["uv", "python", "python"]
    assert commands[-2][1:4] == ["-m", "pip", "install"]
    assert commands[-2][-3:] == ["--require-hashes", "-r", str(python_packages.LOCK)]
    assert "uv did not manage: error: certificate" in capsys.readouterr().out


def test_a_failed_step_ends_with_what_it_said(capsys: pytest.CaptureFixture[str]) -> None:
    """One step, its last words, and an exit status."""
    with pytest.raises(SystemExit, match=r"no such index\ninstalling: failed; what sh said last is above"):
        python_packages._must("installing", ["/bin/sh", "-c", "echo no such index; exit 3"])


def test_a_long_step_is_never_silent(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A line now and then, and one when it is done."""
    monkeypatch.setattr(python_packages, "_TOLD", 0.05)
    assert python_packages._run("waiting", ["/bin/sleep", "0.4"]) == ""
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "waiting"
    assert lines[1:-1] == ["waiting: 0 s"] * (len(lines) - 2)
    assert len(lines) > 3
    assert re.fullmatch(r"waiting: done in \d\.\d s", lines[-1])


def test_an_old_python_is_refused_in_one_sentence(tmp_path: Path) -> None:
    """The program is named, with the way out; it is run by make before anything is installed."""
    script = (python_packages.HERE / "toolchain" / "python_packages.py").read_text()
    assert "OLDEST = (3, 11)" in script
    newer = tmp_path / "python_packages.py"
    newer.write_text(script.replace("OLDEST = (3, 11)", "OLDEST = (99, 0)"))
    command = [sys.executable, str(newer), "install", str(tmp_path / "x")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(rf"Python \S+ or newer is needed, {sys.executable} is \S+: make PYTHON=\S+\n", done.stderr)
    assert not (tmp_path / "x").exists()


def test_the_newest_python_of_each_version_is_tried(tmp_path: Path) -> None:
    """CPython from 3.11 on, released; a shim of a version that is not chosen fails, and is passed over."""

    def python(name: str, said: str) -> Path:
        return program(tmp_path / name, "python3", said)

    found = each_python.pythons(
        [
            python("a", "echo 3 11 7 cpython final"),
            python("b", "echo 3 11 2 cpython final"),
            python("c", "echo 3 13 0 cpython final"),
            python("d", "echo 3 13 1 cpython final"),
            python("e", "echo 3 14 0 cpython candidate"),
            python("f", "echo 3 12 1 pypy final"),
            python("g", "echo 3 10 9 cpython final"),
            python("h", "exit 127"),
        ]
    )
    assert found == {(3, 11, 7): tmp_path / "a" / "python3", (3, 13, 1): tmp_path / "d" / "python3"}


def test_pythons_are_looked_for_on_path_and_with_pyenv(tmp_path: Path) -> None:
    """pyenv shows one version at a time on PATH."""
    for folder, name in (("path", "python3"), ("path", "python3.12"), ("path", "python3-config"), ("path", "python2")):
        program(tmp_path / folder, name, "")
    program(tmp_path / "pyenv" / "versions" / "3.13.0" / "bin", "python3", "")
    found = each_python.candidates({"PATH": str(tmp_path / "path"), "PYENV_ROOT": str(tmp_path / "pyenv")})
    assert sorted(str(path.relative_to(tmp_path)) for path in found) == [
        "path/python3",
        "path/python3.12",
        "pyenv/versions/3.13.0/bin/python3",
    ]
