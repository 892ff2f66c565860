"""Reads account statements word by word. sqlglot leaves most of them unparsed, so this small reader is ours."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.account import names
from sandbox.account.errors import SqlError, syntax, unsupported

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|//[^\n]*|/\*.*?\*/)|(?P<string>'(?:[^'\\]|''|\\.)*'|\$\$.*?\$\$)"""
    r"""|(?P<quoted>"(?:[^"]|"")*")|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w$]*)|(?P<sign>[^\w\s])""",
    re.S | re.X,
)
# Words that the product's syntax has in places where this sandbox reads none.
_OF_THE_PRODUCT = {
    "AFTER", "AT", "BEFORE", "CLONE", "CONTACT", "FORCE", "HISTORY", "LIMIT", "MASKING",
    "POLICY", "PRIVILEGES", "REPLICATION", "ROTATE", "ROW", "SWAP", "TAG", "TERSE", "WORKLOAD_IDENTITY",
}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class Token:
    """`text` is the value: unquoted and, for a bare word, in upper case; `at` where it begins."""

    kind: str
    text: str
    raw: str
    at: int


def tokens(sql: str) -> list[Token]:
    """The words of a statement, without comments and the semicolon at its end."""
    found: list[Token] = []
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        if match is None:
            raise _syntax_at(sql, at, sql[at])
        kind, raw = str(match.lastgroup), match.group()
        if kind != "space":
            found.append(Token(kind, _text(kind, raw), raw, at))
        at = match.end()
    while found and found[-1].raw == ";":
        found.pop()
    return found


def _text(kind: str, raw: str) -> str:
    if kind == "string" and raw.startswith("$$"):
        return raw[2:-2]
    if kind == "string":
        return re.sub(r"''|\\(.)", lambda m: _ESCAPES.get(m[1], m[1]) if m[1] else "'", raw[1:-1], flags=re.S)
    if kind == "quoted":
        return raw[1:-1].replace('""', '"')
    return raw.upper() if kind == "word" else raw


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

    def kind(self, *kinds: str) -> Token:
        """The next word, which must be of one of these kinds."""
        token = self.peek()
        if token is None or token.kind not in kinds:
            raise self.unexpected()
        self._at += 1
        return token

    def key(self) -> str:
        """The word before an equals sign, which is taken too."""
        token = self.kind("word")
        if not self.take("="):
            self._at -= 1
            raise self.unexpected()
        return token.text

    def end(self) -> None:
        """Nothing may be left."""
        if not self.done:
            raise self.unexpected()

    def name(self) -> str:
        """An identifier with its qualifiers."""
        parts = [self.kind("word", "quoted").text]
        while self.take("."):
            parts.append(self.kind("word", "quoted").text)
        return names.join(parts)

    def string(self) -> str:
        """A quoted text."""
        return self.kind("string").text

    def words_until(self, *stops: str) -> list[str]:
        """Comma-separated phrases of words up to one of the stop words, which is left."""
        phrases: list[list[str]] = [[]]
        while (token := self.peek()) is not None and not (token.kind == "word" and token.text in stops):
            if self.take(","):
                phrases.append([])
            elif phrases[-1] and self.take("."):  # CREATE SNOWFLAKE.ML.FORECAST
                phrases[-1][-1] += f".{self.kind('word').text}"
            else:
                phrases[-1].append(self.kind("word").text)
        if not all(phrases):
            raise self.unexpected()
        return [" ".join(phrase) for phrase in phrases]

    def unexpected(self) -> SqlError:
        """The syntax error of this place; a word of the product's that is not emulated is named as such."""
        token = self.peek()
        if token is not None and token.kind == "word" and token.text in _OF_THE_PRODUCT:
            return unsupported(self.sql)
        return _syntax_at(self.sql, token.at, token.raw) if token else _syntax_at(self.sql, len(self.sql), "<EOF>")


def _syntax_at(sql: str, at: int, near: str) -> SqlError:
    before = sql[:at]
    return syntax(near, before.count("\n") + 1, at - (before.rfind("\n") + 1))
