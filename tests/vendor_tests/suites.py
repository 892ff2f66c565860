"""Which of the providers' own tests are of our kinds: by package and file, as they lie in the Go module cache."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_SNOWFLAKE = "github.com/Snowflake-Labs/terraform-provider-snowflake"
_DATABRICKS = "github.com/databricks/terraform-provider-databricks"
_SDK, _RESOURCES = "pkg/sdk/testint", "pkg/resources"
# The vendor builds the tests that change an account's own parameters with this tag, apart from all others.
_ACCOUNT_LEVEL = "account_level_tests"
# The published module v1.2.3 lacks a file that its tests' own helpers need.
_PYTHON = {"pkg/acceptance/testvars/python.go": 'package testvars\n\nconst PythonRuntime = "3.9"\n'}
_SDK_KINDS = (
    "databases", "schemas", "roles", "database_role", "grants", "users", "warehouses", "resource_monitors",
    "network_policies_gen", "sessions", "context_functions", "show_by_id",
)  # fmt: skip
_RESOURCE_KINDS = (
    "schema", "account_role", "database_role", "grant_privileges_to_account_role", "grant_privileges_to_database_role",
    "grant_account_role", "grant_database_role", "grant_ownership", "service_user", "warehouse", "resource_monitor",
    "network_policy",
)  # fmt: skip


@dataclass(frozen=True)
class Suite:
    """One Go package of tests; only those of some files, or all."""

    name: str
    module: str
    package: str
    kinds: tuple[str, ...] = ("*",)
    tag: str = ""
    lacking: dict[str, str] = field(default_factory=dict)

    def names(self, module: Path) -> list[str]:
        """The tests in those files, in their order, as far as they are built with the tag, or without."""
        found = []
        for kind in self.kinds:
            between = {_SDK: "_integration", _RESOURCES: "_acceptance"}.get(self.package, "")
            for file in sorted((module / self.package).glob(f"{kind}{between}_test.go")):
                source = file.read_text()
                if source.startswith(f"//go:build {_ACCOUNT_LEVEL}\n") == bool(self.tag):
                    found += re.findall(r"^func (Test(?:Acc|Int)\w*)\(t \*testing\.T\)", source, re.M)
        return found


SUITES = (
    Suite("integration", _SNOWFLAKE, _SDK, _SDK_KINDS, lacking=_PYTHON),
    Suite("integration-account", _SNOWFLAKE, _SDK, _SDK_KINDS, _ACCOUNT_LEVEL, _PYTHON),
    Suite("acceptance", _SNOWFLAKE, _RESOURCES, _RESOURCE_KINDS, lacking=_PYTHON),
    Suite("acceptance-account", _SNOWFLAKE, _RESOURCES, _RESOURCE_KINDS, _ACCOUNT_LEVEL, _PYTHON),
    *(Suite(package, _DATABRICKS, package) for package in ("repos", "jobs", "permissions", "secrets", "scim")),
)
