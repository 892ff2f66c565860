"""The branch quant_live is reached by merge requests alone, and somebody else has approved them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rules.environments import LIVE
from rules.values import UNKNOWN, Props, kind, listed, shown

_LEVELS = ("developers", "maintainers")


def check(resource_type: str, props: Props, stack: str) -> list[str]:
    """What of a branch's protection is another environment's, or opens quant_live."""
    if kind(resource_type) != "pulumi-python:BranchProtection":
        return []
    return list(_problems(props, stack))


def _problems(props: Props, stack: str) -> Iterator[str]:
    branch, approvals = props.get("branch"), props.get("approvals")
    if branch not in (stack, UNKNOWN):
        yield f"BranchProtection branch: found {shown(branch)}, expected {stack!r}. Declare it in the stack of that branch."
    if stack != LIVE:
        return
    pushers = list(listed(props.get("pushers")))
    if props.get("pushers") is not UNKNOWN and pushers != ["noOne"]:
        yield f"BranchProtection pushers: found {shown(pushers)}, expected ['noOne']: {LIVE} changes by merge request alone."
    for level in set(_LEVELS).intersection(listed(props.get("mergers"))):
        yield f"BranchProtection mergers: found {level!r}; into {LIVE} certain members merge. Name their group."
    if approvals is not UNKNOWN and not (isinstance(approvals, int | float) and approvals >= 1):
        yield f"BranchProtection approvals: found {shown(approvals)}, expected 1 or more: nobody releases alone."
    if props.get("forcePush") not in (False, UNKNOWN):
        yield f"BranchProtection forcePush: found {shown(props.get('forcePush'))}, expected False: history is kept."
