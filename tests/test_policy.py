"""The policy pack as a whole: what it knows, what it reads, and what the real engine makes of it."""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path
from typing import Any

import make_protocol
import pytest
from pulumi.runtime.proto import analyzer_pb2
from rules import environments, identities, judge, plain_secrets, providers, stack_files
from rules.environments import DEVELOPMENT, LIVE, STACKS, identifier_parts
from rules.values import UNKNOWN, Secret, plain, shown

from tests import policy_shapes
from tests.conftest import Team
from tests.paths import ROOT
from tests.policy_shapes import PEM, PRINCIPALS, changed, configured, good, job, of, stack_file, token

_ = configured
STACK = "pulumi:pulumi:Stack"


def test_the_pack_knows_nothing_of_the_program() -> None:
    """Written independently: it imports nothing from infra/, quantctl/ or sandbox/."""
    imported = {name for file in (ROOT / "policy").rglob("*.py") for name in imports(file)}
    assert not imported & {"infra", "quantctl", "sandbox"}
    assert "rules" in imported


def imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        found |= {
            name.partition(".")[0] for name in [*names, *([node.module or ""] if isinstance(node, ast.ImportFrom) else [])]
        }
    return found


def test_the_protocol_is_the_pinned_engine_s() -> None:
    """What the pack speaks is what the pinned package `pulumi` speaks; `python policy/make_protocol.py` writes it again."""
    assert (ROOT / "policy" / "protocol.binpb").read_bytes() == make_protocol.description()


def test_the_documentation_names_every_rule() -> None:
    """docs/policy.md holds the table of the rules as the pack has them, and nothing else."""
    written = (ROOT / "docs" / "policy.md").read_text()
    rows = [f"| `{name}` | {text} |" for name, text in judge.RULES.items()]
    assert "\n".join(rows) in written
    assert written.count("\n| `") == len(rows)


def test_the_analyzer_answers_as_the_engine_asks() -> None:
    """A resource with a violation and one without, as messages of the protocol; unknown and secret values arrive as such."""
    from analyzer import Analyzer

    pack = Analyzer()
    assert {one.name for one in pack.GetAnalyzerInfo(None, None).policies} == set(judge.RULES)
    for reach, wrong in ((PRINCIPALS[LIVE], []), ("users", ["own-secret"])):
        request = analyzer_pb2.AnalyzeRequest(urn=f"urn:pulumi:{LIVE}::quant::a::b", type=token("SecretAcl"))
        request.properties.update({**good(LIVE)["SecretAcl"], "principal": reach})
        request.options.protect = True
        answer = pack.Analyze(request, None)
        assert [one.policyName for one in answer.diagnostics] == wrong
        assert all(one.enforcementLevel == analyzer_pb2.MANDATORY and one.urn == request.urn for one in answer.diagnostics)
    stack = analyzer_pb2.AnalyzeStackRequest()
    stack.resources.add(urn=f"urn:pulumi:{LIVE}::quant::a::b", type=token("Job")).properties.update({"id": "1"})
    assert [one.policyName for one in pack.AnalyzeStack(stack, None).diagnostics] == ["owned-jobs"]
    assert not hasattr(pack, "Remediate")  # the engine then changes nothing, and asks at no cost of ours


def test_what_a_targeted_update_leaves_out_is_not_judged_by_its_values() -> None:
    """The engine sends it without any field; what a provider has checked has __defaults at least, and is judged."""
    from analyzer import Analyzer

    pack = Analyzer()
    cases: tuple[tuple[str, dict[str, Any], set[str]], ...] = (
        ("GrantPrivilegesToDatabaseRole", {}, set()),
        ("GrantPrivilegesToDatabaseRole", {"__defaults": []}, {"grants"}),
        ("Job", {"__defaults": []}, {"locked-down", "runs-as-principal", "one-name"}),
    )
    for kind, fields, wrong in cases:
        request = analyzer_pb2.AnalyzeRequest(urn=f"urn:pulumi:{LIVE}::quant::a::b", type=token(kind))
        request.properties.update(fields)
        request.options.protect = True
        assert {one.policyName for one in pack.Analyze(request, None).diagnostics} >= wrong
        assert bool(wrong) == bool(pack.Analyze(request, None).diagnostics)
    unknown = analyzer_pb2.AnalyzeRequest(urn=f"urn:pulumi:{LIVE}::quant::a::b", type="aws:s3/bucket:Bucket")
    assert "known-type" in {one.policyName for one in pack.Analyze(unknown, None).diagnostics}
    stack = analyzer_pb2.AnalyzeStackRequest()
    stack.resources.add(urn=f"urn:pulumi:{LIVE}::quant::a::b", type=token("Job"))
    assert not pack.AnalyzeStack(stack, None).diagnostics


