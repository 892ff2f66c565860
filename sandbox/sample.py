"""The sample Git remote: examples/pipelines with the four branches at different commits.

One line of history, so that every promotion is a fast-forward:
quant_live = quant_lr (the first release) <- quant_stg <- quant (newest).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "examples" / "pipelines"
FIRST = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Step:
    message: str
    change: Callable[[Path], None]
    branches: tuple[str, ...] = ()


def create(remote: Path, source: Path = SOURCE) -> bool:
    """True when it was made now; an existing remote is never reset."""
    if (remote / "HEAD").exists():
        return False
    building = remote.with_name(remote.name + ".new")
    shutil.rmtree(building, ignore_errors=True)
    _git(remote.parent, "init", "--quiet", "--bare", "--initial-branch=quant", str(building))
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "pipelines"
        shutil.copytree(source, work, ignore=shutil.ignore_patterns("__pycache__", ".git"))
        _git(work, "init", "--quiet", "--initial-branch=quant")
        final = {p.relative_to(work): p.read_text() for p in _files(work)}
        _commit_all(work, building, final)
    building.replace(remote)
    return True


def _commit_all(work: Path, remote: Path, final: dict[Path, str]) -> None:
    for number, step in enumerate(_steps(final)):
        step.change(work)
        when = (FIRST + timedelta(days=number)).isoformat()
        _git(work, "add", "--all")
        _git(work, "commit", "--quiet", "--no-verify", "--no-gpg-sign", "-m", step.message, when=when)
        for branch in step.branches:
            _git(work, "branch", "--force", "at/" + branch)
    _git(work, "push", "--quiet", str(remote), "refs/heads/at/*:refs/heads/*")


def _steps(final: dict[Path, str]) -> list[Step]:
    """The history, made backwards from the newest files."""
    factors, risk = Path("src/factor_returns.py"), Path("src/risk_model.py")
    signals = Path("workflows/signal_report.yml")
    half_life, window = Path("changes/half-life-42.yaml"), Path("changes/window-20.yaml")

    def older(work: Path) -> None:
        _replace(work / factors, "WINDOW_DAYS = 20", "WINDOW_DAYS = 60")
        _replace(work / risk, "HALF_LIFE_DAYS = 42", "HALF_LIFE_DAYS = 90")
        _replace(work / signals, "timeout_seconds: 1800", "timeout_seconds: 3600")
        for change in half_life, window:
            (work / change).unlink()

    def restore(*paths: Path) -> Callable[[Path], None]:
        def change(work: Path) -> None:
            for path in paths:
                (work / path).parent.mkdir(exist_ok=True)
                _write(work / path, final[path])

        return change

    return [
        Step("Factor returns, risk model, positions and signals", older, ("quant_live",)),
        Step("Risk model: half-life of 42 days", restore(risk, half_life), ("quant_lr",)),
        Step("Signal report: end after half an hour", restore(signals), ("quant_stg",)),
        Step("Factor returns: window of 20 days", restore(factors, window)),
        Step("Say who watches the runs", _add_owners, ("quant",)),
    ]


def _add_owners(work: Path) -> None:
    _write(work / "OWNERS.md", "# Owners\n\nRuns are watched by quant-developers until they are promoted.\n")


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise ValueError(f"{path.name} of the sample pipelines must hold {old!r}")
    _write(path, text.replace(old, new))


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _files(work: Path) -> list[Path]:
    return [p for p in sorted(work.rglob("*")) if p.is_file() and ".git" not in p.parts]


def _git(folder: Path, *arguments: str, when: str = "") -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Quant Team",
        "GIT_AUTHOR_EMAIL": "team@quant.example",
        "GIT_COMMITTER_NAME": "Quant Team",
        "GIT_COMMITTER_EMAIL": "team@quant.example",
    }
    if when:
        environment |= {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True, umask=0o077)
