"""In quant_live the engine is told to delete nothing. Pure. docs/decisions/0005-protected-not-retained.md"""

from __future__ import annotations

from rules.environments import LIVE
from rules.values import kind, title

# Taken down on purpose it stays in place (retainOnDelete): docs/decisions/0008-branch-protection.md.
_RETAINED = ("pulumi-python:BranchProtection",)


def check(resource_type: str, stack: str, *, is_protected: bool) -> list[str]:
    """A resource of quant_live that an update could delete."""
    what = kind(resource_type)
    if stack != LIVE or is_protected or what.startswith(("pulumi:", "quant:")) or what in _RETAINED:
        return []
    return [f"{title(resource_type)} protect: found False, expected True: {LIVE} loses nothing by mistake. Set protect."]
