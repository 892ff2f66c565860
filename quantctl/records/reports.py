"""Reports of results: annotated tags `results/<env>/<commit>/<digest>` on the commit that was compared.

The message ends with the canonical report, whose digest is in the name: nobody changes it quietly. Whoever may push can make
a tag that looks like one: where `quant:signers` is set, one counts when somebody has signed it who may `compare`.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from infra.vocabulary import Right
from quantctl.errors import UserError
from quantctl.forge.model import Person
from quantctl.records.deployments import unsigned
from quantctl.records.repository import Moved, Pipelines, Refused
from quantctl.records.signatures import need_signing
from quantctl.records.tags import LARGEST, Tag

PREFIX = "results"
SHORT = 12
_SPARE = 8 * 1024  # bytes of a tag beside the report: head and signature


class Body(Protocol):
    """What a report is to its record."""

    environment: str

    @property
    def text(self) -> str:
        """The canonical form."""

    @property
    def digest(self) -> str:
        """Of the canonical form."""

    @property
    def verdict(self) -> str:
        """In a few words."""


R = TypeVar("R", bound=Body)


@dataclass(frozen=True)
class Recorded(Generic[R]):
    """A report with who recorded it, and when."""

    report: R
    tag: str
    by: str
    at: datetime.datetime


@dataclass(frozen=True)
class Found(Generic[R]):
    """The reports of a commit, the oldest first; and tag -> why it is none."""

    reports: list[Recorded[R]]
    void: dict[str, str]


def of(pipelines: Pipelines, environment: str, commit: str, parse: Callable[[str], R | None]) -> Found[R]:
    """What is recorded of a commit of an environment."""
    tags = pipelines.tags(f"{PREFIX}/{environment}/{commit[:SHORT]}")
    signers = pipelines.signer_of(tags)
    reports, void = [], {}
    for tag in tags:
        signer = signers.get(tag.name)
        why = unsigned(tag, signer, pipelines.signers, Right.COMPARE) if pipelines.signers else None
        read = why or _read(tag, environment, commit, parse)
        if isinstance(read, str):
            void[tag.name] = read
        else:
            by = signer or f"{tag.tagger} <{tag.email}>, unverified"
            reports.append(Recorded(read, tag.name, by, datetime.datetime.fromtimestamp(tag.at, datetime.UTC)))
    return Found(reports, void)


def write(pipelines: Pipelines, report: Body, commit: str, who: Person, at: int) -> str:
    """Record a report; returns the tag's name. The same report is recorded once.

    Raises:
        UserError: it is too large, the remote takes no tag of ours, or it would be no record.
    """
    if len(report.text) > LARGEST - _SPARE:
        raise UserError(
            "The report is too large to be recorded.",
            found=f"{len(report.text)} characters",
            expected=f"at most {LARGEST - _SPARE}",
            do_next="record fewer days, or some tables alone: --days, --table",
        )
    need_signing(pipelines.repository, pipelines.signers)
    name = f"{PREFIX}/{report.environment}/{commit[:SHORT]}/{report.digest[:SHORT]}"
    message = f"Results of {report.environment} at {commit[:SHORT]}: {report.verdict}\n\n{report.text}"
    made = pipelines.make_tag(name, commit, message, who, at)
    signer = pipelines.signer_of([Tag(name, commit, id=made, signed=True)]).get(name)
    if pipelines.signers and (why := unsigned(Tag(name, commit, signed=True), signer, pipelines.signers, Right.COMPARE)):
        able = ", ".join(who for who, one in sorted(pipelines.signers.items()) if Right.COMPARE in one.may)
        raise UserError(
            f"The report cannot be recorded: {why}.",
            expected=f"a signature of {able or 'somebody whom quant:signers lets compare'}",
            do_next="docs/results.md says who records reports",
        )
    try:
        pipelines.push({f"refs/tags/{name}": (made, None)})
    except Moved:  # the same report, recorded before
        pass
    except Refused as refused:
        raise UserError(
            f"The report was not recorded: {str(refused).rstrip('.')}.", do_next="record as somebody who may push tags"
        ) from None
    return name


def _read(tag: Tag, environment: str, commit: str, parse: Callable[[str], R | None]) -> R | str:
    report = parse(tag.message[tag.message.index("{") :]) if "{" in tag.message else None
    if report is None:
        return "its message is no report"
    if tag.commit != commit or report.environment != environment:
        return f"it is a tag of {tag.commit[:SHORT]}, and says {report.environment}"
    return report if tag.name.endswith(f"/{report.digest[:SHORT]}") else "its name is not the report's digest"
