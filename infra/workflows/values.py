"""What single values of a job may be: ranges, lengths, schedules, and values that the provider does not send. Pure."""

from __future__ import annotations

import unicodedata
import zoneinfo
from collections.abc import Iterator
from functools import cache
from typing import Any

from infra.workflows.cron import cron_problem
from infra.workflows.format import Field, Way, Wrong, walk
from infra.workflows.problems import one_of, quoted

_INT32, _EXACT = 2**31 - 1, 2**53 - 1  # the engine hands numbers over as floating point
# https://docs.databricks.com/api/workspace/jobs/create, and for clusters .../clusters/create
_RANGES = {
    "concurrency": (1, 100),
    "dbt_cloud_job_id": (1, _EXACT),
    "interval": (1, _INT32),
    "job_id": (1, _EXACT),
    "max_concurrent_runs": (0, 1000),
    "max_retries": (-1, _INT32),
    "max_workers": (1, 100_000),
    "num_workers": (0, 100_000),
    "spot_bid_price_percent": (0, 10_000),
    "value": (0, _EXACT),
}
_NAME, _DESCRIPTION, _TEXT = 4096, 27_700, 65_536
_MAY_BE_EMPTY = frozenset({"default", "left", "right", "value"})
# What the provider leaves out because it is zero or false, and what Databricks then takes: the struct of databricks-sdk-go
# says omitempty, and terraform-provider-databricks 1.126 forces num_workers alone (clusters, SetForceSendFieldsForCluster).
_NOT_SENT: dict[tuple[str, object], str] = {
    ("max_concurrent_runs", 0): "Databricks then takes 1; pause the schedule if the job shall not run",
    ("jobs", False): "Databricks then takes true",
    ("notebooks", False): "Databricks then takes true",
    ("run_as_repl", False): "Databricks then takes true, the only value that is still supported",
    ("min_workers", 0): "Databricks then has no lower bound; write 1 or more",
    ("local_ssd_count", 0): "Databricks then takes the node type's own number; leave it out or write 1 or more",
}


def bounds(key: str, of: str) -> tuple[int, int]:
    """The least and the greatest whole number at a key; what is not sent is not allowed."""
    low, high = _RANGES.get(key, (0, _INT32))
    return (1 if not low and _reason(key, of, 0) else low), high


def value_problems(job: Any) -> Iterator[Wrong]:
    """Every value of a checked job that would be refused later, or be another than the one that is written."""
    for way, of, field, value in walk(job):
        text = _problem(way, of, field, value)
        if text:
            yield Wrong(way, text)


def _reason(key: str, of: str, value: object) -> str | None:
    return _NOT_SENT.get((key, value)) if of.endswith(_TYPES_OF.get(key, "")) else None


def _problem(way: Way, of: str, field: Field, value: Any) -> str | None:
    key = next(step for step in reversed(way) if isinstance(step, str))
    if isinstance(value, str):
        return _text_problem(key, of, field, value)
    reason = _reason(key, of, value)
    if key == "num_workers" and value == 0 and "for_each_task" in way:
        reason = "within for_each_task; name a cluster of job_clusters instead (job_cluster_key)"
    if reason:
        return f"found {quoted(value)}, which the provider does not send: {reason}."
    if isinstance(value, int) and not isinstance(value, bool):
        low, high = _RANGES.get(key, (0, _INT32))
        if not low <= value <= high:
            return f"found {quoted(int(value))}, expected {low} to {high}."
    return None


_TYPES_OF = {"jobs": "WorkloadTypeClients", "notebooks": "WorkloadTypeClients", "min_workers": "Autoscale"}


def _text_problem(key: str, of: str, field: Field, value: str) -> str | None:
    if not value and field.within == "list":
        return "found an empty text, which the provider cannot send in a list; leave it out, or write --name=."
    if field.required and not value and key not in _MAY_BE_EMPTY:
        return "found an empty text."
    if key == "quartz_cron_expression" and (said := cron_problem(value)):
        return f"found {quoted(value)}: {said}."
    if key == "timezone_id" and not _is_zone(value):
        return f"found {quoted(value)}, which is no time zone; {one_of(value, _zones())}"
    longest = _NAME if (of, key) == ("Job", "name") else _DESCRIPTION if key == "description" else _TEXT
    if len(value.encode()) > longest:
        return f"found a text of {len(value.encode())} bytes, at most {longest} are kept."
    if "\0" in value:
        return f"found {quoted(value)}, which holds a NUL character."
    if (of, key) == ("Job", "name"):
        bad = next((c for c in value if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")), None)
        if bad is not None and bad != "\u200d":  # joins the parts of an emoji
            return f"found {quoted(value)}, which holds the invisible character U+{ord(bad):04X}."
        if not value.strip():
            return f"found {quoted(value)}, expected a name."
    return None


def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return not _zones()  # no zone is known on this machine, so nothing can be said
    return True


@cache
def _zones() -> list[str]:
    return sorted(zoneinfo.available_timezones())
