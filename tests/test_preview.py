"""Notes of previews without an engine: what is said, what is hidden, what is left out, and that nobody can forge them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from infra.vocabulary import Environment
from quantctl.errors import UserError
from quantctl.preview import access, events, fields
from quantctl.preview.access import Direction
from quantctl.preview.events import Events, Step, Violation
from quantctl.preview.fields import Field
from quantctl.preview.formats import as_json, widget
from quantctl.preview.merge_request import MergeRequest, merge_request
from quantctl.preview.note import SMALLEST, note
from quantctl.preview.posting import MARKER, post
from quantctl.preview.redact import HIDDEN, Redactor, secret_values
from quantctl.preview.run import Wanted
from quantctl.preview.show import choose, exit_status
from quantctl.preview.story import Change, Commits, Story, tell
from quantctl.text.markdown import code, fenced
from tests.paths import ROOT

RECORDED = ROOT / "tests" / "golden" / "preview_all.jsonl"
MARKDOWN = MarkdownIt("commonmark").enable("table")
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
EVIL = "`</details>` @dana\n/close\n```\n# no | ![x](http://x.example) <script>\u202e\x1b[1m #1 !2"


def step(op: str, kind: str, name: str, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None) -> Step:
    """A step as it is read."""
    return Step(op, f"urn:pulumi:quant_stg::quant::{kind}::{name}", kind, name, old or {}, new or {})


def line(op: str, kind: str, name: str, old: dict[str, Any], new: dict[str, Any], **more: Any) -> str:
    """A step as the engine tells it; `outputs` are the old ones."""
    states = {"old": {"inputs": old, "outputs": more.pop("outputs", {})}, "new": {"inputs": new, "outputs": {}}}
    metadata = {"op": op, "urn": f"urn:pulumi:quant_stg::quant::{kind}::{name}", "type": kind, **states, **more}
    return json.dumps({"resourcePreEvent": {"metadata": metadata}})


def entries(**levels: str) -> dict[str, Any]:
    return {"accessControls": [{"groupName": group, "permissionLevel": level} for group, level in levels.items()]}


# What is said


def test_a_recorded_preview_is_told_as_in_the_golden_note() -> None:
    """The same words as the real engine's note, from its recorded events."""
    read = events.read(RECORDED.read_text().splitlines(), Redactor())
    assert not read.failed
    text = note([tell("quant_stg", read, None, environ={"DATABRICKS_HOST": "http://127.0.0.1:1"})])
    text = re.sub(r"\(http://127.0.0.1:1/(jobs|browse/folders)/\d+\)", r"(WORKSPACE/\1/ID)", text)
    kept = (ROOT / "tests" / "golden" / "preview_all.md").read_text()
    for heading in ("**Workflows**", "**Schema**"):
        part = kept[kept.index(heading) :].partition("\n\n")[0]
        assert len(part.splitlines()) > 1
        assert part in text
    for words in ("ACCESS IS WIDENED", "`quant-developers`: jobs", "`CAN_VIEW` → `CAN_MANAGE_RUN`", "Access is narrowed"):
        assert words in text


def test_fields_are_found_by_name() -> None:
    """A task that comes first moves no other; a field of one task is named with it."""
    old = {"timeoutSeconds": 60, "tasks": [{"taskKey": "b", "maxRetries": 1}, {"taskKey": "c"}]}
    new = {"tasks": [{"taskKey": "a"}, {"taskKey": "b", "maxRetries": 2, "dependsOns": [{"taskKey": "a"}]}]}
    assert fields.changed(step("update", "databricks:Job", "x", old, new)) == (
        Field("tasks[a]", None, '{"taskKey": "a"}'),
        Field("tasks[b].depends_on", None, '[{"taskKey": "a"}]'),
        Field("tasks[b].max_retries", "1", "2"),
        Field("tasks[c]", '{"taskKey": "c"}', None),
        Field("timeout_seconds", "60", None),
    )


def test_items_of_a_list_are_told_alone() -> None:
    """Of a long list of arguments only what comes and goes is shown; another order is shown whole."""
    old, new = {"parameters": ["--a", "--b", "--c"]}, {"parameters": ["--a", "--c", "--d"]}
    assert fields.changed(step("update", "x:X", "x", old, new)) == (Field("parameters[]", "--b", "--d"),)
    turned = {"parameters": ["--c", "--b", "--a"]}
    [found] = fields.changed(step("update", "x:X", "x", old, turned))
    assert (found.old, found.new) == ('["--a", "--b", "--c"]', '["--c", "--b", "--a"]')


