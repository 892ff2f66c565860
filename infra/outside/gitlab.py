"""python-gitlab, with bounded waits, and with refusals told in the words of our settings.

The token is GITLAB_TOKEN in the environment and nowhere else. The library is imported when a client is made and not before:
it costs 0.3 s, and most previews need none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from infra.errors import UserError, without_credentials

if TYPE_CHECKING:
    from gitlab import Gitlab
    from gitlab.v4.objects import Project

SECONDS = 10.0  # for one answer; a merge is the slowest


def token_of(environ: Mapping[str, str]) -> str:
    """GITLAB_TOKEN.

    Raises:
        UserError: there is none.
    """
    if token := environ.get("GITLAB_TOKEN"):
        return token
    raise UserError(
        "GitLab: GITLAB_TOKEN is not set: export a token with the scope api, of somebody who is a member of the project"
        ' (docs/cloud.md). In the sandbox: eval "$(quantctl env --as release_manager --gitlab)".'
    )


def connect(url: str, project: str, environ: Mapping[str, str] | None = None) -> tuple[Gitlab, Project]:
    """GitLab as the token's owner, and the project.

    Raises:
        UserError: the host does not answer, the token is refused, or the project is not there for its owner.
    """
    from gitlab import Gitlab

    client = Gitlab(url, private_token=token_of(os.environ if environ is None else environ), timeout=SECONDS, per_page=100)
    with told(url, project):
        client.auth()
        return client, client.projects.get(project)


@contextmanager
def told(url: str, project: str, doing: str = "") -> Iterator[None]:
    """What GitLab refuses within, as UserError; `doing` says what was tried."""
    from gitlab.exceptions import GitlabError
    from requests import RequestException

    try:
        yield
    except RequestException as error:
        raise UserError(silence(url, _short(error))) from None
    except GitlabError as error:
        raise UserError(refusal(url, project, doing, error.response_code, _short(error))) from None


def silence(url: str, said: str) -> str:
    """A host that does not answer, in words. Pure."""
    setting = "QUANT_GITLAB_URL (or quant:gitlab.url in Pulumi.yaml)"
    return f"GitLab: {url} does not answer ({said}). Check {setting} and the network."


def refusal(url: str, project: str, doing: str, status: int | None, said: str) -> str:
    """An HTTP status of GitLab in words, with what to do about it. Pure."""
    if status == 401:
        return (
            f"GitLab: {url} refuses the token (401){f' for {doing}' if doing else ''}. Check GITLAB_TOKEN: it may have"
            " expired, or lack the scope api."
        )
    if status == 404 and not doing:
        return (
            f"GitLab: {url} has no project {project!r} that the token's owner may see. Check QUANT_GITLAB_PROJECT (or"
            " quant:gitlab.project in Pulumi.yaml), and that the owner of GITLAB_TOKEN is a member."
        )
    if status == 403:
        return (
            f"GitLab: the owner of GITLAB_TOKEN may not {doing or 'look'} in {project} ({said}). It needs the"
            " scope api and the role that docs/cloud.md says; or take a token of somebody who has it."
        )
    return (
        f"GitLab: {url}, {project}: {doing or 'a request'} failed: {said}. Check QUANT_GITLAB_URL and QUANT_GITLAB_PROJECT."
    )


def _short(error: BaseException) -> str:
    cause: BaseException = error
    while (deeper := cause.__cause__ or cause.__context__) is not None and "Gitlab" not in type(cause).__name__:
        cause = deeper
    lines = without_credentials(str(cause)).strip().splitlines()
    return lines[0][:200] if lines else type(cause).__name__
