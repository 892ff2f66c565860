"""What a limited release adds to a job: limiting parameters, a stricter health rule, people who are told. Pure."""

from __future__ import annotations

import datetime
from typing import Any

from infra.settings import LimitedRelease

Json = dict[str, Any]
_DURATION = "RUN_DURATION_SECONDS"


def limit(job: Json, release: LimitedRelease) -> None:
    """Change the job in place."""
    parameters = {parameter["name"]: parameter for parameter in job.get("parameters") or []}
    parameters |= {name: {"name": name, "default": value} for name, value in release.parameters.items()}
    job["parameters"] = list(parameters.values())
    told = {"on_failure": release.notify}
    if release.max_duration_seconds is not None:
        rules = (job.get("health") or {}).get("rules") or []
        own = [rule["value"] for rule in rules if rule.get("metric") == _DURATION]
        strictest = min([release.max_duration_seconds, *own])
        others = [rule for rule in rules if rule.get("metric") != _DURATION]
        job["health"] = {"rules": [*others, {"metric": _DURATION, "op": "GREATER_THAN", "value": strictest}]}
        told["on_duration_warning_threshold_exceeded"] = release.notify
    if release.notify:
        mails = job.setdefault("email_notifications", {})
        for when, people in told.items():
            mails[when] = sorted({*(mails.get(when) or []), *people})


def warning(release: LimitedRelease | None, today: datetime.date) -> str | None:
    """What a preview says when the limited release should have ended."""
    if release is None or release.until is None or today <= release.until:
        return None
    return (
        f"Pulumi.quant_lr.yaml: quant:limitedRelease.until: found {release.until}, which is in the past: promote the limited"
        " release to quant_live, or end it; or move the date."
    )