def test_a_real_thing_that_differs_is_told() -> None:
    """After a refresh inputs may be the same, and the real value differs: that one is the old value."""
    found = Step(
        "update", "u", "snowflake:Schema", "schema", {"comment": "a"}, {"comment": "a"}, {"comment": "b"}, ("comment",)
    )
    assert fields.changed(found) == (Field("comment", "b", "a"),)


PERMISSIONS, SECRET_ACL = "databricks:Permissions", "databricks:SecretAcl"
GRANT, ADDRESSES = "snowflake:GrantPrivilegesToDatabaseRole", "snowflake:NetworkPolicy"


def secret_level(level: str) -> dict[str, Any]:
    return {"principal": "p", "permission": level}


def grant(*privileges: str) -> dict[str, Any]:
    return {"databaseRoleName": "r", "privileges": list(privileges)}


TO_ROLE = "snowflake:GrantPrivilegesToAccountRole"


def on_warehouse(*privileges: str) -> dict[str, Any]:
    on = {"objectType": "WAREHOUSE", "objectName": "QUANT_WH"}
    return {"accountRoleName": "QUANT_SVC", "privileges": list(privileges), "onAccountObject": on}


@pytest.mark.parametrize("kind", ["snowflake:GrantAccountRole", "snowflake:GrantDatabaseRole"])
def test_a_role_that_somebody_gets_is_widened_access(kind: str) -> None:
    """Given to a user or to another role; taken away it is narrowed."""
    held = {"roleName": "QUANT_SVC", "userName": "DANA"} if "Account" in kind else {
        "databaseRoleName": '"QUANT"."QUANT_READER"', "parentRoleName": "QUANT_DEVELOPERS"}  # fmt: skip
    [come] = access.changes([Step("create", "u", kind, "g", {}, held, {}, ())], {})
    [gone] = access.changes([Step("delete", "u", kind, "g", held, {}, {}, ())], {})
    assert (come.direction, gone.direction) == (Direction.WIDENED, Direction.NARROWED)
    assert come.who == held.get("userName", held.get("parentRoleName"))


def allowed(*addresses: str) -> dict[str, Any]:
    return {"allowedIpLists": list(addresses)}


@pytest.mark.parametrize(
    ("kind", "old", "new", "direction"),
    [
        (PERMISSIONS, entries(a="CAN_READ"), entries(a="CAN_MANAGE"), Direction.WIDENED),
        (PERMISSIONS, entries(a="CAN_MANAGE"), entries(a="CAN_RUN"), Direction.NARROWED),
        (PERMISSIONS, entries(), entries(a="CAN_VIEW"), Direction.WIDENED),
        (PERMISSIONS, entries(a="CAN_VIEW"), entries(), Direction.NARROWED),
        (PERMISSIONS, entries(a="CAN_VIEW"), entries(a="CAN_NEW_WORD"), Direction.WIDENED),
        (SECRET_ACL, secret_level("READ"), secret_level("MANAGE"), Direction.WIDENED),
        (SECRET_ACL, secret_level("WRITE"), secret_level("READ"), Direction.NARROWED),
        (GRANT, grant("SELECT"), grant("INSERT", "SELECT"), Direction.WIDENED),
        (GRANT, grant("INSERT", "SELECT"), grant("SELECT"), Direction.NARROWED),
        (GRANT, grant("SELECT"), grant("INSERT"), Direction.WIDENED),
        (TO_ROLE, on_warehouse("USAGE"), on_warehouse("OPERATE", "USAGE"), Direction.WIDENED),
        (TO_ROLE, on_warehouse(), on_warehouse("USAGE"), Direction.WIDENED),
        (TO_ROLE, on_warehouse("USAGE"), on_warehouse(), Direction.NARROWED),
        (TO_ROLE, on_warehouse("USAGE"), {**on_warehouse(), "allPrivileges": True}, Direction.WIDENED),
        (ADDRESSES, allowed("10.0.0.0/8"), allowed("10.0.0.0/8", "192.0.2.1"), Direction.WIDENED),
        (ADDRESSES, allowed("10.0.0.0/8", "192.0.2.1"), allowed("10.0.0.0/8"), Direction.NARROWED),
    ],
)
def test_access_has_a_direction(kind: str, old: dict[str, Any], new: dict[str, Any], direction: Direction) -> None:
    """More is widened, less is narrowed, and what cannot be compared counts as widened."""
    [change] = access.changes([step("update", kind, "folder", old, new)], {})
    assert change.direction is direction


