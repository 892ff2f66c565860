"""Values of job settings that the product checks beyond their type. https://docs.databricks.com/api/workspace/jobs/create"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from zoneinfo import available_timezones

from sandbox.workspace import fields
from sandbox.workspace.errors import invalid
from sandbox.workspace.fields import Json

_PAUSE = ("PAUSED", "UNPAUSED")
_SOURCES = ("GIT", "WORKSPACE")
_WORDS: dict[str, tuple[str, ...]] = {  # field, or holder.field -> what may stand there
    "schedule.pause_status": _PAUSE,
    "trigger.pause_status": _PAUSE,
    "continuous.pause_status": _PAUSE,
    "edit_mode": ("EDITABLE", "UI_LOCKED"),
    "format": ("MULTI_TASK", "SINGLE_TASK"),
    "performance_target": ("PERFORMANCE_OPTIMIZED", "STANDARD"),
}
_TASK_WORDS: dict[str, tuple[str, ...]] = {
    "run_if": ("ALL_SUCCESS", "ALL_DONE", "NONE_FAILED", "AT_LEAST_ONE_SUCCESS", "ALL_FAILED", "AT_LEAST_ONE_FAILED"),
    "notebook_task.source": _SOURCES,
    "spark_python_task.source": _SOURCES,
    "sql_task.file.source": _SOURCES,
    "dbt_task.source": _SOURCES,
    "condition_task.op": (
        "EQUAL_TO", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL",
    ),
}  # fmt: skip
_METRICS = (
    "RUN_DURATION_SECONDS", "STREAMING_BACKLOG_BYTES", "STREAMING_BACKLOG_FILES", "STREAMING_BACKLOG_RECORDS",
    "STREAMING_BACKLOG_SECONDS",
)  # fmt: skip
_EVENTS = ("on_start", "on_success", "on_failure", "on_duration_warning_threshold_exceeded", "on_streaming_backlog_exceeded")
_WEBHOOKS = 3  # of one event
_TRIGGERS = ("schedule", "trigger", "continuous")
# Quartz: http://www.quartz-scheduler.org/documentation/quartz-2.3.0/tutorials/crontrigger.html
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_CRON: tuple[tuple[int, int, tuple[str, ...]], ...] = (
    (0, 59, ()), (0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (1, 7, _DAYS), (1970, 2099, ()),
)  # fmt: skip
_SPECIAL = {3: re.compile(r"L(-\d{1,2})?|LW|\d{1,2}W"), 5: re.compile(r"L|\w{1,3}L|\w{1,3}#[1-5]")}
_zones = cache(available_timezones)
_OFFSET = re.compile(r"(UTC|GMT|UT)([+-]\d{1,2}(:\d{2})?)?|Z")


def check(settings: Json, tasks: list[Json]) -> None:
    """Refuse words that there are not, schedules that never come, and notifications that reach nobody."""
    _words(settings, _WORDS)
    given = [name for name in _TRIGGERS if settings.get(name)]
    if len(given) > 1:
        raise invalid(f"Only one of {', '.join(_TRIGGERS)} can be specified; found {', '.join(given)}.")
    _schedule(settings.get("schedule") or {})
    for holder in (settings, *tasks):
        _notifications(holder)
        for rule in fields.mappings("rules", (holder.get("health") or {}).get("rules")):
            _one_of("health.rules.metric", rule.get("metric"), _METRICS)
            _one_of("health.rules.op", rule.get("op"), ("GREATER_THAN",))
    for task in tasks:
        _words(task, _TASK_WORDS)


def check_keys(settings: Json, tasks: list[Json]) -> None:
    """Refuse tasks that name a job cluster or an environment that the job has not."""
    for key, array in (("job_cluster_key", "job_clusters"), ("environment_key", "environments")):
        known = [str(one.get(key)) for one in settings.get(array) or []]
        if len(set(known)) < len(known):
            raise invalid(f"Each {key} in {array} must be unique.")
        for task in tasks:
            if task.get(key) and str(task[key]) not in known:
                raise invalid(f"Task {task['task_key']}: {key} '{task[key]}' is not defined in {array}.")


def _words(holder: Json, allowed: dict[str, tuple[str, ...]]) -> None:
    for path, words in allowed.items():
        value: object = holder
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            _one_of(path, value, words)


def _one_of(name: str, value: object, words: tuple[str, ...]) -> None:
    if value not in words:
        raise invalid(f"{name} is {value!r}; it must be one of {', '.join(words)}.")


def _schedule(schedule: Json) -> None:
    if not schedule:
        return
    for name in ("quartz_cron_expression", "timezone_id"):
        if not schedule.get(name):
            raise invalid(f"Missing required field: schedule.{name}")
    expression, zone = (fields.text(name, schedule[name]) for name in ("quartz_cron_expression", "timezone_id"))
    if not _is_cron(expression):
        raise invalid(f"Invalid quartz cron expression: '{expression}'.")
    if zone not in _zones() and not _OFFSET.fullmatch(zone):
        raise invalid(f"Invalid timezone_id: '{zone}'.")


def _is_cron(expression: str) -> bool:
    parts = expression.upper().split()
    if len(parts) not in (6, 7) or (parts[3] == "?") == (parts[5] == "?"):
        return False  # either the day of the month or the day of the week is said
    return all(all(_is_item(number, item) for item in part.split(",")) for number, part in enumerate(parts))


def _is_item(number: int, item: str) -> bool:
    if number in _SPECIAL and (item == "?" or _SPECIAL[number].fullmatch(item)):
        return True
    lowest, highest, names = _CRON[number]
    span, slash, step = item.partition("/")
    if slash and not (step.isdecimal() and int(step) > 0):
        return False
    if span == "*":
        return True
    ends = [names.index(end) + 1 if end in names else int(end) if end.isdecimal() else -1 for end in span.split("-")]
    return len(ends) <= 2 and all(lowest <= end <= highest for end in ends)


def _notifications(holder: Json) -> None:
    for event, addresses in _events(holder, "email_notifications"):
        if any(not fields.text(event, address).strip() for address in fields.items(event, addresses)):
            raise invalid(f"email_notifications.{event}: '' is not a valid email address.")
    for event, hooks in _events(holder, "webhook_notifications"):
        listed = fields.mappings(event, hooks)
        if len(listed) > _WEBHOOKS:
            raise invalid(f"webhook_notifications.{event} has {len(listed)} webhooks; at most {_WEBHOOKS} are allowed.")
        if any(not hook.get("id") for hook in listed):
            raise invalid(f"webhook_notifications.{event}: Missing required field: id")


def _events(holder: Json, kind: str) -> Iterator[tuple[str, object]]:
    said = fields.mapping(kind, holder.get(kind) or {})
    return ((event, said[event]) for event in _EVENTS if said.get(event) is not None)
