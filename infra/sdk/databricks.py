"""Written by `make sdk` from pulumi-databricks 1.118.0; not by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from infra.sdk.base import Declared, options, secret, wire

_VERSION = "1.118.0"


class Directory(Declared):
    """The package's Directory."""

    READ = ("path",)

    def __init__(
        self,
        resource_name: str,
        *,
        path: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "path": path,
        }
        properties = {"path": None, **wire(given)}
        merged = options(_VERSION, opts)
        super().__init__("databricks:index/directory:Directory", resource_name, properties, merged)

    @property
    def path(self) -> pulumi.Output[str]:
        """As the provider answers it."""
        found: pulumi.Output[str] = pulumi.get(self, "path")
        return found


class GitCredential(Declared):
    """The package's GitCredential."""

    def __init__(
        self,
        resource_name: str,
        *,
        git_provider: pulumi.Input[str],
        git_username: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
        personal_access_token: pulumi.Input[str] | None = None,
        principal_id: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "git_provider": git_provider,
            "git_username": git_username,
            "name": name,
            "personal_access_token": secret(personal_access_token),
            "principal_id": principal_id,
        }
        properties = wire(given)
        merged = options(_VERSION, opts, ["personalAccessToken"])
        super().__init__("databricks:index/gitCredential:GitCredential", resource_name, properties, merged)


class Group(Declared):
    """The package's Group."""

    def __init__(
        self,
        resource_name: str,
        *,
        display_name: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "display_name": display_name,
        }
        properties = wire(given)
        merged = options(_VERSION, opts)
        super().__init__("databricks:index/group:Group", resource_name, properties, merged)


_FREE_OF_JOB = frozenset(
    [
        "base_parameters",
        "custom_tags",
        "filters",
        "job_parameters",
        "named_parameters",
        "notebook_base_parameters",
        "notebook_params",
        "parameters",
        "python_named_params",
        "spark_conf",
        "spark_env_vars",
        "sql_params",
        "tags",
        "variables",
    ]
)


class Job(Declared):
    """The package's Job."""

    def __init__(
        self,
        resource_name: str,
        *,
        always_running: pulumi.Input[bool] | None = None,
        budget_policy_id: pulumi.Input[str] | None = None,
        continuous: pulumi.Input[Mapping[str, Any]] | None = None,
        control_run_state: pulumi.Input[bool] | None = None,
        dbt_task: pulumi.Input[Mapping[str, Any]] | None = None,
        deployment: pulumi.Input[Mapping[str, Any]] | None = None,
        description: pulumi.Input[str] | None = None,
        duration_target: pulumi.Input[str] | None = None,
        edit_mode: pulumi.Input[str] | None = None,
        email_notifications: pulumi.Input[Mapping[str, Any]] | None = None,
        environment_variables: pulumi.Input[Sequence[Mapping[str, Any]]] | None = None,
        environments: pulumi.Input[Sequence[Mapping[str, Any]]] | None = None,
        existing_cluster_id: pulumi.Input[str] | None = None,
        format: pulumi.Input[str] | None = None,
        git_source: pulumi.Input[Mapping[str, Any]] | None = None,
        health: pulumi.Input[Mapping[str, Any]] | None = None,
        job_clusters: pulumi.Input[Sequence[Mapping[str, Any]]] | None = None,
        libraries: pulumi.Input[Sequence[Mapping[str, Any]]] | None = None,
        max_concurrent_runs: pulumi.Input[int] | None = None,
        max_retries: pulumi.Input[int] | None = None,
        min_retry_interval_millis: pulumi.Input[int] | None = None,
        name: pulumi.Input[str] | None = None,
        new_cluster: pulumi.Input[Mapping[str, Any]] | None = None,
        notebook_task: pulumi.Input[Mapping[str, Any]] | None = None,
        notification_settings: pulumi.Input[Mapping[str, Any]] | None = None,
        parameters: pulumi.Input[Sequence[Mapping[str, Any]]] | None = None,
        parent_path: pulumi.Input[str] | None = None,
        performance_target: pulumi.Input[str] | None = None,
        pipeline_task: pulumi.Input[Mapping[str, Any]] | None = None,
        provider_config: pulumi.Input[Mapping[str, Any]] | None = None,
        python_wheel_task: pulumi.Input[Mapping[str, Any]] | None = None,
        queue: pulumi.Input[Mapping[str, Any]] | None = None,
        retry_on_timeout: pulumi.Input[bool] | None = None,
        run_as: pulumi.Input[Mapping[str, Any]] | None = None,
        run_job_task: pulumi.Input[Mapping[str, Any]] | None = None,
        schedule: pulumi.Input[Mapping[str, Any]] | None = None,
        spark_jar_task: pulumi.Input[Mapping[str, Any]] | None = None,
        spark_python_task: pulumi.Input[Mapping[str, Any]] | None = None,
        spark_submit_task: pulumi.Input[Mapping[str, Any]] | None = None,
        tags: pulumi.Input[Mapping[str, str]] | None = None,
        tasks: pulumi.Input[Sequence[Mapping[str, Any]]] | None = None,
        timeout_seconds: pulumi.Input[int] | None = None,
        trigger: pulumi.Input[Mapping[str, Any]] | None = None,
        triggers: pulumi.Input[Sequence[Mapping[str, Any]]] | None = None,
        usage_policy_id: pulumi.Input[str] | None = None,
        webhook_notifications: pulumi.Input[Mapping[str, Any]] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "always_running": always_running,
            "budget_policy_id": budget_policy_id,
            "continuous": continuous,
            "control_run_state": control_run_state,
            "dbt_task": dbt_task,
            "deployment": deployment,
            "description": description,
            "duration_target": duration_target,
            "edit_mode": edit_mode,
            "email_notifications": email_notifications,
            "environment_variables": environment_variables,
            "environments": environments,
            "existing_cluster_id": existing_cluster_id,
            "format": format,
            "git_source": git_source,
            "health": health,
            "job_clusters": job_clusters,
            "libraries": libraries,
            "max_concurrent_runs": max_concurrent_runs,
            "max_retries": max_retries,
            "min_retry_interval_millis": min_retry_interval_millis,
            "name": name,
            "new_cluster": new_cluster,
            "notebook_task": notebook_task,
            "notification_settings": notification_settings,
            "parameters": parameters,
            "parent_path": parent_path,
            "performance_target": performance_target,
            "pipeline_task": pipeline_task,
            "provider_config": provider_config,
            "python_wheel_task": python_wheel_task,
            "queue": queue,
            "retry_on_timeout": retry_on_timeout,
            "run_as": run_as,
            "run_job_task": run_job_task,
            "schedule": schedule,
            "spark_jar_task": spark_jar_task,
            "spark_python_task": spark_python_task,
            "spark_submit_task": spark_submit_task,
            "tags": tags,
            "tasks": tasks,
            "timeout_seconds": timeout_seconds,
            "trigger": trigger,
            "triggers": triggers,
            "usage_policy_id": usage_policy_id,
            "webhook_notifications": webhook_notifications,
        }
        properties = wire(given, _FREE_OF_JOB)
        merged = options(_VERSION, opts)
        super().__init__("databricks:index/job:Job", resource_name, properties, merged)