def test_grants_and_addresses_come_and_go() -> None:
    """A new grant widens, one that goes narrows; a list of addresses narrows who may log in."""
    held = {"databaseRoleName": '"QUANT"."QUANT_STG_READER"', "parentRoleName": "QUANT_UAT_TESTERS"}
    [come] = access.changes(
        [step("create", "snowflake:GrantDatabaseRole", "x", new=held)], {"QUANT_UAT_TESTERS": "uatTesters"}
    )
    assert (come.who, come.old, come.new) == ("QUANT_UAT_TESTERS (uatTesters)", "nothing", "QUANT_STG_READER")
    assert come.direction is Direction.WIDENED
    [gone] = access.changes([step("delete", "snowflake:GrantDatabaseRole", "x", old=held)], {})
    assert gone.direction is Direction.NARROWED
    [policy] = access.changes([step("create", "snowflake:NetworkPolicy", "x", new={"allowedIpLists": ["10.0.0.0/8"]})], {})
    assert (policy.old, policy.direction) == ("any address", Direction.NARROWED)


def test_what_would_be_lost_is_said() -> None:
    """A schema that goes takes its tables along, unless it is retained."""
    gone = step("delete", "snowflake:Schema", "schema", {"name": "QUANT_STG"})
    assert "tables and views in it are lost" in note([tell("quant_stg", Events((gone,), failed=False), None)])
    kept = Step("delete", "u", "snowflake:Schema", "schema", {"name": "QUANT_STG"}, {}, retained=True)
    text = note([tell("quant_stg", Events((kept,), failed=False), None)])
    assert "lost" not in text and "left alone" in text


def test_a_first_deployment_is_no_alarm() -> None:
    """Where everything is made, nobody's access is widened."""
    steps = (
        step("create", "pulumi:Stack", "s"),
        step("create", "databricks:Permissions", "folder", new=entries(a="CAN_READ")),
    )
    text = note([tell("quant", Events(steps, failed=False), None)])
    assert "first deployment" in text and "WIDENED" not in text


def test_policies_and_failures_have_a_status() -> None:
    """0 fine, 3 refused by a policy, 1 when it is not known what would happen, which is the worst."""
    fine = tell("quant", Events(failed=False), None)
    broken = tell("quant_live", Events(violations=(Violation("locked-down", "job/x", "no", True),)), None)
    warned = tell("quant_lr", Events(violations=(Violation("locked-down", "job/x", "no", False),), failed=False), None)
    dead = tell("quant_stg", Events(errors=("Git does not answer",)), None)
    assert [exit_status(each) for each in ([fine, warned], [fine, broken], [broken, dead])] == [0, 3, 1]
    text = note([fine, broken, warned, dead])
    for words in ("refused by a policy: quant_live", "no preview of quant_stg", "Git does not answer", "Policies warn"):
        assert words in text


def test_formats_for_programs() -> None:
    """GitLab's widget counts a replacement as both; the JSON is whole."""
    story = tell(
        "quant", Events((step("replace", "snowflake:Schema", "schema"), step("create", "a:B", "x")), failed=False), None
    )
    assert json.loads(widget([story, story])) == {"create": 4, "update": 0, "delete": 2}
    assert json.loads(as_json([story]))["environments"][0]["losses"]


# What is hidden


def test_an_old_value_of_a_new_secret_is_hidden() -> None:
    """pulumi/pulumi #9330: the engine prints what became secret only now."""
    plain = {"thing": "was-plain-before"}
    told = line("update", "x:index:X", "x", plain, {"thing": SECRET}, outputs=plain, detailedDiff={"thing": {}})
    read = events.read([told], Redactor())
    text = note([tell("quant", read, None)]) + as_json([tell("quant", read, None)])
    assert "was-plain-before" not in text
    assert "`thing`: changes" in text or HIDDEN in text