def test_values_are_read_as_the_engine_sends_them() -> None:
    """An unknown value of each kind, a secret, and an output that is one of them or both."""
    signature = "4dabf18193072939515e22adb298388d"
    secret = {signature: "1b47061264138c4ac30d75fd1eb44270", "value": "hidden"}
    output = {signature: "d0e6a833031e9bbcd3f4e8bde6ca49a4"}
    assert plain({"a": ["04da6b54-80e4-46f7-96ec-b56ff0331ba9"], "b": secret, "__defaults": []}) == {
        "a": [UNKNOWN],
        "b": Secret("hidden"),
    }
    assert plain({**output, "value": "x"}) == "x"
    assert plain(output) is UNKNOWN
    assert plain({**output, "value": "x", "secret": True}) == Secret("x")
    assert "hidden" not in repr(Secret("hidden"))
    assert shown(Secret("hidden")) == "a secret" and shown(None) == "nothing" and shown(7.0) == "7"
    assert shown(UNKNOWN) == "a value not known yet" and shown(True) == "True" and shown(7.5) == "7.5"
    assert shown("https://me:hunter2@forge.example/") == "'https://(hidden)@forge.example/'"
    assert shown("x" * 198) == f"'{'x' * 198}'" and shown("x" * 199) == f"'{'x' * 199}..."


def test_identifiers_are_read_as_snowflake_reads_them() -> None:
    """What is not quoted is upper case; a quoted part may hold a dot and quotes."""
    assert identifier_parts('"Quant".quant_live') == ("Quant", "QUANT_LIVE")
    assert identifier_parts('"a.b"."c""d"') == ("a.b", 'c"d')
    assert identifier_parts(None) == () == identifier_parts(UNKNOWN)


def test_a_stack_that_is_no_environment_is_refused() -> None:
    """A fifth stack would have no names of its own."""
    for kind, props in ((STACK, {}), of(LIVE, "SecretScope")):
        found = list(judge.of_resource(f"urn:pulumi:production::quant::{kind}::x", kind, props, is_protected=True))
        assert "one-name" in {one.rule for one in found}
    for kind, props in [(STACK, {}), *(of(LIVE, variant) for variant in good(LIVE))]:
        found = list(judge.of_resource(f"urn:pulumi:production::quant::{kind}::x", kind, plain(props), is_protected=True))
        told = [one.message for one in found if one.rule != "plain-secrets"]  # which is the same everywhere
        assert all("allowed are quant, quant_stg, quant_lr, quant_live" in one for one in told), told
    assert judge.stack_of("urn:pulumi:quant_lr::quant::a$b::c") == "quant_lr"


def test_providers_go_where_the_environment_variables_say() -> None:
    """A default provider has a version and nothing else; one of the program's own is refused whatever it says."""
    kind = "pulumi:providers:databricks"
    assert providers.check(kind, {"version": "1", "host": None}, LIVE, "default_1") == []
    for key, value in (("host", "https://evil.example"), ("profile", "x"), ("token", Secret("x")), ("accountId", UNKNOWN)):
        assert providers.check(kind, {"version": "1", key: value}, LIVE, "default_1") == [
            f"provider databricks {key}: found {shown(value)}, expected nothing: host, account and credentials of quant_live"
            " come from environment variables. Take it out of the configuration."
        ]
    dynamic = "pulumi:providers:pulumi-python"
    assert providers.check(dynamic, {"version": "1", "quant:schedules": "live"}, LIVE, "default") == []
    assert providers.check(dynamic, {"host": "x"}, LIVE, "default") and providers.check(
        kind, {"quant:a": "b"}, LIVE, "default"
    )
    assert providers.check(kind, {"version": "1"}, LIVE, "mine") and providers.check(kind, {}, LIVE, "")
    assert providers.check(token("Job"), {"host": "x"}, LIVE, "mine") == []


