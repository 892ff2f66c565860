"""Which of the providers' own tests are of our kinds: by package and file, as they lie in the Go module cache."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_SNOWFLAKE = "github.com/Snowflake-Labs/terraform-provider-snowflake"
_DATABRICKS = "github.com/databricks/terraform-provider-databricks"
_INTEGRATION = (
    "databases", "schemas", "roles", "database_role", "grants", "users", "warehouses", "resource_monitors",
    "network_policies_gen", "sessions", "context_functions", "show_by_id", "client",
)  # fmt: skip
_RESOURCES = (
    "schema", "account_role", "database_role", "grant_privileges_to_account_role", "grant_privileges_to_database_role",
    "grant_account_role", "grant_database_role", "grant_ownership", "service_user", "warehouse", "resource_monitor",
    "network_policy",
)  # fmt: skip


@dataclass(frozen=True)
class Suite:
    """One Go package of tests."""

    name: str
    module: str
    package: str
    files: tuple[str, ...] = ("*",)
    tests: str = "TestAcc"

    def names(self, module: Path) -> list[str]:
        """The tests in those files, in their order, but for those of a file that only a tagged build has."""
        found = []
        for pattern in self.files:
            for file in sorted((module / self.package).glob(f"{pattern}_test.go")):
                source = file.read_text()
                if "//go:build" not in source.partition("package ")[0]:
                    found += re.findall(rf"^func ({self.tests}\w*)\(t \*testing\.T\)", source, re.M)
        return found


SUITES = (
    Suite(
        "integration",
        _SNOWFLAKE,
        "pkg/sdk/testint",
        tuple(f"{kind}_integration" for kind in _INTEGRATION),
        "TestInt",
    ),
    Suite("acceptance", _SNOWFLAKE, "pkg/resources", tuple(f"{kind}_acceptance" for kind in _RESOURCES)),
    *(Suite(package, _DATABRICKS, package) for package in ("repos", "jobs", "permissions", "secrets", "scim")),
)
