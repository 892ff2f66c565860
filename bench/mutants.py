"""`make mutants`: how many small changes of the deciding modules the fast tests notice, by module (mutmut).

mutmut wants packages at the top or below `src`, so it works on a copy of the project in `.mutants`, in which `policy/rules`
is `src/rules`. `python -m bench.mutants MODULE...` takes some of the modules. What survived is printed; after what stands in
bench/equivalent.yaml nothing differs, so it is not counted.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from bench import equivalent

_ROOT = Path(__file__).resolve().parents[1]
_COPY = _ROOT / ".mutants"
_BAR = 90
_EQUIVALENT = Path(__file__).with_name("equivalent.yaml")
_MOVED = ("policy/rules/", "src/rules/")
# What is mutated, and the tests that need neither engine nor sandbox and look at it.
MODULES = {
    "policy/rules/*.py": ["policy", "policy_configured", "policy_identities", "policy_jobs", "policy_violations"],
    "infra/access.py": ["access_matrix"],
    "infra/four_stacks.py": ["four_stacks"],
    "infra/service_keys.py": ["key_decisions", "evidence"],
    "infra/settings.py": ["settings", "settings_told", "branch_protection"],
    "infra/workflows/merge.py": ["workflows_merge", "workflows", "workflows_bundles"],
    "quantctl/drift/judge.py": ["drift_decisions", "drift_judge", "drift_whole"],
    "quantctl/engine/plan.py": ["plan", "plan_facts"],
    "quantctl/keys/decide.py": ["key_decisions", "evidence"],
    "quantctl/preview/redact.py": ["preview", "redact"],
    "quantctl/promotion/gates.py": ["gates", "evidence"],
}
# One after another, in the order that mutmut says, without a search for garbage at the end, and with few examples.
_ARGUMENTS = ["-m", "not real and not clients", "-p", "no:xdist", "-p", "no:randomly", "-p", "no:unraisableexception"]
_ARGUMENTS += ["--hypothesis-profile=few"]
_CONFIG = """
[tool.mutmut]
source_paths = ["src", "infra", "quantctl"]
only_mutate = {only}
also_copy = ["bench", "ci", "docs", "examples", "policy", "sandbox", "toolchain", "infra", "quantctl", {files}]
pytest_add_cli_args = {arguments}
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
do_not_mutate_patterns = []

[tool.pytest.ini_options]
pythonpath = ["src", "policy"]
markers = ["real: left out here"]
"""


def main(chosen: list[str]) -> int:
    """Copy, mutate, test, count; 1 when a module is below the bar."""
    tests = _copy([module for module in MODULES if not chosen or any(fnmatch(module, f"*{word}*") for word in chosen)])
    binaries = Path(sys.executable).parent
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if lost := _lost(tests):
        sys.exit(
            "all that these tests reach would count as killed, for a name with a backslash is not found again:\n" + lost
        )
    cores = str(max(1, (os.cpu_count() or 1) - 1))
    done = subprocess.run([binaries / "mutmut", "run", "--max-children", cores], cwd=_COPY, env=environ, check=False)
    if done.returncode:
        return done.returncode
    return 0 if report(_COPY / "mutants") else 1


def _lost(tests: list[str]) -> str:
    """Tests that mutmut loses: pytest escapes a backslash in a name once more in each run within one process."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *_ARGUMENTS, *tests]
    listed = subprocess.run(command, cwd=_COPY, capture_output=True, text=True, check=False).stdout.splitlines()
    return "\n".join(line for line in listed if "::" in line and "\\" in line)


def _copy(modules: list[str]) -> list[str]:
    """Make the copy; the files of tests that look at these modules."""
    shutil.rmtree(_COPY, ignore_errors=True)
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "-c", "-o", "--exclude-standard"], cwd=_ROOT, check=True, capture_output=True
    )
    for name in filter(None, tracked.stdout.decode().split("\0")):
        source, target = _ROOT / name, _COPY / name.replace(*_MOVED, 1)
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    files = ", ".join(f'"{file.name}"' for file in _COPY.iterdir() if file.is_file() and file.name != "pyproject.toml")
    (_COPY / "mutants").mkdir()
    (_COPY / "mutants" / ".venv").symlink_to(_ROOT / ".venv")  # some tests start a Python of their own
    tests = sorted({f"tests/test_{name}.py" for module in modules for name in MODULES[module]})
    for name in [*tests, *(module for module in modules if "*" not in module)]:
        if not (_ROOT / name).is_file():
            sys.exit(f"bench/mutants.py names {name}, which is not there: correct MODULES")
    only = [module.replace(*_MOVED) for module in modules]
    (_COPY / "pyproject.toml").write_text(
        _CONFIG.format(only=json.dumps(only), files=files, tests=json.dumps(tests), arguments=json.dumps(_ARGUMENTS)),
        encoding="utf-8",
    )
    return tests


def report(folder: Path) -> bool:
    """Print what was killed and what survived, by module; whether all are at the bar and the list of equivalents is true."""
    good = True
    known: dict[str, Any] = yaml.safe_load(_EQUIVALENT.read_text(encoding="utf-8"))
    for file in sorted(folder.rglob("*.meta")):
        codes = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
        if not codes:
            continue
        name = str(file.relative_to(folder)).removesuffix(".meta").replace(_MOVED[1], _MOVED[0])
        made = equivalent.changes(file.with_suffix("").read_text(encoding="utf-8"))
        survived = [made[key.rpartition(".")[2]] for key, code in codes.items() if code in (0, 33, None)]  # 33: not reached
        same = equivalent.listed(known.get(name) or [])
        left = [one for one in survived if one not in same]
        total = len(codes) - (len(survived) - len(left))
        killed = total - len(left)
        share = 100 * killed / max(total, 1)
        untrue = equivalent.wrong(same, survived)
        good &= share >= _BAR and not untrue
        counted = f"{killed:4} of {total:4} killed, {share:3.0f}%, {len(survived) - len(left)} equivalent"
        print(f"{name:36} {counted}{'' if share >= _BAR else '  below the bar'}")
        print("".join(f"    survived in {one.function}: {one.was} -> {one.now}\n" for one in left), end="")
        print("".join(f"    no longer survives, take it off {_EQUIVALENT.name}: {one}\n" for one in untrue), end="")
    return good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