def test_a_secret_is_marked_or_refused() -> None:
    """A plain one is refused without repeating it, by its name,
    by its look or by its place; a reference to a scope is none."""
    job_type, secret = token("Job"), token("Secret")
    for kind, props, words in (
        (job_type, job(LIVE, description=PEM), "Job description: found a private key"),
        (job_type, job(LIVE, tags={"password": "hunter2"}), "Job tags.password: found a plain value"),
        (job_type, job(LIVE, parameters=[{"name": "api_token", "default": "hunter2"}]), "Job parameters[0].default: found"),
        (job_type, job(LIVE, things=[{"key": "password", "value": "hunter2"}]), "Job things[0].value: found a plain value"),
        (job_type, job(LIVE, description=Secret(PEM)), "Write it into the secret scope"),
        (job_type, job(LIVE, description="glpat-0123456789abcdefghij"), "found a token or password"),
        (secret, {"key": "k", "stringValue": "hunter2"}, "Secret stringValue: found a plain value"),
        (secret, {"key": "k", "stringValue": PEM}, "found a private key; whoever may read the state"),
        (secret, {"key": "k", "stringValue": Secret(PEM)}, "found a private key; whoever may read the state"),
    ):
        [said] = plain_secrets.check(kind, props, LIVE)
        assert words in said and "hunter2" not in said
    for kind, props in (
        (secret, {"key": "k", "stringValue": Secret("a token")}),
        (job_type, job(LIVE, parameters=[{"name": "key", "default": "{{secrets/quant_live/snowflake_private_key}}"}])),
        (job_type, job(LIVE, parameters=[{"name": "api_token", "default": Secret("x")}])),
        (job_type, job(LIVE, parameters=Secret([{"name": "api_token", "default": "x"}]))),
        (job_type, job(LIVE, idempotencyToken="x", tags={"mustChangePassword": "x", "token": "true", "secret": ""})),
        (job_type, job(LIVE, tags={"token": "FALSE", "secret": "default"})),
    ):
        assert plain_secrets.check(kind, props, LIVE) == []


@pytest.fixture
def four(tmp_path: Path, configured: None) -> Path:
    """A folder with the four stack files, all different."""
    for stack in STACKS:
        stack_file(tmp_path, stack)
    return tmp_path


def test_four_stacks_are_four_identities(four: Path) -> None:
    """The committed files differ; what another stack has too is refused with both files, and a missing file is nothing."""
    for stack in STACKS:
        assert identities.check(STACK, stack) == identities.check(STACK, stack, four) == []
    (four / "Pulumi.quant_lr.yaml").unlink()
    assert identities.check(STACK, DEVELOPMENT, four) == []
    assert identities.check(token("Job"), DEVELOPMENT, four) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("servicePrincipal", PRINCIPALS[DEVELOPMENT].upper()),
        ("servicePrincipal", policy_shapes.DEPLOYER),
        ("deployer", PRINCIPALS[DEVELOPMENT]),
        ("folder", "/quant"),
        ("folder", "/Workspace/quant/"),
        ("folder", "/quant/quant_live"),
        ("schema", "QUANT"),
        ("branch", "quant"),
    ],
)
def test_what_two_stacks_have_in_common_is_refused(four: Path, key: str, value: str) -> None:
    """Judged in the other stack too, with the files and the key."""
    stack_files._config.cache_clear()
    stack_file(four, LIVE, **{key: value})
    said = "\n".join(identities.check(STACK, DEVELOPMENT, four))
    assert "Pulumi.quant.yaml" in said and "Pulumi.quant_live.yaml" in said and f"quant:{key}" in said


