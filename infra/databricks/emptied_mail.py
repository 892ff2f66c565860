"""Mail that a definition no longer sends is really taken from the job.

The provider keeps a list of addresses that is emptied, with each address empty: `on_failure: [""]`
(terraform-provider-databricks 1.126: common/customizable_schema.go suppresses `#: 1 => 0` below email_notifications, and
jobs/resource_job.go, fixWebhookNotifications, lifts that for webhooks alone). No input makes it send an empty list, so the
job is put right after its update.
"""

from __future__ import annotations

import os
from typing import Any

import pulumi

from infra.outside.workspace import Workspace

_KEY = "email_notifications"
_SECONDS = 30


def hook() -> pulumi.ResourceHook:
    """What runs after the update of a job. Nothing is asked of the workspace unless the provider left an empty address."""
    return pulumi.ResourceHook("emptied-mail", _after_update)


def _after_update(args: pulumi.ResourceHookArgs) -> None:
    if not blank(args.new_outputs):
        return
    workspace = Workspace(os.environ, seconds=_SECONDS)
    if changed := without_blanks(workspace.job(args.id)["settings"]):
        workspace.update_job(args.id, changed)


def blank(value: Any, within: bool = False) -> bool:
    """Whether a list of addresses holds an empty one; the engine spells the key emailNotifications."""
    if isinstance(value, dict):
        return any(blank(item, within or key in (_KEY, "emailNotifications")) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return any(blank(item, within) for item in value)
    return within and value == ""


def without_blanks(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that must be sent: top-level fields are replaced, tasks by their key.

    https://docs.databricks.com/api/workspace/jobs/update
    """
    changed: dict[str, Any] = {}
    if blank({_KEY: settings.get(_KEY)}):
        changed[_KEY] = _cleaned(settings[_KEY])
    if tasks := [_task(task) for task in settings.get("tasks") or () if blank(task)]:
        changed["tasks"] = tasks
    return changed


def _task(task: dict[str, Any]) -> dict[str, Any]:
    made = {key: _cleaned(value) if key == _KEY else value for key, value in task.items()}
    if "for_each_task" in made:
        made["for_each_task"] = {**made["for_each_task"], "task": _task(made["for_each_task"]["task"])}
    return made


def _cleaned(mails: dict[str, Any]) -> dict[str, Any]:
    kept = {when: [one for one in people if one] if isinstance(people, list) else people for when, people in mails.items()}
    return {when: people for when, people in kept.items() if people != []}
