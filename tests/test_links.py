"""Where a job or a folder is named, its page in the workspace is one step away."""

from __future__ import annotations

import pytest

from quantctl.drift.finding import Class, EnvironmentDrift, Finding, Fix
from quantctl.drift.formats import as_markdown
from quantctl.drift.pages import with_pages
from quantctl.drift.steps import Step
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