def test_what_cannot_be_read_is_unknown_and_refused(four: Path) -> None:
    """A stack file that is no YAML does not pass as one that differs."""
    for text in ("config: [", "config: [1]", "- a: &a [*a, *a"):
        stack_files._config.cache_clear()
        (four / "Pulumi.quant_live.yaml").write_text(text)
        [said] = identities.check(STACK, DEVELOPMENT, four)
        assert "Pulumi.quant_live.yaml" in said and "unknown" in said


def test_what_the_engine_says_wins_over_the_files(configured: None) -> None:
    """A value that was given on the command line is the one that is judged."""
    environments.configure(LIVE, {"quant:servicePrincipal": PRINCIPALS[DEVELOPMENT].upper()})
    mine = environments.named(LIVE)
    assert mine is not None and mine.principal == PRINCIPALS[DEVELOPMENT]
    assert any("quant:servicePrincipal: found" in one for one in identities.check(STACK, LIVE))


def test_what_the_configuration_does_not_say_is_refused(configured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a repository, a folder, a database or a principal nothing is anybody's own."""
    monkeypatch.delenv("QUANT_REMOTE")
    empty = dict.fromkeys(("quant:folder", "quant:database", "quant:servicePrincipal", "quant:warehouse"), "")
    environments.configure(LIVE, empty)
    for variant in (
        "Repo",
        "SecretAcl",
        "Schema",
        "Job",
        "GrantDatabaseRole",
        "GrantPrivilegesToAccountRole",
        "Permissions",
    ):
        assert policy_shapes.broken(LIVE, *of(LIVE, variant)), variant


PROGRAM = """
import json, pathlib, pulumi
def read(value):
    return pulumi.Output.secret(value["secret"]) if set(value) == {"secret"} else value
for number, (kind, inputs) in enumerate(json.loads(pathlib.Path("resources.json").read_text(), object_hook=read)):
    pulumi.CustomResource(kind, f"r{number}", inputs, pulumi.ResourceOptions(protect=True))
"""


def preview(
    team: Team, folder: Path, resources: list[tuple[str, dict[str, Any]]], pack: str = "policy/pack"
) -> subprocess.CompletedProcess[str]:
    """A program that declares `resources` in a stack quant_live, previewed with the policy pack."""
    folder.mkdir()
    virtualenv = ROOT / ".venv"
    (folder / "Pulumi.yaml").write_text(f"name: cases\nruntime: {{name: python, options: {{virtualenv: {virtualenv}}}}}\n")
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "resources.json").write_text(json.dumps(resources))
    backend = folder / "backend"
    backend.mkdir()
    said = {
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "QUANT_REMOTE": policy_shapes.REMOTE,
        "QUANT_GITLAB_URL": policy_shapes.GITLAB,
        "QUANT_GITLAB_PROJECT": "quant/pipelines",
    }
    environ = {**team.environ, **said}
    subprocess.run(["pulumi", "stack", "init", "quant_live"], cwd=folder, env=environ, check=True, capture_output=True)
    command = ["pulumi", "preview", "-s", "quant_live", "--policy-pack", str(ROOT / pack), "--non-interactive"]
    return subprocess.run(
        [*command, "--color", "never"], cwd=folder, env=environ, capture_output=True, text=True, timeout=180, check=False
    )


