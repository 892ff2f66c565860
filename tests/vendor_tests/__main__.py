"""`make vendor-tests`: build the providers' own tests, run each against one fresh sandbox, compare with `known.toml`."""

from __future__ import annotations

import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

from sandbox import identities
from sandbox.state import State
from tests.account_sandbox import Account, running
from tests.paths import ROOT
from tests.vendor_tests.compare import FAIL, disagreements, reasons, results
from tests.vendor_tests.suites import SUITES, Suite

_LIST = Path(__file__).with_name("known.toml")
_PROVIDERS = ROOT / "toolchain" / "providers"  # its go.mod pins what the tests need too
_SECONDS = 900  # for one test with its subtests
# What the vendor's accounts have: see common.go and ids_generator.go in pkg/acceptance/helpers, and the monitors' tests.
_SCIM_ROLES = ("GENERIC_SCIM_PROVISIONER", "AAD_PROVISIONER", "OKTA_PROVISIONER")
_THERE = (
    *(f"CREATE ROLE {role}" for role in _SCIM_ROLES),
    *(f"GRANT ROLE {role} TO ROLE ACCOUNTADMIN" for role in _SCIM_ROLES),
    "CREATE WAREHOUSE SNOWFLAKE",
    "CREATE USER JAN_CIESLAK",
    "CREATE USER ARTUR_SAWICKI",
    "ALTER USER ADA SET DEFAULT_SECONDARY_ROLES = ()",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.vendor_tests", description=__doc__)
    parser.add_argument("suites", nargs="*", help=f"some of: {', '.join(suite.name for suite in SUITES)}")
    parser.add_argument("--only", default="", help="tests whose name contains this")
    parser.add_argument("--logs", type=Path, default=None, help="a folder for what each test printed")
    said = parser.parse_args()
    known: dict[str, dict[str, list[str]]] = tomllib.loads(_LIST.read_text())
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        for suite in SUITES:
            if suite.name in (said.suites or known):  # without a name, those that have a list
                folder = Path(scratch, suite.name)
                folder.mkdir()
                with running(State(folder / "state")) as account:
                    found, asked = _run(suite, account, folder, said.only, said.logs)
                counted = collections.Counter(found.values())
                print(f"{suite.name}: {', '.join(f'{number} {result}' for result, number in sorted(counted.items()))}")
                wrong += disagreements(found, reasons(known.get(suite.name, {})), asked)
    print(*wrong, sep="\n")
    return 1 if wrong else 0


def _run(suite: Suite, account: Account, folder: Path, only: str, logs: Path | None) -> tuple[dict[str, str], list[str]]:
    """What each test came to, and which were run; each in a process of its own, since a panic ends one."""
    lies = Path(_go("list", "-mod=readonly", "-m", "-f", "{{.Dir}}", suite.module))
    if not lies.is_absolute():
        sys.exit(f"{suite.module} is not in the Go module cache: run `make install` first")
    program = _built(suite, lies, folder)
    environ = _environment(account, folder)
    names = [name for name in suite.names(lies) if only in name]
    found: dict[str, str] = {}
    for name in names:
        command = [str(program), "-test.v", f"-test.run=^{name}$", f"-test.timeout={_SECONDS}s"]
        done = subprocess.run(
            command, cwd=lies / suite.package, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        printed = done.stdout.decode(errors="replace")
        here = results(printed, name)
        found |= here
        print(*(f"{suite.name}: {test} fails" for test, result in here.items() if result == FAIL), sep="\n", flush=True)
        if logs is not None:
            (logs / f"{suite.name}.{name}.log").write_text(printed)
    return found, names


def _built(suite: Suite, lies: Path, folder: Path) -> Path:
    """The package's tests as a program. What the toolchain has compiled is used again, since paths are left out."""
    program = folder / "tests"
    how = ("-trimpath", "-tags", suite.tag, "-ldflags", "-s -w", "-o", str(program), *_completed(suite, lies, folder))
    _go("test", "-c", *how, f"{suite.module}/{suite.package}")
    return program


def _completed(suite: Suite, lies: Path, folder: Path) -> tuple[str, ...]:
    """Flags for a build with a copy of the module, where the published one lacks files."""
    if not suite.lacking:
        return ("-mod=readonly",)
    copy, pins = folder / "module", folder / "go.mod"
    shutil.copytree(lies, copy, copy_function=shutil.copyfile)
    for there in (copy, *copy.rglob("*/")):
        there.chmod(0o755)
    for name, content in suite.lacking.items():
        (copy / name).write_text(content)
    pins.write_text((_PROVIDERS / "go.mod").read_text().replace("./shim", str(_PROVIDERS / "shim")))
    pins.with_suffix(".sum").write_bytes((_PROVIDERS / "go.sum").read_bytes())
    _go("mod", "edit", f"-replace={suite.module}={copy}", str(pins))
    return (f"-modfile={pins}", "-mod=mod")


def _go(*words: str) -> str:
    """What `go` printed, in the module that pins the providers and what their tests need."""
    done = subprocess.run(
        ["go", *words], cwd=_PROVIDERS, env=os.environ | {"GOWORK": "off"}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"go {words[0]} failed: see above")
    return done.stdout.strip()


def _environment(account: Account, folder: Path) -> Mapping[str, str]:
    """What those tests read: an administrator of each side, and no settings of this machine's user."""
    for statement in _THERE:
        account.sql(statement)
    profiles = folder / "profiles.toml"
    profiles.write_text("".join(_profile(account, name) for name in ("default", "secondary_test_account")))
    profiles.chmod(0o600)
    # Older versions of the provider are found nowhere, so that a test that wants one fails on every machine.
    nowhere = folder / "terraform.rc"
    nowhere.write_text(f'provider_installation {{ filesystem_mirror {{ path = "{folder / "none"}" }} }}\n')
    mine = ("SNOWFLAKE_", "DATABRICKS_", "TF_", "TEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(mine)} | {
        "HOME": str(folder),
        "SNOWFLAKE_CONFIG_PATH": str(profiles),
        "TEST_SF_TF_TEST_OBJECT_SUFFIX": "SANDBOX",
        "TEST_SF_TF_REQUIRE_TEST_OBJECT_SUFFIX": "1",
        "TF_ACC": "1",
        "TF_ACC_TERRAFORM_PATH": shutil.which("terraform") or "",
        "SF_TF_ACC_TEST_CONFIGURE_CLIENT_ONCE": "true",
        "SF_TF_ACC_TEST_ENABLE_ALL_PREVIEW_FEATURES": "true",
        "TF_CLI_CONFIG_FILE": str(nowhere),
        "CHECKPOINT_DISABLE": "1",
        "CLOUD_ENV": "aws",
        "TEST_ENVIRONMENT_TYPE": "WORKSPACE",
        "DATABRICKS_HOST": account.endpoints.databricks_host,
        "DATABRICKS_TOKEN": account.state.tokens()[identities.ADMIN.user_name],
    }


def _profile(account: Account, name: str) -> str:
    """As version 1 reads it: https://registry.terraform.io/providers/snowflakedb/snowflake/latest/docs"""
    settings = {
        "organizationname": identities.SNOWFLAKE_ORGANIZATION, "accountname": identities.SNOWFLAKE_ACCOUNT, "user": "ADA",
        "role": "ACCOUNTADMIN", "host": account.endpoints.host, "port": account.endpoints.snowflake_port, "protocol": "http",
        "authenticator": "SNOWFLAKE_JWT", "privatekey": account.state.key_file("ada").read_text(),
    }  # fmt: skip
    return f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())


if __name__ == "__main__":
    sys.exit(main())
