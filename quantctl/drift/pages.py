"""The page of the workspace on which a finding can be looked at: the job's, or the Git folder's. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from quantctl.drift.finding import EnvironmentDrift
from quantctl.drift.steps import Step
from quantctl.text.links import resource_page


def with_pages(found: EnvironmentDrift, steps: Iterable[Step], environ: Mapping[str, str]) -> EnvironmentDrift:
    """The same findings, those of a job or folder with its page."""
    pages = {step.urn: page for step in steps if (page := resource_page(environ, step.type, step.id))}
    findings = tuple(replace(one, page=pages.get(one.urn, "")) for one in found.findings)
    return EnvironmentDrift(found.environment, findings, found.notes)
