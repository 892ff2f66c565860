"""Reading what a report is made of: contracts and declared changes, runs, and what the account says."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from infra.naming import names_of as named
from infra.settings import Settings
from infra.vocabulary import Environment
from quantctl.errors import UserError
from quantctl.promotion.gates import Unknown
from quantctl.promotion.read import deployed_commit
from quantctl.records import deployments
from quantctl.records.deployments import PREFIXES
from quantctl.records.repository import Pipelines, read_pipelines
from quantctl.results.account import reading
from quantctl.results.contract import Contract, contract_files, read_contracts
from quantctl.results.declared import Declared, change_files, read_changes
from quantctl.results.history import History, by_inputs
from quantctl.results.model import Looked, Nights, Pair, Results, Side, Why
from quantctl.results.nights import baseline_nights, days_by_this_code, nights_of
from quantctl.results.noise import quiet_days
from quantctl.results.pairs import look
from quantctl.results.statements import Window, identifier
from quantctl.results.verdict import judge
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace

NOISE_DAYS = 15  # before the window
_AT_ONCE = 4  # pairs; a connection may be shared by threads (PEP 249, threadsafety 2)


@dataclass(frozen=True)
class Options:
    """What is asked for. `until`: the last day, yesterday by default; `tables`: these alone; `whole`: no sampling."""

    days: int = 5
    until: datetime.date | None = None
    tables: tuple[str, ...] = ()
    whole: bool = False

    def window(self, now: datetime.datetime) -> Window:
        """The days."""
        last = self.until or (now.date() - datetime.timedelta(days=1))
        return Window(last - datetime.timedelta(days=self.days - 1), last)


def read_results(
    source: Environment, against: Environment, options: Options, environ: Mapping[str, str], tell: Callable[[str], None]
) -> Results:
    """Compare two environments.

    Raises:
        UserError: an environment is not deployed, there are no contracts or wrong ones, or the account does not answer.
    """
    settings = stack_settings(source, environ), stack_settings(against, environ)
    workspace = Workspace(environ)
    pipelines = read_pipelines(settings[0].remote, PREFIXES, settings[0].signers)
    now = workspace.now()
    here, there = (side_of(pipelines, workspace, one, now) for one in settings)
    window = options.window(now)
    history = History(pipelines, settings[0])
    contracts = contracts_at(pipelines, here.commit, history)
    chosen = chosen_of(contracts, options.tables)
    changes = _changes(pipelines, contracts, here.commit, there.commit)
    pair = Pair((source.value, against.value), (here.commit, there.commit))
    whys = by_inputs(contracts, {one.table: history.why(one, *pair.commits) for one in contracts})
    since = window.first - datetime.timedelta(days=NOISE_DAYS)
    tell(f"runs since {since}")
    writers = sorted({one.workflow for one in contracts if one.workflow})
    ran = Window(since, window.last)
    nights = nights_of(writers, (here, there), workspace, environ, history, ran)
    base = baseline_nights(nights, here, workspace, history, ran) if _has_baseline(settings) else None
    wanted = [_question(one, contracts, whys, (nights, base), changes, window, settings) for one in chosen]
    tag = f"quantctl results {source} {here.commit[:12]}"
    with reading(settings[0], environ, tag) as reader, ThreadPoolExecutor(_AT_ONCE) as pool:
        tell(f"comparing {len(wanted)} tables as {reader.role}")

        def look_at(one: Looked) -> Looked:
            names = names_of(settings, one.contract, baseline=one.baseline)
            quiet = since if one.quiet_days else None
            return look(reader, one, names, window, quiet, now.date(), whole=options.whole)

        looked = list(pool.map(look_at, wanted))
    beside = replace(pair, names=(source.value, "the baseline"))
    judged = tuple(judge(one, beside if one.baseline else pair, window.first, declares=bool(changes)) for one in looked)
    days = days_by_this_code(nights, history.at(here.commit), window)
    return Results(pair, window, reader.role, judged, tuple(changes), nights, days)


def contracts_at(pipelines: Pipelines, commit: str, history: History | None = None) -> list[Contract]:
    """The contracts of a commit.

    Raises:
        UserError: there are none; Refused: one is wrong.
    """
    files = contract_files(pipelines.blobs(commit))
    if not files:
        raise UserError(
            "There are no contracts, so nothing says which tables matter and what makes two rows one.",
            found=f"no contracts/*.odcs.yaml at {commit[:12]}",
            do_next="write a first one from a table: quantctl results ENV --propose TABLE",
        )
    known = history.at(commit) if history is not None else None
    return read_contracts(pipelines.read_all(commit, files), None if known is None or isinstance(known, str) else known)


def side_of(pipelines: Pipelines, workspace: Workspace, settings: Settings, now: datetime.datetime) -> Side:
    """An environment as it is deployed.

    Raises:
        UserError: it is not, or at a commit that no branch holds.
    """
    commit = deployed_commit(workspace, settings)
    env = settings.environment
    if commit is None or not pipelines.knows(commit):
        found = "no Git folder" if commit is None else f"the folder at {commit[:12]}, which no branch holds"
        raise UserError(f"{env} is not deployed at a commit of its repository.", found=found, do_next=f"quantctl up {env}")
    return Side(settings, commit, deployments.records(pipelines, "deployment", env, now))


def chosen_of(contracts: Sequence[Contract], tables: Sequence[str]) -> list[Contract]:
    """The contracts of these tables; all of them where none is named.

    Raises:
        UserError: one has none.
    """
    wanted = {name.upper() for name in tables}
    if strange := sorted(wanted - {one.table for one in contracts}):
        listed = ", ".join(one.table for one in contracts)
        raise UserError(f"{strange[0]} has no contract.", expected=f"one of {listed}", do_next="name one of these")
    return [one for one in contracts if not wanted or one.table in wanted]


def _changes(pipelines: Pipelines, contracts: Sequence[Contract], here: str, there: str) -> list[Declared]:
    """What the commits between the two declare: files that the other one has not, or has otherwise."""
    now, before = pipelines.blobs(here), pipelines.blobs(there)
    fresh = [path for path in change_files(now) if now[path] != before.get(path)]
    return read_changes(pipelines.read_all(here, fresh), contracts)


def _question(
    contract: Contract,
    contracts: Sequence[Contract],
    whys: Mapping[str, Why],
    both: tuple[Mapping[str, Nights | Unknown], Mapping[str, Nights | Unknown] | None],
    changes: Sequence[Declared],
    window: Window,
    settings: tuple[Settings, Settings],
) -> Looked:
    """What is known of a table before the account is asked."""
    baseline = contract.baseline and both[1] is not None
    nights = both[1] if contract.baseline and both[1] is not None else both[0]
    own = nights.get(contract.workflow, {})
    by_table = {one.table: one for one in contracts}
    upstream = {by_table[name].workflow for name in contract.inputs} - {contract.workflow, ""}
    return Looked(
        contract,
        whys[contract.table],
        nights=own,
        upstream={name: nights[name] for name in sorted(upstream)},
        quiet_days=[] if isinstance(own, Unknown) else quiet_days(own, window.first),
        declared=[one for one in changes if one.table == contract.table],
        slices={} if baseline else slices(contract, settings),
        baseline=baseline,
    )


def slices(contract: Contract, settings: Sequence[Settings]) -> dict[str, list[str]]:
    """Column -> values to which the limited release limits a table, where one side is limited."""
    found = {}
    for one in settings:
        for parameter, value in (one.limited_release.parameters if one.limited_release else {}).items():
            if (column := contract.limited_by.get(parameter)) is not None:
                found[column] = [part.strip() for part in str(value).split(",") if part.strip()]
    return found


def names_of(settings: Sequence[Settings], contract: Contract, *, baseline: bool = False) -> tuple[str, str]:
    """A table of both environments, or of the first and its baseline, whole and quoted."""
    one, other = settings
    places = [(one, one.schema_.upper()), (one, named(one).baseline) if baseline else (other, other.schema_.upper())]
    here, there = (".".join(map(identifier, (it.database.upper(), schema, contract.table))) for it, schema in places)
    return here, there


def _has_baseline(settings: tuple[Settings, Settings]) -> bool:
    """Whether a limited release that has one is compared with production."""
    release = settings[0].limited_release
    return release is not None and release.baseline and settings[1].is_live