def test_secrets_are_hidden_wherever_they_stand() -> None:
    """By the property's name, its neighbour's, the text's shape, and the values that this process holds."""
    held = secret_values(
        {"GITLAB_TOKEN": "held-by-this-process", "SNOWFLAKE_PRIVATE_KEY_PATH": "/keys/a-path", "SHORT_TOKEN": "abc"}
    )
    assert held == {"held-by-this-process"}
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq\n-----END PRIVATE KEY-----"
    old = {"password": "by-its-name", "parameters": [{"name": "api_token", "default": "by-its-neighbour"}]}
    new = {
        "a": f"x {key} y",
        "b": "dapi0123456789abcdef0123",
        "c": "https://dana:by-its-place@x.example",
        "d": "so held-by-this-process is",
        "e": "{{secrets/quant/password}}",
        "token": "{{secrets/quant/password}}",
    }
    read = events.read(
        [
            line("update", "x:index:X", "x", old, new),
            json.dumps({"diagnosticEvent": {"severity": "error", "message": "held-by-this-process failed"}}),
            json.dumps(
                {"policyEvent": {"policyName": "p", "message": "dapi0123456789abcdef0123", "enforcementLevel": "mandatory"}}
            ),
        ],
        Redactor(held),
    )
    shown = note([tell("quant", read, None)]) + as_json([tell("quant", read, None)])
    for secret in ("by-its-name", "by-its-neighbour", "MIIEvQ", "dapi0", "by-its-place", "held-by-this-process"):
        assert secret not in shown
    assert "{{secrets/quant/password}}" in shown


def test_a_changed_secret_is_told_without_its_value() -> None:
    """That the key changes is worth knowing."""
    value = {"stringValue": SECRET}
    told = line("update", "databricks:index:Secret", "key", value, value, detailedDiff={"stringValue": {}})
    assert "`string_value`: changes; the value is not shown" in note([tell("quant", events.read([told], Redactor()), None)])


# Nobody can forge it


def tokens(markdown: str) -> list[str]:
    """The types of everything inline, text that is empty left out."""
    found = [
        child
        for token in MARKDOWN.parse(markdown)
        for child in token.children or []
        if child.type != "text" or child.content
    ]
    return [child.type for child in found]


@given(st.text())
def test_a_code_span_holds_everything(text: str) -> None:
    """Whatever a user wrote is one code span, in a list and at the beginning of a paragraph."""
    assert tokens(f"- {code(text)}\n") == tokens(f"{code(text)}\n") == ["code_inline"]


@given(st.lists(st.text(), min_size=1))
def test_a_fence_holds_everything(lines: list[str]) -> None:
    """Whatever the engine said is one code block, in which no line begins with a slash."""
    [block] = MARKDOWN.parse(fenced(lines, "diff"))
    assert block.type == "fence"
    assert not any(each.startswith("/") for each in block.content.splitlines())


def test_a_note_cannot_be_forged() -> None:
    """Names, subjects, values and messages that try: no link, image, mention or heading of theirs, no folding undone."""
    story = Story(
        "quant",
        what_if=EVIL,
        commits=Commits("a" * 40, "b" * 40, subjects=(("bbbbbbb", EVIL),), files=(EVIL,)),
        workflows=(Change("changed", "workflow", EVIL, (Field(EVIL, EVIL, EVIL),), (f"tasks: {EVIL}",)),),
        access=(access.AccessChange(EVIL, EVIL, (EVIL,), EVIL, EVIL, Direction.WIDENED),),
        counts={"changed": 2},
        violations=(Violation(EVIL, EVIL, EVIL, True),),
        warnings=(EVIL,),
        errors=(EVIL,),
        failed=True,
        raw=(EVIL, f"- {EVIL}"),
    )
    text = note([story])
    parsed = MARKDOWN.parse(text)
    inline = [child for token in parsed for child in token.children or []]
    assert not {"link_open", "image"} & {child.type for child in inline}
    assert {child.content for child in inline if child.type == "html_inline"} <= {"<sub>", "</sub>"}
    html = "".join(token.content for token in parsed if token.type == "html_block")
    assert html.count("</details>") == html.count("<details>") == 1
    assert not any("@dana" in child.content for child in inline if child.type == "text")
    assert sum(token.type == "heading_open" for token in parsed) == 2
    assert not any(each.startswith("/") for each in text.splitlines())


# What is left out


