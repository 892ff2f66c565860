"""What others wrote, as plain text: nothing in it steers a terminal, turns the direction of reading or ends a line. Pure.

A commit's subject, a job's name, a tag's message, a file's name, an error of another program: all of it is shown, and what
cannot be seen is shown as an escape. https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
"""

from __future__ import annotations

import unicodedata

# Control, format (bidi and zero-width signs among them), private use, surrogates, unassigned, and both separators.
_HIDDEN = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1b": "\\e"}


def one_line(text: str, longest: int = 0) -> str:
    """`text` on one line, every hidden character as an escape; at most `longest` characters where that is given."""
    shown = "".join(_shown(letter) for letter in text)
    return shorten(shown, longest) if longest else shown


def lines(text: str) -> str:
    """The same for a text of several lines, which it keeps."""
    return "\n".join(one_line(line) for line in text.replace("\r\n", "\n").split("\n"))


def seen(text: str) -> str:
    """The same for what is on its way to a terminal: its line ends and tabs stay, and nothing else that cannot be seen."""
    return "\n".join(line if line.isprintable() else _line(line) for line in text.split("\n"))


def shorten(text: str, longest: int) -> str:
    """At most so many characters, and how many there are."""
    return text if len(text) <= longest else f"{text[: longest - 24]}... ({len(text)} characters)"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 commit`, `2 commits`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _line(line: str) -> str:
    return "".join(letter if letter == "\t" else _shown(letter) for letter in line)


def _shown(letter: str) -> str:
    if letter == "\t" or unicodedata.category(letter) in _HIDDEN:
        code = ord(letter)
        return _SHORT.get(letter) or (
            f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
        )
    return letter
