"""What of a pair's figures was expected, and what was not. Pure.

A table whose code is the same on both sides should hold the same: a difference is a finding, however small. One whose code
has changed may differ; where a change says what it is meant to do, it is held to that, and so is everything beside it.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from quantctl.results import noise
from quantctl.results.causes import cause_of
from quantctl.results.figures import Effect, Figures
from quantctl.results.model import Cause, Expected, Finding, Judged, Level, Looked, Pair
from quantctl.text.plain import counted

_UNKNOWN, _UNEXPECTED = Level.UNKNOWN, Level.UNEXPECTED
Day = datetime.date | None


def judge(looked: Looked, pair: Pair, first: datetime.date, *, declares: bool) -> Judged:
    """One table. `declares`: some change of this promotion says what it is meant to do. `first` day of the window."""
    table, found = looked.contract.table, looked.figures
    if looked.unknown:
        return Judged(looked, tuple(Finding(f"{table}:unknown", _UNKNOWN, table, why) for why in looked.unknown[:1]))
    findings = [
        Finding(f"{table}.{column}:hidden", _UNKNOWN, table, f"its values are not compared: {why}", column)
        for column, why in looked.hidden.items()
    ]
    findings += [
        Finding(f"{table}:check.{name}", _UNKNOWN, table, f"the check {name} could not be evaluated: {why}")
        for name, why in looked.uncheckable.items()
    ]
    if found is None:
        return Judged(looked, tuple(findings))
    whole = _Whole(looked, pair, found, first, declares)
    keys = list(whole.keys())
    findings += [*keys, *whole.checks(), *whole.schema()]
    if not keys:
        findings += [*whole.missing(), *whole.values()]
    return Judged(looked, tuple(findings), tuple(whole.told), whole.levels, whole.noisy)


class _Whole:
    """One table on its way to a verdict."""

    def __init__(self, looked: Looked, pair: Pair, found: Figures, first: datetime.date, declares: bool) -> None:
        self._looked, self._pair, self._found = looked, pair, found
        self._declares = declares
        self._table = looked.contract.table
        self._same = looked.why.expected is Expected.SAME
        self._days = {day: it for day, it in found.days.items() if day is None or day >= first}
        if not looked.contract.day:
            self._days = {None: found.whole}
        self.told: list[str] = []
        self.noisy: dict[str, int] = {}
        self.levels = {
            name: noise.level(name, found, looked.quiet_days)
            for name, effect in found.whole.effects.items()
            if looked.quiet_days and (effect.largest is not None or effect.beyond == 0)
        }

    def _finding(self, kind: str, text: str, level: Level = _UNEXPECTED, column: str = "") -> Finding:
        return Finding(f"{self._table}{f'.{column}' if column else ''}:{kind}", level, self._table, text, column)

    def keys(self) -> Iterator[Finding]:
        """What makes pairs of rows impossible: then no number is told."""
        whole, keys = self._found.whole, ", ".join(self._looked.contract.keys)
        for number, env in enumerate(self._pair.names):
            if self._looked.alone and number:
                continue
            if whole.null_keys[number]:
                yield self._finding("null-key", f"a key ({keys}) is null in {env}, so rows cannot be paired", _UNKNOWN)
            if whole.duplicate_keys[number]:
                yield self._finding(
                    "duplicate-key", f"the key ({keys}) is not unique in {env}: no rows are paired", _UNKNOWN
                )
        for number, env in enumerate(self._pair.names):
            if not whole.rows[number] and not (self._looked.alone and number):
                yield from self._empty(number, env, whole.rows[1 - number])

    def _empty(self, number: int, env: str, others: int) -> Iterator[Finding]:
        """A table without a row in these days: unexpected where the other one has some, or a run explains it."""
        text = f"it is empty in {env} in these days"
        days = [day for day, it in self._days.items() if it.rows[1 - number]]
        for found in self._dated("empty", text, days) if days else [self._finding("empty", text)]:
            known = found.cause is Cause.RUN or (others and not number)
            yield found if known else replace(found, level=_UNKNOWN)

    def checks(self) -> Iterator[Finding]:
        """The contract's promises, of the environment's own table."""
        contract, env = self._looked.contract, self._pair.names[0]
        for check in contract.checks:
            if check.id in self._looked.uncheckable:
                continue
            measured = self._found.checks.get(check.id)
            if measured is None:
                yield self._finding(f"check.{check.id}", f"the check {check.id} gave no number", _UNKNOWN)
                continue
            shown = measured * 100 / self._found.rows if check.percent and self._found.rows else measured
            if not check.holds(shown):
                text = f"in {env} the check {check.id} fails: {check}"
                if check.error:
                    yield self._finding(f"check.{check.id}", text)
                else:
                    self.told.append(f"warning: {text}")
        age = self._found.age
        if contract.latency is not None and age is not None and age > contract.latency:
            text = f"its newest day in {env} is {counted(age, 'day')} old, {contract.latency:g} promised"
            yield self._finding("late", text)
        yield from self._previous()

    def _previous(self) -> Iterator[Finding]:
        limit = self._looked.contract.previous_day
        days = [(day, it.rows[0]) for day, it in self._days.items() if day is not None and it.rows[0]]
        jumps = []
        for (_, before), (day, now) in itertools.pairwise(days):
            if limit is not None and abs(now - before) * 100 > limit * before:
                jumps.append(day)
        if jumps:
            text = f"its number of rows differs from that of the day before by more than {limit:g} %"
            yield from self._dated("previous-day", text, jumps)

    def schema(self) -> Iterator[Finding]:
        """Columns that are on one side alone, or of another type."""
        allowed = not self._same and (
            not self._declares or any(one.schema for one in self._looked.declared if not one.column)
        )
        for column, (here, there) in self._looked.schema.items():
            one, other = self._pair.names
            if here is None or there is None:
                text = f"{column} is in {other if here is None else one} alone"
            else:
                text = f"{column} is {here} in {one} and {there} in {other}: its values are not compared"
            if allowed:
                self.told.append(text)
            else:
                yield self._finding("type" if here and there else "columns", text, column=column)

    def missing(self) -> Iterator[Finding]:
        """Keys on one side alone."""
        for number, kind in enumerate(("extra-keys", "missing-keys")):
            days = {day: it.only[number] for day, it in self._days.items() if it.only[number]}
            if not days:
                continue
            count, env = sum(days.values()), self._pair.names[number]
            text = f"{counted(count, 'key')} in {env} alone"
            declared = [one.keys for one in self._looked.declared if one.keys is not None]
            total = max(sum(self._found.whole.rows), 1)
            run, rest = self._by_run(days)
            rest = self._by_other_code(rest, text)
            yield from self._dated(kind, f"{counted(sum(days[day] for day in run), 'key')} in {env} alone", run)
            left = sum(days[day] for day in rest)
            if rest and (self._same or self._declares) and not (declared and left <= max(declared) * total):
                yield from self._dated(kind, f"{counted(left, 'key')} in {env} alone", rest)
            elif rest:
                self.told.append(f"{text}, as it may")

    def values(self) -> Iterator[Finding]:
        """Columns whose values differ."""
        for column in self._found.whole.effects:
            effects = {day: it.effects[column] for day, it in self._days.items() if it.effects[column].differing}
            if not effects:
                continue
            level = self.levels.get(column)
            quiet = [day for day, it in effects.items() if _is_noise(it, level)]
            if quiet:
                self.noisy[column] = len(quiet)
            loud = {day: it for day, it in effects.items() if day not in quiet}
            run, rest = self._by_run(loud)
            rest = self._by_other_code(rest, f"{column}: {_count(loud, rest)}")
            yield from self._dated("values", _count(loud, run), run, column)
            if rest and self._same:
                yield from self._dated("values", _count(loud, rest), rest, column)
            elif rest:
                yield from self._changed(column, {day: loud[day] for day in rest})

    def _changed(self, column: str, effects: Mapping[Day, Effect]) -> Iterator[Finding]:
        """A column of a table whose code has changed."""
        text = _count(effects, effects)
        declared = [one for one in self._looked.declared if one.column == column]
        if not declared:
            if self._declares:
                yield from self._dated("undeclared", f"{text}, and no change declares it", effects, column)
            else:
                self.told.append(f"{column}: {text}, as it may: its code has changed and no change is declared")
            return
        compared = sum(self._days[day].compared for day in effects) or 1
        share = sum(one.differing for one in effects.values()) / compared
        over = sum(one.undeclared or 0 for one in effects.values())
        for one in declared:
            if one.rows is not None and share > one.rows:
                told = f"{share:.1%} of its values differ, declared are {one.rows:.1%} ({one.file})"
                yield from self._dated("beyond-declared", told, effects, column)
            elif one.tolerance is not None and over:
                told = f"{counted(over, 'value')} differ by more than is declared ({one}, {one.file})"
                yield from self._dated("beyond-declared", told, effects, column)
            else:
                self.told.append(f"{column}: {text}, as declared ({one}; {one.file})")

    def _by_run(self, days: Iterable[Day]) -> tuple[list[Day], list[Day]]:
        """Days on which a run explains a difference, and the others."""
        listed = list(days)
        run = [day for day in listed if cause_of(day, self._looked, self._pair).cause is Cause.RUN]
        return run, [day for day in listed if day not in run]

    def _by_other_code(self, days: list[Day], text: str) -> list[Day]:
        """Without the days on which the two ran different code, where it is the same by now."""
        other = [day for day in days if self._same and cause_of(day, self._looked, self._pair).cause is Cause.CODE]
        if other:
            self.told.append(f"{text} on {counted(len(other), 'day')}, when the two ran different code")
        return [day for day in days if day not in other]

    def _dated(self, kind: str, text: str, days: Iterable[Day], column: str = "") -> Iterator[Finding]:
        """One finding a cause."""
        by_cause: dict[tuple[Cause, str], list[Day]] = {}
        for day in days:
            it = cause_of(day, self._looked, self._pair)
            by_cause.setdefault((it.cause, it.because if it.cause is not Cause.RUN else ""), []).append(day)
        for number, ((cause, because), these) in enumerate(by_cause.items()):
            if cause is Cause.RUN:
                because = "; ".join(dict.fromkeys(cause_of(day, self._looked, self._pair).because for day in these))
            name = f"{self._table}{f'.{column}' if column else ''}:{kind}" + ("/run" if cause is Cause.RUN else "")
            id = name if number == 0 or cause is Cause.RUN else f"{name}/{number + 1}"
            dated = tuple(day for day in these if day is not None)
            yield Finding(id, _UNEXPECTED, self._table, text, column, dated, cause, because)


def _count(effects: Mapping[Day, Effect], days: Iterable[Day]) -> str:
    chosen = [effects[day] for day in days]
    beyond, nulls = sum(one.beyond for one in chosen), sum(one.nulls for one in chosen)
    told = [f"{counted(beyond, 'value')} beyond the tolerance"] if beyond else []
    return ", ".join(told + ([f"{counted(nulls, 'value')} null on one side alone"] if nulls else []))


def _is_noise(effect: Effect, level: float | None) -> bool:
    return level is not None and not effect.nulls and effect.largest is not None and effect.largest <= level * noise.ROOM
