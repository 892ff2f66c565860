"""The command lines of `quantctl promote`, `approve`, `signoff`, `rollback` and `history`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from infra.vocabulary import Environment
from quantctl import where
from quantctl.errors import UserError
from quantctl.options import EnvArgument, Format, FormatOption, YesOption

if TYPE_CHECKING:
    from infra.promotion import Edge


class Release(StrEnum):
    """How much of production a release reaches."""

    limited = "limited"
    full = "full"


_RELEASES = {Release.limited: Environment.LIMITED, Release.full: Environment.LIVE}
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show everything, change nothing.")]
WaitOption = Annotated[
    float, typer.Option("--wait", metavar="MINUTES", min=0, help="Wait so long for active runs and for approvals.")
]


def promote_command(
    source: Annotated[Environment, typer.Argument(metavar="SRC", help="Where the change is now.")],
    target: Annotated[Environment | None, typer.Argument(metavar="[DST]", help="Where it goes.")] = None,
    release: Annotated[Release | None, typer.Option("--release", help="limited: quant_lr, full: quant_live.")] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    wait: WaitOption = 0,
    format: FormatOption = Format.table,
) -> None:
    """Promote SRC to DST: gates, preview, the branch, the update, and what the workspace says afterwards.

    Exit 0 when it went ahead (or would, with --dry-run), 3 when a gate stops it, 1 when something failed. If it was
    interrupted, rerun the same command to resume: its gates are asked again.
    """
    edge = _edge(source, target, release)
    environ = where.enter(tell=True)
    from quantctl.promotion import run  # slow to load, and `--help` needs none of it

    raise typer.Exit(run.promoted(edge, dry_run, yes, wait * 60, format, environ))


def approve_command(
    target: Annotated[Environment, typer.Argument(help="Into which the change is to be promoted.", show_default=False)],
    source: Annotated[
        Environment | None, typer.Option("--from", help="Where it comes from; needed where there are two ways.")
    ] = None,
    note: Annotated[str, typer.Option("--note", help="What was looked at; kept with the approval.")] = "",
) -> None:
    """Approve the commits that a promotion to TARGET would move, at the source's head as it is now.

    In GitLab this approves the merge request; with plain Git it makes the annotated tag approval/TARGET/COMMIT/WHO.
    Whoever has written some of the commits is refused. A commit that comes afterwards needs an approval of its own.
    """
    environ = where.enter(tell=True)
    from quantctl.promotion.approve import approve

    approve(target, source, note, environ)


def signoff_command(
    env: EnvArgument,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What was looked at, and what is thought of it.")],
    by: Annotated[
        str, typer.Option("--by", metavar="NAME", help="Who signs off, where you record it for somebody. Not in GitLab.")
    ] = "",
    report: Annotated[str, typer.Option("--report", metavar="DIGEST", help="Which report; default: the newest.")] = "",
    stakeholder: Annotated[str, typer.Option("--for", metavar="WHO", help="For whom they speak (stakeholders).")] = "",
    accept: Annotated[list[str] | None, typer.Option("--accept", metavar="ID", help="A finding that is accepted.")] = None,
    because: Annotated[list[str] | None, typer.Option("--because", metavar="TEXT", help="Why; one for each.")] = None,
) -> None:
    """Record that the deployed commit of ENV does what its users need; it is never changed.

    Names the recorded report of its results that was looked at, and shows it. In GitLab a comment on the commit, by a member
    of the UAT group; in plain Git a signed tag.
    """
    environ = where.enter(tell=True)
    from quantctl.promotion.signoff import sign_off

    accepted = _each_with_its_reason(accept or [], because or [])
    sign_off(env, note, by, report, stakeholder, accepted, environ)


def rollback_command(
    env: EnvArgument,
    commit: Annotated[str | None, typer.Argument(metavar="[COMMIT]", help="Default: the deployment before.")] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    wait: WaitOption = 0,
    format: FormatOption = Format.table,
) -> None:
    """Bring ENV back to what an earlier deployment was, by a forward commit that restores its tree."""
    environ = where.enter(tell=True)
    from quantctl.promotion import run

    raise typer.Exit(run.rolled_back(env, commit, dry_run, yes, wait * 60, format, environ))


def history_command(
    env: EnvArgument,
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many, the newest first.")] = 20,
    format: FormatOption = Format.table,
) -> None:
    """Deployments of ENV: who, when, from, to, and the gates with their evidence.

    Whoever may push can make a tag that looks like a record: what is told is signed by one of quant:signers, or made by
    those whom GitLab's protected tags let; else it is told as unknown.
    """
    environ = where.enter()
    from quantctl.promotion import run

    run.history(env, limit, format, environ)


def _edge(source: Environment, target: Environment | None, release: Release | None) -> Edge:
    """The edge that is meant; refused when there is none, or when it is not said which."""
    from infra.promotion import EDGES, Edge

    ways = [edge.target for edge in EDGES if edge.source is source]
    asked = _RELEASES[release] if release else target or (ways[0] if len(ways) == 1 else None)
    if asked is None or asked not in ways or (target is not None and target is not asked):
        listed = ", ".join(str(edge) for edge in EDGES)
        found = f"{source} -> {target or '?'}" + (f" --release {release}" if release else "")
        raise UserError("There is no such promotion.", found=found, expected=listed, do_next="name one of these")
    return Edge(source, asked)


def _each_with_its_reason(ids: Sequence[str], because: Sequence[str]) -> dict[str, str]:
    if len(ids) != len(because) or not all(text.strip() for text in because):
        raise UserError(
            "Each --accept needs a --because.", found=f"{len(ids)} and {len(because)}", expected="a reason for each"
        )
    return dict(zip(ids, because, strict=True))
