"""Reads account statements word by word. sqlglot leaves most of them unparsed, so this small reader is ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from sandbox.account.errors import syntax

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<string>'(?:[^'\\]|''|\\.)*'|\$\$.*?\$\$)|(?P<quoted>"(?:[^"]|"")*")"""
    r"""|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w$]*)|(?P<sign>[^\w\s])""",
    re.S | re.X,
)


@dataclass(frozen=True)
class Token:
    """`text` is the value: unquoted and, for a bare word, in upper case."""

    kind: str
    text: str
    raw: str


def tokens(sql: str) -> list[Token]:
    """The words of a statement, without comments."""
    found: list[Token] = []
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        if match is None:
            raise syntax(sql[at])
        at = match.end()
        kind, raw = str(match.lastgroup), match.group()
        if kind == "space":
            continue
        text = raw
        if kind == "string":
            inner = raw[2:-2] if raw.startswith("$$") else re.sub(r"\\(.)", r"\1", raw[1:-1].replace("''", "'"))
            text = inner
        elif kind == "quoted":
            text = raw[1:-1].replace('""', '"')
        elif kind == "word":
            text = raw.upper()
        found.append(Token(kind, text, raw))
    while found and found[-1].raw == ";":
        found.pop()
    return found


class Reader:
    """A position in a statement."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self._tokens = tokens(sql)
        self._at = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._tokens)

    def peek(self) -> Token | None:
        """The next word, not taken."""
        return None if self.done else self._tokens[self._at]

    def take(self, *words: str) -> bool:
        """Take these words if they come next, all or none."""
        ahead = self._tokens[self._at : self._at + len(words)]
        if [t.text if t.kind in ("word", "sign") else None for t in ahead] != list(words):
            return False
        self._at += len(words)
        return True

    def need(self, *words: str) -> None:
        """These words must come next."""
        if not self.take(*words):
            raise self.unexpected()

    def any(self) -> Token:
        """The next word, whatever it is."""
        token = self.peek()
        if token is None:
            raise self.unexpected()
        self._at += 1
        return token

    def end(self) -> None:
        """Nothing may be left."""
        if not self.done:
            raise self.unexpected()

    def name(self) -> str:
        """An identifier with its qualifiers, joined by dots."""
        parts = [self._part()]
        while self.take("."):
            parts.append(self._part())
        return ".".join(parts)

    def _part(self) -> str:
        token = self.any()
        if token.kind not in ("word", "quoted"):
            self._at -= 1
            raise self.unexpected()
        return token.text

    def string(self) -> str:
        """A quoted text."""
        token = self.any()
        if token.kind != "string":
            self._at -= 1
            raise self.unexpected()
        return token.text

    def properties(self) -> dict[str, Any]:
        """KEY = value, as many as there are, with or without commas between."""
        found: dict[str, Any] = {}
        while not self.done:
            self.take(",")
            key = self.any()
            if key.kind != "word":
                self._at -= 1
                raise self.unexpected()
            if key.text == "TRIGGERS":
                found |= self._triggers()
                continue
            self.need("=")
            found[key.text] = self.value()
        return found

    def _triggers(self) -> dict[str, list[str]]:
        """TRIGGERS of a resource monitor: ON <number> PERCENT DO NOTIFY | SUSPEND | SUSPEND_IMMEDIATE, repeated."""
        found: dict[str, list[str]] = {"NOTIFY": [], "SUSPEND": [], "SUSPEND_IMMEDIATE": []}
        while self.take("ON"):
            percent = self.any().text
            self.need("PERCENT", "DO")
            action = self.any().text
            if action not in found:
                self._at -= 1
                raise self.unexpected()
            found[action].append(f"{percent}%")
        return found

    def value(self) -> Any:
        """A text, number, word, or a list in parentheses."""
        if self.take("("):
            items = []
            while not self.take(")"):
                self.take(",")
                items.append(self.any().text)
            return items
        if self.take("-"):
            return f"-{self.any().text}"
        token = self.any()
        if token.kind == "word" and token.text in ("TRUE", "FALSE"):
            return token.text.lower()
        if token.kind in ("word", "quoted") and (following := self.peek()) and following.raw == ".":
            parts = [token.text]
            while self.take("."):
                parts.append(self._part())
            return ".".join(parts)
        return token.text

    def words_until(self, *stops: str) -> list[str]:
        """Comma-separated phrases up to one of the stop words, which is left."""
        phrases: list[str] = []
        current: list[str] = []
        while (token := self.peek()) is not None and not (token.kind == "word" and token.text in stops):
            if token.raw == ",":
                phrases.append(" ".join(current))
                current = []
            else:
                current.append(token.text)
            self._at += 1
        return [*phrases, " ".join(current)]

    def unexpected(self) -> Exception:
        """The syntax error of this place."""
        token = self.peek()
        return syntax(token.raw if token else "<EOF>")
