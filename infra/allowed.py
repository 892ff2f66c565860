"""What the jobs of a stack may use that is not the environment's own: quant:allowed. Empty unless a stack says so. Pure."""

from __future__ import annotations

import posixpath
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from infra.named_values import Part


def _place(value: str) -> str:
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/+", value)
    rest = value[scheme.end() :] if scheme else value.lstrip("/")
    if not (scheme or value.startswith("/")) or len([part for part in rest.split("/") if part]) < (1 if scheme else 2):
        raise ValueError("an absolute path or address is expected, for example /Volumes/main/libraries/wheels/")
    if ".." in rest.split("/"):
        raise ValueError("a path without .. is expected, for example /Volumes/main/libraries/wheels/")
    return value


def _index(value: str) -> str:
    if not re.match(r"https?://[^/\s]+", value) or "@" in value:
        raise ValueError("the address of an index is expected, for example https://packages.example/simple")
    return value


def _domain(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", value):
        raise ValueError("a mail domain is expected, for example quant.example")
    return value.lower()


Place = Annotated[str, AfterValidator(_place)]
Index = Annotated[str, AfterValidator(_index)]
Domain = Annotated[str, AfterValidator(_domain)]
Name = Annotated[str, Field(min_length=1)]


class Allowed(Part):
    """Lists of what may be named in a workflow."""

    paths: list[Place] = Field(default=[], description="files and folders that tasks and libraries may come from")
    init_scripts: list[Place] = Field(default=[], description="init scripts outside the Git folder, and their folders")
    clusters: list[Name] = Field(default=[], description="ids of existing clusters")
    instance_pools: list[Name] = Field(default=[], description="ids of instance pools")
    instance_profiles: list[Name] = Field(default=[], description="instance profiles and service accounts of clusters")
    images: list[Name] = Field(default=[], description="container images of clusters")
    jobs: list[Name] = Field(default=[], description="ids of jobs that are not the environment's own")
    pipelines: list[Name] = Field(default=[], description="ids of pipelines")
    queries: list[Name] = Field(default=[], description="ids of queries, alerts and dashboards")
    package_indexes: list[Index] = Field(default=[], description="package indexes, and addresses packages come from")
    mail_domains: list[Domain] = Field(default=[], description="domains that jobs may send mail to")
    webhooks: list[Name] | None = Field(
        default=None, description="ids of notification destinations; without the list, any that the workspace has"
    )


def within(value: str, allowed: list[str]) -> bool:
    """Whether a path or address is one of `allowed` or lies below one."""
    scheme, separator, rest = value.partition(":/") if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", value) else ("", "", value)
    found = scheme + separator + posixpath.normpath("/" + rest.lstrip("/"))
    for one in allowed:
        head, colon, tail = one.partition(":/") if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", one) else ("", "", one)
        base = head + colon + posixpath.normpath("/" + tail.lstrip("/"))
        if found == base or found.startswith(f"{base}/"):
            return True
    return False
