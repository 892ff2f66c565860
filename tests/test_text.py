"""What others wrote is shown as text: on a terminal, in Markdown, in XML and in HTML."""

from __future__ import annotations

import json
import re
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantctl.drift.finding import Class, Finding, Fix, report
from quantctl.drift.formats import as_json, as_junit, as_markdown
from quantctl.text.html import element
from quantctl.text.markdown import code, fenced, inline
from quantctl.text.plain import lines, one_line
from quantctl.text.xml import xml

HOSTILE = [
    "\x1b]0;title\x07\x1b[2Jcleared",
    "\x9b31mred",
    "user\u202egpj.exe",
    "zero\u200bwidth\ufeff",
    "@all and @dana",
    "<!-- quantctl drift -->",
    "![x](https://evil.example/p.png)",
    "[click](javascript:alert(1))",
    "/merge",
    "text\n/close",
    "]]> <evil/>",
    "a\ufffe\uffffb\ud800c\x00",
    "`` ` ``` code",
    "| a | b |",
    "</details><script>alert(1)</script>",
    "line\u2028separator\x85next",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_terminal_gets_nothing_that_it_obeys(text: str) -> None:
    """No control, format or separator character is left, and nothing is lost: each is an escape."""
    shown = one_line(text)
    assert all(unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp") for letter in shown)
    assert "\n" not in shown
    shown.encode()
    assert len(lines(text).split("\n")) == text.count("\n") + 1


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_means_nothing_to_a_forge(text: str) -> None:
    """No mention, image, link, comment, HTML or quick action, in a sentence or in a table's cell."""
    shown = inline(text)
    assert not re.search(r"@\w", shown)
    assert not re.search(r"(?<!\\)[\[\]|`]", shown)
    assert "<" not in shown and "://" not in shown
    assert not shown.lstrip(" ").startswith("/")
    assert "\n" not in shown


@pytest.mark.parametrize("text", ["quant_stg", "QUANT.QUANT_STG", "job risk_model", "CAN_MANAGE", "5 % of 3 & 4", "a/b.py"])
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    """Names of ours need no escape."""
    assert inline(text) == text


@given(st.text())
def test_a_code_span_is_never_left(text: str) -> None:
    """The fence is longer than any run of backticks within."""
    shown = code(text)
    fence = re.match(r"`+", shown)
    assert fence is not None and shown.endswith(fence.group())
    assert fence.group() not in shown[len(fence.group()) : -len(fence.group())].strip("`") or len(fence.group()) == 0


@given(st.lists(st.text(), max_size=4))
def test_a_fence_is_never_left(given_lines: list[str]) -> None:
    """No line within begins with the fence."""
    first, *within, last = fenced(given_lines).split("\n")
    assert len(within) == max(1, len(given_lines)) and first == last
    assert not any(line.startswith((first, "/")) for line in within)


@pytest.mark.parametrize("text", HOSTILE)
def test_one_finding_in_every_format(text: str) -> None:
    """JSON and XML are read back; Markdown has no row more than it should, HTML no element more."""
    found = [report("quant", [Finding("quant", Class.DRIFT, f"job {text}", text, text, text, Fix("look at it"))])]
    assert json.loads(as_json(found, 2))["environments"][0]["findings"][0]["declared"] == text
    ElementTree.fromstring(as_junit(found).encode())
    rows = [line for line in as_markdown(found).splitlines() if line.startswith("| job")]
    assert len(rows) == 1 and len(re.findall(r"(?<!\\)\|", rows[0])) == 6
    assert not re.search(r"<(?!/?p>)", element("p", text))


@given(st.text())
def test_xml_takes_everything(text: str) -> None:
    """Whatever a file is called."""
    made = ElementTree.Element("x", name=xml(text))
    ElementTree.fromstring(ElementTree.tostring(made, encoding="unicode").encode())
