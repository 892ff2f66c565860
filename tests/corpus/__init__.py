"""Definitions as teams have them, written for the tests: a few files, each a repository's parts behind `--- path` lines."""

from __future__ import annotations

import re
from pathlib import Path

SETTINGS = {
    "bundleTargets": {"dev": "quant", "prod": "quant_live"},
    "allowed": {
        "paths": ["/Volumes/main/quant/wheels/"],
        "clusters": ["0101-120000-shared1"],
        "instancePools": ["0101-pool-1"],
        "instanceProfiles": ["jobs@quant.iam"],
        "pipelines": ["0a1b2c3d-pipeline"],
        "mailDomains": ["quant.example"],
    },
    "variables": {
        "warehouse_id": "1234567890abcdef",
        "cluster_id": "0101-120000-shared1",
        "policy": "ABC123",
        "resources.pipelines.b11_dlt.id": "0a1b2c3d-pipeline",
    },
}
DEFINED = re.compile(r"workflows/.*|bundles/[^/]*/(databricks|bundle)\.ya?ml")


def corpus() -> dict[str, str]:
    """Path -> content of everything."""
    found: dict[str, str] = {}
    for file in sorted(Path(__file__).parent.glob("*.txt")):
        for part in file.read_text().split("--- ")[1:]:
            path, _, content = part.partition("\n")
            assert path not in found, path
            found[path] = content
    return found