def big(number: int) -> Story:
    """An environment in which very much changes."""
    changes = tuple(
        Change(
            "changed",
            "workflow",
            f"workflow_{i}",
            tuple(Field(f"field_{j}", f"{i}" + "x" * 99, "y" * 99) for j in range(20)),
        )
        for i in range(number)
    )
    return Story(
        "quant_stg",
        commits=Commits("a" * 40, "b" * 40, subjects=tuple(("abcdef0", f"Commit {i}") for i in range(number))),
        workflows=changes,
        access=(access.AccessChange("everybody", "folder", (), "nothing", "CAN_MANAGE", Direction.WIDENED),),
        counts={"changed": number},
        raw=tuple(f"~ line {i} {'z' * 100}" for i in range(number * 30)),
        failed=False,
    )


@pytest.mark.parametrize("limit", [SMALLEST, 8000, 2500, 900])
@pytest.mark.parametrize("number", [1, 40, 400])
def test_a_note_fits_and_says_what_is_left_out(number: int, limit: int) -> None:
    """However much changes and however small the limit, the summary stands first, and nothing goes without a word."""
    text = note([big(number)], limit, "https://x.example/1")
    assert len(text) <= limit
    assert text.startswith("### Preview: quant_stg would change; ACCESS IS WIDENED in quant_stg")
    assert "**WIDENED**" in text
    if f"field_19`: `{number - 1}{'x' * 99}` → `{'y' * 99}`" not in text or f"line {number * 30 - 1} " not in text:
        assert "left out" in text
        assert "quantctl preview" in text and "--format json" in text


@settings(deadline=None)
@given(st.integers(700, 5000), st.integers(0, 20))
def test_every_limit_is_kept(limit: int, number: int) -> None:
    """No length in between is too long."""
    assert len(note([big(number)] * 2, limit)) <= limit


# Which stacks, and where it goes

_GITLAB = {
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "quant_stg",
    "CI_COMMIT_SHA": "a" * 40,
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "",
    "CI_PIPELINE_URL": "https://gitlab.example/p/1",
}


def test_a_pipeline_says_which_merge_request_it_is_for(tmp_path: Path) -> None:
    """GitLab's and GitHub's variables; for merged results the source's own commit, not the merge that exists nowhere."""
    assert merge_request(_GITLAB) == MergeRequest(7, "quant_stg", "a" * 40, "https://gitlab.example/p/1")
    assert merge_request({**_GITLAB, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "b" * 40}).source == "b" * 40
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": {"sha": "c" * 40}}}))
    github = {"GITHUB_BASE_REF": "quant_live", "GITHUB_REF": "refs/pull/9/merge"}
    assert merge_request(github) == MergeRequest(9, "quant_live", "refs/pull/9/head")
    assert merge_request({**github, "GITHUB_EVENT_PATH": str(event)}).source == "c" * 40
    assert merge_request({}) == MergeRequest()


def test_a_merge_request_touches_its_target() -> None:
    """In its pipeline the one environment, as after the merge; of another branch or elsewhere all four, as they are."""
    request = merge_request(_GITLAB)
    assert choose([], None, request, None) == [Wanted("quant_stg", "a" * 40)]
    assert choose([], None, MergeRequest(7, "main", "a" * 40), None) == [Wanted(str(env)) for env in Environment]
    assert choose([Environment.LIVE, Environment.STAGING], None, request, None) == [
        Wanted("quant_live"),
        Wanted("quant_stg", "a" * 40),
    ]
    assert choose([Environment.DEV], "!7", MergeRequest(), None) == [Wanted("quant", "!7")]
    with pytest.raises(UserError, match="whose branch moves"):
        choose([], "x", MergeRequest(), None)
    with pytest.raises(UserError, match="one environment's"):
        choose([], None, MergeRequest(), Path("x"))


class FakeForge:
    """A forge with one merge request."""

    merge_requests = True

    def __init__(self) -> None:
        self.notes: dict[tuple[int, str], str] = {}

    def post_note(self, merge_request: int, marker: str, text: str) -> str:
        self.notes[(merge_request, marker)] = text
        return f"https://gitlab.example/merge_requests/{merge_request}#note_1"


def test_the_note_is_posted_or_it_is_said_why_not() -> None:
    """One note, with one marker; without a forge that is said, without a number it is asked for."""
    forge = FakeForge()
    assert "merge_requests/7#note_1" in post(forge, 7, "a")
    post(forge, 7, "b")
    assert forge.notes == {(7, MARKER): "b"}
    assert "Not posted" in post(None, 7, "a")
    with pytest.raises(UserError, match="--merge-request 7"):
        post(forge, None, "a")
