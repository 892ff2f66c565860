"""What a job names beside files: compute, other jobs, indexes, addresses, secrets. Its environment's, or allowed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from infra.allowed import within
from infra.vocabulary import Environment
from infra.workflows.format import JOB_ID, Way, Wrong, walk
from infra.workflows.problems import quoted
from infra.workflows.rules import clusters, tasks
from infra.workflows.scene import Scene

_SECRET = re.compile(r"\{\{\s*secrets/([^/}]+)/")
_MAIL = re.compile(r"[^@\s<>,;]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
# Settings of Spark that bring code: https://spark.apache.org/docs/latest/configuration.html
_SPARK_CODE = re.compile(r"spark\.(jars|files|archives|submit\.pyFiles|(driver|executor)\.extraClassPath)")
_SPARK_INDEX = "spark.jars.repositories"
_INDEX_VARIABLE = re.compile(r"(PIP|UV)_\w*(INDEX|LINKS|CONFIG)\w*", re.I)
_CLUSTERS = "quant:allowed.clusters"


def belonging_problems(job: Any, scene: Scene) -> Iterator[Wrong]:
    """Everything that is another's and that the settings do not name."""
    allowed = scene.settings.allowed
    for way, task in tasks(job):
        for there, value, listed, setting in _of_task(way, task, scene):
            if value is not None and not scene.allows(str(value), listed):
                yield _not_ours(there, value, setting)
        for index, library in enumerate(task.get("libraries") or ()):
            yield from _library((*way, "libraries", index), library, scene)
    for way, cluster in clusters(job):
        yield from _cluster(way, cluster, scene)
    for way, of, _, value in walk(job):
        if not isinstance(value, str):
            continue
        if "EmailNotifications" in of or way[-1] == "user_name":
            yield from _mail(way, value, scene)
        if "WebhookNotifications" in of and allowed.webhooks is not None and not scene.allows(value, allowed.webhooks):
            yield _not_ours(way, value, "quant:allowed.webhooks")
        for scope in _SECRET.findall(value):
            if scope in set(Environment) and scope != scene.names.secret_scope:
                yield Wrong(
                    way,
                    f"found a secret of {scope}, which is another environment's; {{{{job.parameters.secret_scope}}}}"
                    " is this one's scope.",
                )


def _of_task(way: Way, task: Any, scene: Scene) -> Iterator[tuple[Way, Any, list[str], str]]:
    allowed = scene.settings.allowed
    sql = task.get("sql_task") or {}
    job_id = (task.get("run_job_task") or {}).get("job_id")
    if not (isinstance(job_id, str) and JOB_ID.fullmatch(job_id)):
        yield (*way, "run_job_task", "job_id"), job_id, allowed.jobs, "quant:allowed.jobs"
    yield (*way, "existing_cluster_id"), task.get("existing_cluster_id"), allowed.clusters, _CLUSTERS
    for (kind, key), listed, setting in (
        (("pipeline_task", "pipeline_id"), allowed.pipelines, "quant:allowed.pipelines"),
        (("alert_task", "alert_id"), allowed.queries, "quant:allowed.queries"),
        (("dashboard_task", "dashboard_id"), allowed.queries, "quant:allowed.queries"),
    ):
        yield (*way, kind, key), (task.get(kind) or {}).get(key), listed, setting
    for kind, key in (("query", "query_id"), ("alert", "alert_id"), ("dashboard", "dashboard_id")):
        yield (*way, "sql_task", kind, key), (sql.get(kind) or {}).get(key), allowed.queries, "quant:allowed.queries"


def _cluster(way: Way, cluster: Any, scene: Scene) -> Iterator[Wrong]:
    allowed, own = scene.settings.allowed, scene.settings.service_principal
    for keys, listed, setting in (
        (("instance_pool_id",), allowed.instance_pools, "quant:allowed.instancePools"),
        (("driver_instance_pool_id",), allowed.instance_pools, "quant:allowed.instancePools"),
        (("aws_attributes", "instance_profile_arn"), allowed.instance_profiles, "quant:allowed.instanceProfiles"),
        (("gcp_attributes", "google_service_account"), allowed.instance_profiles, "quant:allowed.instanceProfiles"),
        (("docker_image", "url"), allowed.images, "quant:allowed.images"),
    ):
        value = cluster
        for key in keys:
            value = (value or {}).get(key)
        if value and not scene.allows(value, listed):
            yield _not_ours((*way, *keys), value, setting)
    if cluster.get("single_user_name", own) != own:
        text = f"found {quoted(cluster['single_user_name'])}; jobs run as the environment's service principal, leave it out."
        yield Wrong((*way, "single_user_name"), text)
    for key, value in (cluster.get("spark_conf") or {}).items():
        if _SPARK_CODE.fullmatch(key):
            for part in value.split(","):
                if not within(part, [*allowed.paths, scene.folder]) and part not in scene.variables:
                    yield _not_ours((*way, "spark_conf", key), part, "quant:allowed.paths")
        elif key == _SPARK_INDEX and not within(value, allowed.package_indexes) and value not in scene.variables:
            yield _not_ours((*way, "spark_conf", key), value, "quant:allowed.packageIndexes")
    for key, value in (cluster.get("spark_env_vars") or {}).items():
        if _INDEX_VARIABLE.fullmatch(key) and not within(value, allowed.package_indexes) and value not in scene.variables:
            yield _not_ours((*way, "spark_env_vars", key), value, "quant:allowed.packageIndexes")


def _library(way: Way, library: Any, scene: Scene) -> Iterator[Wrong]:
    indexes = scene.settings.allowed.package_indexes
    for kind in ("pypi", "maven", "cran"):
        repo = (library.get(kind) or {}).get("repo")
        if repo and not within(repo, indexes) and repo not in scene.variables:
            yield _not_ours((*way, kind, "repo"), repo, "quant:allowed.packageIndexes")
    package = (library.get("pypi") or {}).get("package") or ""
    address = re.search(r"[A-Za-z][A-Za-z0-9+.-]*:/\S*", package)
    if package.startswith("-") or (address and not within(re.sub(r"^(git|hg|svn|bzr)\+", "", address[0]), indexes)):
        yield _not_ours((*way, "pypi", "package"), package, "quant:allowed.packageIndexes")


def _mail(way: Way, value: str, scene: Scene) -> Iterator[Wrong]:
    domains = scene.settings.allowed.mail_domains
    found = _MAIL.fullmatch(value)
    if found is None:
        yield Wrong(way, f"found {quoted(value)}, expected an e-mail address.")
    elif found[1].lower() not in domains and value not in scene.variables:
        yield _not_ours(way, value, "quant:allowed.mailDomains")


def _not_ours(way: Way, value: Any, setting: str) -> Wrong:
    return Wrong(way, f"found {quoted(value)}, which is not the environment's own and not in {setting} (docs/workflows.md).")
