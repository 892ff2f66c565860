"""Where a job or a folder is named, its page in the workspace is one step away."""

from __future__ import annotations

import pytest

from quantctl.drift.finding import Class, EnvironmentDrift, Finding, Fix
from quantctl.drift.formats import as_markdown
from quantctl.drift.pages import with_pages
from quantctl.drift.steps import Step
from quantctl.preview import events
from quantctl.preview.events import Events
from quantctl.preview.note import note, section
from quantctl.preview.story import tell
from quantctl.text.links import folder_page, job_page

HOST = {"DATABRICKS_HOST": "https://adb-1.azuredatabricks.test/"}


@pytest.mark.parametrize(
    ("host", "page"),
    [
        ("https://adb-1.azuredatabricks.test/", "https://adb-1.azuredatabricks.test/jobs/5"),
        ("adb-1.azuredatabricks.test", "https://adb-1.azuredatabricks.test/jobs/5"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/jobs/5"),
        ("", ""),
        ("https://me:secret@adb-1.test", ""),  # a link is shown to others
        ("javascript://x", ""),
    ],
)
def test_a_page_is_the_workspaces_own(host: str, page: str) -> None:
    """Nothing where the address is not known, or is more than an address."""
    assert job_page({"DATABRICKS_HOST": host}, 5) == page


def step(kind: str, number: str) -> Step:
    return Step(f"urn:pulumi:quant::quant::databricks:index/x:{kind}::{number}", {}, {}, {}, id=number)


@pytest.mark.parametrize(
    ("kind", "number", "page"),
    [
        ("Job", "5", job_page(HOST, 5)),
        ("Permissions", "/jobs/5", job_page(HOST, 5)),
        ("Repo", "7", folder_page(HOST, 7)),
        ("Permissions", "/repos/7", folder_page(HOST, 7)),
        ("Permissions", "/directories/7", ""),
        ("SecretScope", "quant", ""),
        ("Job", "", ""),
    ],
)
def test_a_finding_leads_to_its_object(kind: str, number: str, page: str) -> None:
    """Of what is neither a job nor a folder there is no page that we know."""
    one = step(kind, number)
    finding = Finding("quant", Class.DRIFT, "it", "name", "a", "b", Fix("pulumi up"), one.urn)
    [found] = with_pages(EnvironmentDrift("quant", (finding,)), [one], HOST).findings
    assert found.page == page
    assert (f"| [it]({page}) |" in as_markdown([EnvironmentDrift("quant", (found,))])) is bool(page)


def moves(kind: str, name: str, number: str, op: str = "update", **new: object) -> events.Step:
    return events.Step(op, f"urn::{name}", f"databricks:{kind}", name, {"x": 1}, {"x": 2, **new}, id=number)


def test_a_preview_leads_to_the_jobs_and_the_folder() -> None:
    """In a note the names are links; on a terminal the addresses stand below, once each; a new job has none yet."""
    steps = (
        moves("Repo", "folder", "7", commitHash="b" * 40),
        moves("Job", "prices", "5"),
        moves("Permissions", "job/prices", "/jobs/5"),
        moves("Permissions", "job/returns", "/jobs/6", accessControls=[{"groupName": "uat", "permissionLevel": "CAN_RUN"}]),
        moves("Job", "exposure", "", op="create"),
    )
    story = tell("quant", Events(steps, failed=False), None, environ=HOST)
    text = note([story])
    assert f"[**Code**]({folder_page(HOST, 7)})" in text
    assert f"- changed [`prices`]({job_page(HOST, 5)})" in text
    assert f"jobs ([`returns`]({job_page(HOST, 6)}))" in text
    assert "- added `exposure`\n" in text
    shown = section(story)
    assert "](" not in shown
    assert [shown.count(page) for page in (folder_page(HOST, 7), job_page(HOST, 5), job_page(HOST, 6))] == [1, 1, 1]


def test_a_preview_without_an_address_has_no_links() -> None:
    """Nor has one in which nothing changes."""
    steps = (moves("Repo", "folder", "7", commitHash="b" * 40), moves("Job", "prices", "5"))
    story = tell("quant", Events(steps, failed=False), None)
    assert "](" not in note([story])
    assert "In the workspace" not in section(story)
    same = tell("quant", Events((moves("Job", "prices", "5", op="same"),), failed=False), None, environ=HOST)
    assert "In the workspace" not in section(same)
