"""Approval tags of the pipelines repository, read and made through the promoter's view of it (quantctl/pipelines.py)."""

from __future__ import annotations

import time

from infra import git
from quantctl.errors import UserError
from quantctl.forge.approval_tags import PREFIX, Tag
from quantctl.forge.model import Person
from quantctl.pipelines import Moved, Pipelines, Refused, read_pipelines

_FIELDS = ("refname", "objecttype", "objectname", "object", "taggeremail:trim", "taggerdate:iso-strict")
_FORMAT = "%00".join(f"%({field})" for field in _FIELDS)
_HERE = "refs/quant/tags"  # where read_pipelines keeps them


def approval_tags(remote: str, target: str, commit: str) -> list[Tag]:
    """The approvals of a commit for a branch that the remote has now, annotated or not.

    Raises:
        infra.errors.UserError: the remote cannot be read.
    """
    below = f"{PREFIX}/{target}/{commit}"
    repository = read_pipelines(remote, (below,)).repository
    listed = git.need(git.run_in(repository, "for-each-ref", f"--format={_FORMAT}", f"{_HERE}/{below}"), remote)
    return [_tag(line) for line in listed.decode(errors="replace").splitlines()]


def _tag(line: str) -> Tag:
    name, kind, itself, inner, email, when = line.split("\0")
    return Tag(name.removeprefix(f"{_HERE}/"), kind, inner if kind == "tag" else itself, email, when)


def push_tag(remote: str, name: str, commit: str, by: Person, text: str) -> None:
    """Make an annotated tag on the remote, with the promoter as its tagger; one of that name is left as it is.

    Raises:
        infra.errors.UserError, UserError: the remote cannot be written, or no branch holds the commit.
    """
    pipelines = read_pipelines(remote)
    if not pipelines.knows(commit):
        raise UserError(f"No branch of the pipelines repository holds {commit[:12]}.", do_next="push it first")
    try:
        pipelines.push({f"refs/tags/{name}": (_make(pipelines, name, commit, by, text), None)})
    except Moved:
        return  # it is there already: who asks reads it
    except Refused as error:
        raise UserError(f"The remote refused the tag {name}.", found=str(error)) from None


def _make(pipelines: Pipelines, name: str, commit: str, by: Person, text: str) -> str:
    plain = {ord(letter): None for letter in "<>\n"}  # what git takes out of an identity
    tagger = f"{by.name.translate(plain)} <{by.email.translate(plain)}> {int(time.time())} +0000"
    body = f"object {commit}\ntype commit\ntag {name}\ntagger {tagger}\n\n{text.strip()}\n"
    return git.need(git.run_in(pipelines.repository, "mktag", given=body.encode()), pipelines.remote).decode().strip()
