"""Every violation of the tables through the real engine, which hands a state to the policy pack as it hands a preview."""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from rules.environments import STACKS
from rules.values import UNKNOWN, Secret

import toolchain
from tests import policy_shapes
from tests.paths import ROOT
from tests.policy_shapes import changed, configured, good, of
from tests.test_policy_violations import JOBS, VIOLATIONS, Violation

_ = configured
pytestmark = pytest.mark.real
# sdk/go/common/resource/properties.go: a secret in a state file
SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"

NOT_KNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # sdk/go/common/resource/plugin/rpc.go: a text that is not known yet


def stated(value: Any) -> Any:
    """A value as it stands in a state."""
    if value is UNKNOWN:
        return NOT_KNOWN
    if isinstance(value, Secret):
        return stated({"secret": value.value})
    if isinstance(value, dict):
        if set(value) == {"secret"}:
            return {SIGNATURE: SECRET, "plaintext": json.dumps(value["secret"])}
        return {key: stated(one) for key, one in value.items() if not key.startswith("__")}
    return [stated(one) for one in value] if isinstance(value, list) else value


def state(stack: str, resources: list[tuple[str, str, dict[str, Any]]]) -> str:
    """A state file of resources: name, type, properties."""
    listed = [
        {
            "urn": f"urn:pulumi:{stack}::quant::{kind}::{name}",
            "custom": True,
            "id": name,
            "type": kind,
            "inputs": stated(props),
            "outputs": stated(props),
            "protect": True,
        }
        for name, kind, props in resources
    ]
    manifest = {"time": "2026-11-24T12:00:00Z", "magic": "", "version": ""}
    return json.dumps({"version": 3, "deployment": {"manifest": manifest, "resources": listed}})


def refused(folder: Path, stack: str, resources: list[tuple[str, str, dict[str, Any]]]) -> tuple[dict[str, set[str]], str]:
    """Resource -> the rules that the engine says it breaks, and all that it said."""
    file = folder / f"{stack}.json"
    file.write_text(state(stack, resources))
    environ = {
        **os.environ,
        **toolchain.enter(os.environ),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "1",
    }
    command = ["pulumi", "policy", "analyze", "--file", str(file), "--policy-pack", str(ROOT / "policy" / "pack"), "--json"]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300, check=False)
    found: dict[str, set[str]] = defaultdict(set)
    for line in done.stdout.splitlines():
        event = json.loads(line).get("policyEvent") if line.startswith("{") else None
        if event:
            assert event["enforcementLevel"] == "mandatory"
            found[event["resourceUrn"].rpartition("::")[2]].add(event["policyName"])
    return found, done.stdout + done.stderr


@pytest.mark.parametrize("stack", STACKS)
def test_the_engine_refuses_every_violation(stack: str, tmp_path: Path, configured: None) -> None:
    """Each with the rule's name, and none of what is right beside them; no password is repeated."""
    ours = [one for one in [*VIOLATIONS, *JOBS] if one.stack == stack]
    wrong = {f"v{number}": one for number, one in enumerate(ours)}
    resources = [(name, *declared(one)) for name, one in wrong.items()]
    right = [
        (f"right{number}", *of(stack, variant)) for number, variant in enumerate(good(stack)) if "of a job" not in variant
    ]
    found, said = refused(tmp_path, stack, [*resources, *right])
    assert len(wrong) >= {"quant": 80, "quant_live": 300}.get(stack, 1)
    passed = [str(one) for name, one in wrong.items() if one.rule not in found[name]]
    assert passed == []
    assert {
        name: rules for name, rules in found.items() if name.startswith("right") and rules - {"own-ids", "owned-jobs"}
    } == {}
    assert "hunter2" not in said and policy_shapes.PEM not in said


def declared(violation: Violation) -> tuple[str, dict[str, Any]]:
    return changed(violation.stack, violation.variant, violation.changes)
