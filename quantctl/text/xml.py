"""Text for XML 1.0, which does not have every character. Pure."""

from __future__ import annotations

import re

from quantctl.text.plain import one_line

# https://www.w3.org/TR/xml/#charsets
_NONE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(text: str) -> str:
    """`text` with the characters that XML does not have as escapes; the library escapes the rest."""
    return _NONE.sub(lambda found: one_line(found.group()), text)
