"""Jobs that bear the name of one of ours and are not it: somebody else's runs prove nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def namesakes(jobs: Mapping[str, int], listed: Iterable[Mapping[str, Any]]) -> list[str]:
    """`jobs`: name -> job id, by the state; `listed` are the workspace's jobs. What is told of each other one."""
    others = []
    for job in listed:
        name, id = str((job.get("settings") or {}).get("name") or ""), job.get("job_id")
        if name in jobs and id != jobs[name]:
            others.append(f"job {id}, which {job.get('creator_user_name') or 'somebody'} has named {name!r} too")
    return sorted(others)
