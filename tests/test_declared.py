"""What the program declares for each environment, asked of the program itself: an engine that takes everything, no provider.

Judged by the policy pack, which was written without the program: a grant too many, a level too high, a job of a person's is
told here in a second, and not only by the real engine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks
from rules import environments, judge, values
from rules.values import Declared

from infra.naming import names_of
from infra.outside.branch import Snapshot
from infra.settings import read_settings
from infra.vocabulary import Environment, ReadableKind
from infra.workflows import read_definitions
from tests.paths import ROOT
from tests.policy_shapes import GITLAB, REMOTE, configured
from tests.test_settings import config_of

pytestmark = pytest.mark.usefixtures("configured")
_ = configured
PLACE = {"quant:gitlab": {"url": GITLAB, "project": "quant/pipelines"}}
OF_ONE = {
    "quant": {"developers": '["dana@quant.example"]'},
    "quant_lr": {"limitedRelease": '{"baseline": true, "parameters": {"universe": "TOP50"}}'},
}
REGISTER = mocks.MockMonitor.RegisterResource
SAMPLE = ROOT / "examples" / "pipelines"


class Engine(mocks.Mocks):
    """Gives ids as a workspace does, and names as an account does."""

    def __init__(self) -> None:
        self.made = 0

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.made += 1
        more = {"fullyQualifiedName": f'"{args.inputs.get("database")}"."{args.inputs.get("name")}"'}
        return str(self.made), {**args.inputs, **more}

    def call(self, args: mocks.MockCallArgs) -> Any:
        assert args.token == "databricks:index/getServicePrincipal:getServicePrincipal"
        return {**args.args, "spId": "7"}


def declared(stack: str, monkeypatch: pytest.MonkeyPatch, **changed: str) -> tuple[list[judge.Violation], list[Declared]]:
    """What the pack says of everything that a stack declares, and the resources."""
    from infra.environment import QuantEnvironment

    said = {key: one if isinstance(one, str) else json.dumps(one) for key, one in {**config_of(stack), **PLACE}.items()}
    config = {**said, **{f"quant:{key}": one for key, one in changed.items()}}
    settings = read_settings(stack, config, {"QUANT_REMOTE": REMOTE, "QUANT_GIT_TOKEN": "hunter2"})
    environments.configure(stack, config)
    files = {str(path.relative_to(SAMPLE)): path.read_bytes() for path in SAMPLE.rglob("*") if path.is_file()}
    definitions = {path: content for path, content in files.items() if path.startswith("workflows/")}
    found = read_definitions(definitions, frozenset(files), settings, names_of(settings))
    sent: list[tuple[Any, str]] = []

    def record(self: Any, request: Any) -> Any:
        answered = REGISTER(self, request)  # type: ignore[no-untyped-call]
        sent.append((request, answered.id))
        return answered

    monkeypatch.setattr(mocks.MockMonitor, "RegisterResource", record)
    mocks.set_mocks(Engine(), project="quant", stack=stack, preview=True)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def declare() -> None:
        snapshot = Snapshot(REMOTE, stack, "a" * 40, Path("no repository"))
        QuantEnvironment(settings, names_of(settings), snapshot, found.workflows)

    declare()
    broken: list[judge.Violation] = []
    resources: list[Declared] = []
    for request, given_id in sent:
        props = values.plain(MessageToDict(request.object))
        urn = f"urn:pulumi:{stack}::quant::{request.type}::{request.name}"
        broken += judge.of_resource(urn, request.type, props, is_protected=request.protect)
        resources.append(Declared(urn, request.type, {**props, "id": given_id} if request.custom else props))
    broken += judge.of_stack([one for one in resources if values.kind(one.type) in judge.SEEN_IN_STACK])
    return broken, resources


@pytest.mark.parametrize("stack", [environment.value for environment in Environment])
def test_what_is_declared_keeps_every_rule(stack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the sample, with GitLab, and with all that a stack may add."""
    broken, resources = declared(stack, monkeypatch)
    assert broken == []
    assert len(resources) > 40
    more = {
        "groups": "managed",
        "managedWarehouse": '{"monthlyCredits": 10}',
        "allowedAddresses": '["192.0.2.0/24"]',
        "alsoReadable": json.dumps([kind.value for kind in ReadableKind]),
        "folder": f"/teams/desk/{stack}",
        "gitCredential": '{"username": "reader"}',
        **OF_ONE.get(stack, {}),
    }
    broken, with_more = declared(stack, monkeypatch, **more)
    assert broken == []
    assert len(with_more) > len(resources) + 20