BAD: list[tuple[str, str, dict[str, Any]]] = [  # one for each rule that judges a resource
    ("known-type", "WorkspaceFile", {"path": "/quant_live/src/a.py", "contentBase64": "eA=="}),
    ("one-name", "Repo", {"url": "https://me:hunter2@evil.example/x.git"}),
    ("own-code", "Job", {"tasks": [{"taskKey": "a", "sparkPythonTask": {"pythonFile": "/Workspace/quant/a.py"}}]}),
    ("own-secret", "SecretAcl", {"principal": "users"}),
    ("locked-down", "Permissions", {"accessControls": [policy_shapes.group("quant-developers", "CAN_EDIT")]}),
    ("runs-as-principal", "Job", {"runAs": {"servicePrincipalName": PRINCIPALS[DEVELOPMENT]}}),
    ("one-owner", "Permissions of a job", {"accessControls": [policy_shapes.principal(PRINCIPALS[LIVE], "CAN_VIEW")]}),
    ("protected-branch", policy_shapes.BRANCH, {"mergers": ["everyone"]}),
    ("managed-access", "Schema", {"isTransient": "true"}),
    ("grants", "GrantPrivilegesToDatabaseRole", {"privileges": ["DELETE"]}),
    ("plain-secrets", "Secret", {"stringValue": "hunter2"}),
    ("default-provider", "pulumi:providers:databricks", {"host": "https://evil.example"}),
]


@pytest.mark.real
def test_every_rule_refuses_through_the_engine(team: Team, tmp_path: Path) -> None:
    """The real engine and providers: each broken input is refused with its rule's name."""
    done = preview(team, tmp_path / "bad", [changed(LIVE, variant, changes) for _, variant, changes in BAD])
    assert done.returncode != 0
    for rule in [*(rule for rule, _, _ in BAD), "owned-jobs", "own-ids", "one-runner"]:
        assert f" {rule} " in done.stdout, (rule, done.stdout)
    assert "hunter2" not in done.stdout


@pytest.mark.real
def test_every_rule_passes_through_the_engine(team: Team, tmp_path: Path) -> None:
    """The same resources done right: nothing is refused; what has an id of its own is tried by the program itself."""
    declared = [of(LIVE, variant) for variant in good(LIVE) if variant not in ("Job", "Permissions", "Permissions of a job")]
    done = preview(team, tmp_path / "good", declared, "policy")  # as an older engine starts it
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[mandatory]" not in done.stdout


@pytest.mark.real
def test_the_environments_keep_every_rule(team: Team) -> None:
    """The program itself, with the plain command; the fixture's `quantctl up` has judged all four."""
    for stack in (DEVELOPMENT, LIVE):
        done = team.pulumi("preview", "-s", stack, "--policy-pack", "policy")
        assert done.returncode == 0, done.stdout
        assert "quant@v1.0.0" in done.stdout and "[mandatory]" not in done.stdout


READER = """
from infra.sdk.databricks import SecretAcl
SecretAcl("foreign-reader", scope="quant_live", principal="{principal}", permission="READ")
"""


@pytest.mark.real
@pytest.mark.parametrize("way", ["a reader of the scope", "the principal of quant_live"])
def test_no_way_to_the_key_of_quant_live(team: Team, tmp_path: Path, way: str) -> None:
    """Code of stack quant declares itself a reader, or runs as quant_live's principal: nothing is sent,
    the key stays unread."""
    checkout = tmp_path / "checkout"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True)
    subprocess.run(["cp", "-r", *(str(ROOT / name) for name in ("infra", "policy")), str(checkout)], check=True)
    (checkout / ".venv").symlink_to(ROOT / ".venv")
    if way == "a reader of the scope":
        with (checkout / "__main__.py").open("a") as program:
            program.write(READER.format(principal=PRINCIPALS[DEVELOPMENT]))
    else:
        file = checkout / "Pulumi.quant.yaml"
        file.write_text(file.read_text().replace(PRINCIPALS[DEVELOPMENT], PRINCIPALS[LIVE]))
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        done = subprocess.run(
            ["pulumi", *command, "-s", DEVELOPMENT, "--policy-pack", "policy", "--non-interactive", "--color", "never"],
            cwd=checkout, env=team.environ, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode != 0, done.stdout
        words = " own-secret " if way == "a reader of the scope" else "quant:servicePrincipal: found"
        assert words in done.stdout + done.stderr
    refused = team.workspace("service_principal:quant")
    with pytest.raises(Exception, match=r"(?i)permission|not authorized|READ"):
        refused.secrets.get_secret("quant_live", "snowflake_private_key")
