"""`make mutants`: how many small changes of the deciding modules the fast tests notice, by module (mutmut).

mutmut wants packages at the top or below `src`, so it works on a copy of the project in `.mutants`, in which `policy/rules`
is `src/rules`. `python -m bench.mutants MODULE...` takes some of the modules. What survived: in `.mutants`, `mutmut results`
and `mutmut show NAME`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_COPY = _ROOT / ".mutants"
_BAR = 90
MODULES = {  # as they lie in the copy, with what mutmut leaves alone
    "src/rules/*.py": "policy/rules",
    "infra/access.py": "infra/access.py",
    "infra/four_stacks.py": "infra/four_stacks.py",
    "infra/merge.py": "infra/merge.py",
    "infra/settings.py": "infra/settings.py",
    "quantctl/promotion/gates.py": "quantctl/promotion/gates.py",
    "quantctl/plan.py": "quantctl/plan.py",
    "quantctl/preview/redact.py": "quantctl/preview/redact.py",
    "quantctl/drift/judge.py": "quantctl/drift/judge.py",
}
# The tests that need neither engine nor sandbox.
TESTS = [
    f"tests/test_{name}.py"
    for name in (
        "access_matrix", "branch_protection", "drift_decisions", "four_stacks", "gates", "gates_decisions", "judge", "plan",
        "policy", "policy_jobs", "policy_violations", "preview", "redact", "settings", "workflows",
    )
]  # fmt: skip
_CONFIG = """
[tool.mutmut]
source_paths = ["src", "infra", "quantctl"]
only_mutate = {only}
also_copy = ["bench", "ci", "docs", "examples", "policy", "sandbox", "toolchain", "infra", "quantctl", {files}]
pytest_add_cli_args = ["-m", "not real", "-p", "no:xdist", "-p", "no:randomly"]
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
do_not_mutate_patterns = []

[tool.pytest.ini_options]
pythonpath = ["src", "policy"]
markers = ["real: left out here"]
"""


def main(chosen: list[str]) -> int:
    """Copy, mutate, test, count; 1 when a module is below the bar."""
    only = [copy for copy, module in MODULES.items() if not chosen or any(fnmatch(module, f"*{word}*") for word in chosen)]
    _copy(only)
    binaries = Path(sys.executable).parent
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([binaries / "mutmut", "run", "--max-children", "2"], cwd=_COPY, env=environ, check=False)
    if done.returncode:
        return done.returncode
    return 0 if report(_COPY / "mutants") else 1


def _copy(only: list[str]) -> None:
    shutil.rmtree(_COPY, ignore_errors=True)
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "-c", "-o", "--exclude-standard"], cwd=_ROOT, check=True, capture_output=True
    )
    for name in filter(None, tracked.stdout.decode().split("\0")):
        source, target = _ROOT / name, _COPY / name.replace("policy/rules/", "src/rules/", 1)
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    files = ", ".join(f'"{file.name}"' for file in _COPY.iterdir() if file.is_file() and file.name != "pyproject.toml")
    (_COPY / "mutants").mkdir()
    (_COPY / "mutants" / ".venv").symlink_to(_ROOT / ".venv")  # some tests start a Python of their own
    tests = [test for test in TESTS if (_ROOT / test).exists()]
    (_COPY / "pyproject.toml").write_text(
        _CONFIG.format(only=json.dumps(only), files=files, tests=json.dumps(tests)), encoding="utf-8"
    )


def report(folder: Path) -> bool:
    """Print killed and survived by module; whether all are at the bar."""
    good = True
    for file in sorted(folder.rglob("*.meta")):
        codes = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
        if not codes:
            continue
        killed = [code not in (0, 33, None) for code in codes.values()]  # 33: no test reaches it
        share = 100 * sum(killed) / len(killed)
        good &= share >= _BAR
        name = str(file.relative_to(folder)).removesuffix(".meta").replace("src/rules", "policy/rules")
        print(
            f"{name:36} {sum(killed):4} of {len(killed):4} killed, {share:3.0f}%{'' if share >= _BAR else '  below the bar'}"
        )
    return good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
