"""Three variables that steer the program: preview another commit, hold an update to the reviewed one, only look. Pure.

QUANT_WHAT_IF is a branch, tag or commit that the environment's branch might move to. The workspace checks out what the
branch really is at, so anything but a preview is refused. QUANT_REVIEWED_COMMIT is the one commit that may be declared.
With QUANT_LOOKING a preview only lists what would be created: what is there already does not stop it.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.errors import UserError

WHAT_IF = "QUANT_WHAT_IF"
REVIEWED = "QUANT_REVIEWED_COMMIT"
LOOKING = "QUANT_LOOKING"


def what_if(environ: Mapping[str, str], is_preview: bool) -> str | None:
    """The ref to preview instead of the branch's head, None for the head.

    Raises:
        UserError: this is no preview.
    """
    ref = environ.get(WHAT_IF) or None
    if ref is not None and not is_preview:
        raise UserError(
            f"{WHAT_IF} is set ({ref!r}): with it a stack is previewed and nothing else, because the workspace would check"
            f" out what the branch is really at. Nothing was deployed. Take it away (unset {WHAT_IF}) and run again."
        )
    return ref


def need_reviewed(branch: str, commit: str, environ: Mapping[str, str]) -> None:
    """Refuse to declare another commit than the reviewed one.

    Raises:
        UserError: the branch has moved since the review.
    """
    reviewed = environ.get(REVIEWED)
    if reviewed and reviewed != commit:
        raise UserError(
            f"the branch {branch!r} has moved since the review: reviewed was {reviewed[:12]}, it is at {commit[:12]} now."
            " Nothing was changed. Preview and review it again."
        )
