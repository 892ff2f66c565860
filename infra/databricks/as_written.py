"""After the update of a job: it was really changed, and what its definition no longer says is really taken from it.

The provider does not look at the answer to a change: a proxy's page with status 200 is taken for the workspace's
(`ResetJob` of databricks-sdk-go, service/jobs/impl.go, reads no body).

The provider keeps some fields that are taken out, without a difference in any preview, and no input makes it send their
absence (terraform-provider-databricks 1.126). Of mail it suppresses the emptied list, and sends each address empty:
`on_failure: [""]` (common/customizable_schema.go, SetSuppressDiff; jobs/resource_job.go lifts it for webhooks alone). What
is computed, as retry_on_timeout is, keeps its old value (jobs/resource_job.go; clusters/resource_cluster.go).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from infra.outside.workspace import Workspace
from infra.workflows.format import JOB_ID

Json = dict[str, Any]
_SECONDS = 30
_MAIL = "email_notifications"
_OF_TASKS = ("retry_on_timeout",)
_OF_CLUSTERS = (
    "aws_attributes", "azure_attributes", "data_security_mode", "driver_node_type_id", "enable_elastic_disk",
    "enable_local_disk_encryption", "gcp_attributes",
)  # fmt: skip


def hooks(written: Mapping[str, Json]) -> pulumi.ResourceHookBinding:
    """What runs around the update of a job; `written` are the definitions by logical name. Other jobs are not asked for."""
    before: dict[str, Json] = {}

    def before_update(args: pulumi.ResourceHookArgs) -> None:
        before[args.id] = Workspace(os.environ, seconds=_SECONDS).job(args.id)["settings"]

    def after_update(args: pulumi.ResourceHookArgs) -> None:
        workspace = Workspace(os.environ, seconds=_SECONDS)
        settings = workspace.job(args.id)["settings"]
        if settings == before.get(args.id) and not says(settings, written[args.name]):
            raise ConnectionError(
                f"the change of job {args.name!r} was answered and not made: the job is as it was before. Perhaps a proxy"
                f" answered. Make it with: quantctl drift {pulumi.get_stack()} --fix"
            )
        if changed := put_right(settings, written[args.name]):
            workspace.update_job(args.id, changed)

    return pulumi.ResourceHookBinding(
        before_update=[pulumi.ResourceHook("as-it-was", before_update)],
        after_update=[pulumi.ResourceHook("as-written", after_update)],
    )


def says(there: Any, written: Any) -> bool:
    """Whether everything that is written is there; the ids of other jobs, which are not known here, are passed over."""
    if isinstance(written, Mapping):
        return all(says(there.get(key) if isinstance(there, Mapping) else None, value) for key, value in written.items())
    if isinstance(written, (list, tuple)):
        found = there if isinstance(there, list) else []
        return len(found) == len(written) and all(
            says(*pair) for pair in zip(_in_order(found), _in_order(written), strict=True)
        )
    if isinstance(written, str) and JOB_ID.search(written):
        return True
    return str(there or "") == str(written or "")


def _in_order(values: Sequence[Any]) -> list[Any]:
    """The workspace sorts tasks by their key."""
    return sorted(values, key=lambda one: str(one.get("task_key", "")) if isinstance(one, Mapping) else "")


def put_right(settings: Json, written: Json) -> Json:
    """The settings that must be sent: top-level fields are replaced, tasks and job clusters by their key.

    https://docs.databricks.com/api/workspace/jobs/update
    """
    changed: Json = {}
    if (mail := _mail(settings, written)) is not None:
        changed[_MAIL] = mail
    for many, key, put in (("tasks", "task_key", _task), ("job_clusters", "job_cluster_key", _job_cluster)):
        by_key = {one[key]: one for one in written.get(many) or ()}
        pairs = [(one, by_key[one[key]]) for one in settings.get(many) or () if one[key] in by_key]
        if made := [new for one, wanted in pairs if (new := put(one, wanted)) != one]:
            changed[many] = made
    return changed


def _mail(there: Json, written: Json) -> Json | None:
    """What mail is to be; None when it is so."""
    wanted = {key: value for key, value in (written.get(_MAIL) or {}).items() if value}
    found = {key: value for key, value in (there.get(_MAIL) or {}).items() if value}
    return None if wanted == found else wanted


def _task(there: Json, written: Json) -> Json:
    made = {key: value for key, value in there.items() if key not in _OF_TASKS or written.get(key)}
    if (mail := _mail(there, written)) is not None:
        made[_MAIL] = mail
    if "new_cluster" in there:
        made["new_cluster"] = _cluster(there["new_cluster"], written.get("new_cluster") or {})
    if inner := (there.get("for_each_task") or {}).get("task"):
        wanted = (written.get("for_each_task") or {}).get("task") or {}
        made["for_each_task"] = {**there["for_each_task"], "task": _task(inner, wanted)}
    return made


def _job_cluster(there: Json, written: Json) -> Json:
    return {**there, "new_cluster": _cluster(there.get("new_cluster") or {}, written.get("new_cluster") or {})}


def _cluster(there: Json, written: Json) -> Json:
    return {key: value for key, value in there.items() if key not in _OF_CLUSTERS or key in written}