class Permissions(Declared):
    """The package's Permissions."""

    def __init__(
        self,
        resource_name: str,
        *,
        access_controls: pulumi.Input[Sequence[Mapping[str, Any]]],
        directory_path: pulumi.Input[str] | None = None,
        job_id: pulumi.Input[str] | None = None,
        repo_id: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "access_controls": access_controls,
            "directory_path": directory_path,
            "job_id": job_id,
            "repo_id": repo_id,
        }
        properties = wire(given)
        merged = options(_VERSION, opts)
        super().__init__("databricks:index/permissions:Permissions", resource_name, properties, merged)


class Repo(Declared):
    """The package's Repo."""

    READ = ("commitHash",)

    def __init__(
        self,
        resource_name: str,
        *,
        url: pulumi.Input[str],
        branch: pulumi.Input[str] | None = None,
        commit_hash: pulumi.Input[str] | None = None,
        git_provider: pulumi.Input[str] | None = None,
        path: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "branch": branch,
            "commit_hash": commit_hash,
            "git_provider": git_provider,
            "path": path,
            "url": url,
        }
        properties = {"commitHash": None, **wire(given)}
        merged = options(_VERSION, opts)
        super().__init__("databricks:index/repo:Repo", resource_name, properties, merged)

    @property
    def commit_hash(self) -> pulumi.Output[str]:
        """As the provider answers it."""
        found: pulumi.Output[str] = pulumi.get(self, "commitHash")
        return found


class SecretAcl(Declared):
    """The package's SecretAcl."""

    def __init__(
        self,
        resource_name: str,
        *,
        permission: pulumi.Input[str],
        principal: pulumi.Input[str],
        scope: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "permission": permission,
            "principal": principal,
            "scope": scope,
        }
        properties = wire(given)
        merged = options(_VERSION, opts)
        super().__init__("databricks:index/secretAcl:SecretAcl", resource_name, properties, merged)


class SecretScope(Declared):
    """The package's SecretScope."""

    READ = ("name",)

    def __init__(
        self,
        resource_name: str,
        *,
        name: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given: dict[str, Any] = {
            "name": name,
        }
        properties = {"name": None, **wire(given)}
        merged = options(_VERSION, opts)
        super().__init__("databricks:index/secretScope:SecretScope", resource_name, properties, merged)

    @property
    def name(self) -> pulumi.Output[str]:
        """As the provider answers it."""
        found: pulumi.Output[str] = pulumi.get(self, "name")
        return found


def get_service_principal_sp_id(application_id: pulumi.Input[str], opts: pulumi.InvokeOptions) -> pulumi.Output[str]:
    """`sp_id` of what the function get_service_principal finds."""
    merged = pulumi.InvokeOptions.merge(pulumi.InvokeOptions(version=_VERSION), opts)
    answer = pulumi.runtime.invoke_output(
        "databricks:index/getServicePrincipal:getServicePrincipal", {"applicationId": application_id}, merged
    )
    found: pulumi.Output[str] = answer["spId"]
    return found
