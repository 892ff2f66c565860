"""Write the note on the merge request, or say why it is not written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from quantctl.errors import UserError
from quantctl.stack_settings import stack_settings

MARKER = "quantctl preview"


class Notes(Protocol):
    """What this needs of a forge."""

    merge_requests: bool

    def post_note(self, merge_request: int, marker: str, text: str) -> str:
        """The one note with the hidden marker says `text` now; answers what was done, and where."""


def forge_of(env: str, environ: Mapping[str, str]) -> Notes | None:
    """The forge, None where there are no merge requests.

    Raises:
        infra.errors.UserError: it does not answer, or refuses the token.
    """
    from quantctl.forge import connect

    forge: Notes = connect(stack_settings(env, environ), environ)
    return forge if forge.merge_requests else None


def post(forge: Notes | None, number: int | None, text: str) -> str:
    """Write or refresh the note; answers in words what was done.

    Raises:
        UserError: it is not known which merge request is meant.
    """
    if forge is None:
        return (
            "Not posted: there is no forge with merge requests (QUANT_GITLAB_URL and QUANT_GITLAB_PROJECT, or quant:gitlab)."
        )
    if number is None:
        raise UserError(
            "Which merge request is meant?",
            found="neither CI_MERGE_REQUEST_IID nor a pull request of GitHub in the environment",
            do_next="run it in a merge request's pipeline, or name it: --merge-request 7",
        )
    return f"The note on merge request {number}: {forge.post_note(number, MARKER, text)}"
