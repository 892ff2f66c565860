"""Quartz cron expressions, as schedules have them.

https://www.quartz-scheduler.org/documentation/quartz-2.3.0/tutorials/crontrigger.html
"""

from __future__ import annotations

import re

_FIELDS = ("seconds", "minutes", "hours", "day of month", "month", "day of week", "year")
_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_DAY_OF_MONTH, _MONTH, _DAY_OF_WEEK = 3, 4, 5
_SPECIAL = {
    _DAY_OF_MONTH: re.compile(r"\?|L(-\d{1,2})?|LW|\d{1,2}W"),
    _DAY_OF_WEEK: re.compile(r"\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])"),
}


def cron_problem(expression: str) -> str | None:
    """What is wrong with an expression, in words; None when it is right."""
    parts = expression.upper().split()
    example = 'for example "0 30 6 ? * MON-FRI"'
    if len(parts) == 5:
        return f"it has the five fields of crontab, Quartz has six and begins with seconds, {example}"
    if len(parts) not in (6, 7):
        return f"it has {len(parts)} fields, expected six or seven ({', '.join(_FIELDS)}), {example}"
    for index, part in enumerate(parts):
        if not all(_right(index, one) for one in part.split(",")):
            low, high = _RANGES[index]
            return f"its {_FIELDS[index]} are {part}, expected {low} to {high}, {example}"
    if (parts[_DAY_OF_MONTH] == "?") == (parts[_DAY_OF_WEEK] == "?"):
        return f"exactly one of day of month and day of week is ?, {example}"
    return None


def _right(index: int, part: str) -> bool:
    if index in _SPECIAL and _SPECIAL[index].fullmatch(part):
        return True
    base, slash, step = part.partition("/")
    if slash and not re.fullmatch(r"[1-9]\d{0,3}", step):
        return False
    if base == "*" or (slash and base == ""):
        return True
    ends = base.split("-")
    return len(ends) <= 2 and all(_value(index, end) for end in ends)


def _value(index: int, text: str) -> bool:
    names = {_MONTH: _MONTHS, _DAY_OF_WEEK: _DAYS}.get(index, ())
    low, high = _RANGES[index]
    return text in names or (re.fullmatch(r"\d{1,4}", text) is not None and low <= int(text) <= high)
