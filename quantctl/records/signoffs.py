"""UAT sign-offs: annotated tags `signoff/<env>/<commit>/<who>` on the commit that was deployed when its users agreed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.vocabulary import Right
from quantctl.errors import UserError
from quantctl.forge.model import Person
from quantctl.records.deployments import unsigned
from quantctl.records.repository import Moved, Pipelines, Refused

_LINE = re.compile(r"(Report: [0-9a-f]{12,64}|For: [^\n]+|Accepted: \S+ because [^\n]+)")


@dataclass(frozen=True)
class Words:
    """What a sign-off says besides its note: the report that it looked at, for whom it speaks, what it accepts and why."""

    note: str
    report: str = ""
    stakeholder: str = ""
    accepted: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"Report: {self.report}"] if self.report else []
        lines += [f"For: {self.stakeholder}"] if self.stakeholder else []
        lines += [f"Accepted: {id} because {' '.join(why.split())}" for id, why in self.accepted.items()]
        return "\n\n".join(filter(None, (self.note.strip(), "\n".join(lines))))


def words_of(text: str) -> Words:
    """The same from a text: its last lines, as far as they are such."""
    lines = text.strip().splitlines()
    begin = len(lines)
    while begin and _LINE.fullmatch(lines[begin - 1].strip()):
        begin -= 1
    report = stakeholder = ""
    accepted: dict[str, str] = {}
    for line in (line.strip() for line in lines[begin:]):
        key, _, value = line.partition(": ")
        if key == "Report":
            report = value
        elif key == "For":
            stakeholder = value
        else:
            id, _, why = value.partition(" because ")
            accepted[id] = why
    return Words("\n".join(lines[:begin]).strip(), report, stakeholder, accepted)


@dataclass(frozen=True)
class SignOff:
    """Somebody's word that a commit does what its users need; `recorded_by` is who signed it or says so.

    `where` it stands: a tag, or the address of a comment.
    """

    environment: str
    commit: str
    by: str
    note: str
    recorded_by: str
    at: int
    where: str

    @property
    def words(self) -> Words:
        """The note, and what else is said in it."""
        return words_of(self.note)

    def __str__(self) -> str:
        told, report = self.words, f", on report {self.words.report[:12]}" if self.words.report else ""
        role = f" for {told.stakeholder}" if told.stakeholder else ""
        return f"by {self.by}{role}: {told.note!r} ({self.where}, recorded by {self.recorded_by}{report})"


def of(pipelines: Pipelines, environment: str, commit: str | None = None) -> list[SignOff]:
    """Sign-offs of an environment, of one commit if it is named. A tag on another commit than its name says is none."""
    found = []
    tags = pipelines.tags(f"signoff/{environment}")
    signers = pipelines.signer_of(tags)
    for tag in tags:
        parts = tag.name.split("/")
        match = re.match(r"Signed off by (?P<by>[^\n]+)\n\n(?P<note>.*)", tag.message, re.S)
        if pipelines.signers and unsigned(tag, signers.get(tag.name), pipelines.signers, Right.SIGN_OFF):
            continue
        if len(parts) == 4 and parts[2] == tag.commit[:12] and match:
            recorder = signers.get(tag.name) or f"{tag.tagger} <{tag.email}>, unverified"
            note, where = match["note"].strip(), f"tag {tag.name}"
            found.append(SignOff(environment, tag.commit, match["by"], note, recorder, tag.at, where))
    return [one for one in found if commit is None or one.commit == commit]


def write(pipelines: Pipelines, environment: str, commit: str, by: str, note: str, who: Person, at: int) -> str:
    """Record a sign-off; returns the tag's name.

    Raises:
        UserError: the same person has signed this commit off before, or the remote takes no tag of ours.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", by.lower()).strip("-")
    if not slug or "\n" in by:
        raise UserError(
            "--by names nobody.", found=repr(by), expected="the name of who signs off", do_next="--by 'Uma Tester'"
        )
    report = words_of(note).report[:12]  # of another report the same person signs off again
    name = f"signoff/{environment}/{commit[:12]}/{slug}{f'-{report}' if report else ''}"
    made = pipelines.make_tag(name, commit, f"Signed off by {by}\n\n{note.strip()}", who, at)
    try:
        pipelines.push({f"refs/tags/{name}": (made, None)})
    except Moved:
        raise UserError(
            f"{by} has signed {commit[:12]} off before, and a sign-off is never changed.",
            found=f"the tag {name}",
            do_next="git show it; for another commit deploy that first",
        ) from None
    except Refused as refused:
        raise UserError(f"The sign-off was refused: {refused}.", do_next="sign off as somebody who may push tags") from None
    return name
