"""IDENTIFIER(?) and IDENTIFIER('name'), written out before a statement is read.

https://docs.snowflake.com/en/sql-reference/identifier-literal
"""

from __future__ import annotations

from typing import Any

from sandbox.account.reader import tokens


def put_in(sql: str, bindings: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The statement with the names themselves; the other values keep their order."""
    if "identifier" not in sql.lower():
        return sql, bindings
    left: dict[str, Any] = {}
    made, end, place = "", 0, 0
    found = tokens(sql)
    for at, token in enumerate(found):
        inside = [each.text for each in found[at - 3 : at + 2] if at >= 2]
        if token.raw == "?":
            place += 1
        named = at >= 2 and found[at - 2].text == "IDENTIFIER" and found[at - 1].raw == "(" and inside[-1:] == [")"]
        if named and (token.raw == "?" or token.kind == "string"):
            name = str(bindings[str(place)]["value"]) if token.raw == "?" and str(place) in bindings else token.text
            made += sql[end : found[at - 2].at] + name
            end = found[at + 1].at + 1
        elif token.raw == "?" and str(place) in bindings:
            left[str(len(left) + 1)] = bindings[str(place)]
    return made + sql[end:], left if place else bindings
