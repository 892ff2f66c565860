"""The branch quant_live is reached by merge requests alone, and somebody else has approved them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rules.environments import LIVE, named
from rules.values import UNKNOWN, Props, kind, shown, whole


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """What of a branch's protection opens quant_live; whose branch it is, rules/agreement.py judges."""
    environment = named(stack)
    if kind(resource_type) != "pulumi-python:BranchProtection" or stack != LIVE or environment is None:
        return []
    allowed = {environment.release_managers} | environment.references
    return list(_problems(props, allowed))


def _problems(props: Props, allowed: set[str]) -> Iterator[str]:
    pushers, mergers, approvals = (props.get(key) for key in ("pushers", "mergers", "approvals"))
    if pushers not in (["noOne"], [UNKNOWN], UNKNOWN):
        yield f"BranchProtection pushers: found {shown(pushers)}, expected ['noOne']: {LIVE} changes by merge request alone."
    if mergers is not UNKNOWN:
        for one in mergers if isinstance(mergers, list) else [mergers]:
            if one is not UNKNOWN and one not in allowed:
                yield (
                    f"BranchProtection mergers: found {shown(one)}; into {LIVE} certain members merge, expected"
                    f" {', '.join(sorted(allowed))}. Name their group."
                )
    found = whole(approvals)
    if approvals is not UNKNOWN and (isinstance(found, bool) or not (isinstance(found, int) and found >= 1)):
        yield f"BranchProtection approvals: found {shown(approvals)}, expected 1 or more: nobody releases alone."
    if props.get("forcePush") not in (False, UNKNOWN):
        yield f"BranchProtection forcePush: found {shown(props.get('forcePush'))}, expected False: history is kept."
