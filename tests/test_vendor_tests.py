"""How the providers' own tests are counted: `make vendor-tests` runs them."""

from __future__ import annotations

import pytest

from tests.vendor_tests.compare import FAIL, PASS, SKIP, disagreements, reasons, results

PRINTED = """
=== RUN   TestInt_Roles
    roles_integration_test.go:20: word
--- FAIL: TestInt_Roles (0.10s)
    --- PASS: TestInt_Roles/create (0.02s)
    --- FAIL: TestInt_Roles/alter:_comment (0.02s)
    --- SKIP: TestInt_Roles/later (0.00s)
FAIL
"""


def test_subtests_are_counted_and_their_parent_is_not() -> None:
    """A parent fails with its subtests."""
    assert results(PRINTED, "TestInt_Roles") == {
        "TestInt_Roles/create": PASS,
        "TestInt_Roles/alter:_comment": FAIL,
        "TestInt_Roles/later": SKIP,
    }


@pytest.mark.parametrize(
    "printed",
    [
        "panic: runtime error",
        "",
        "    --- PASS: T/a (0.0s)\npanic: timed out",
        "--- FAIL: T (0.0s)\n    --- PASS: T/a (0.0s)",
    ],
)
def test_a_test_that_ends_without_a_word_fails(printed: str) -> None:
    """As one does that panics, or fails outside its subtests."""
    assert results(printed, "T")["T"] == FAIL


def test_list_and_reality_must_agree() -> None:
    """A failure without a reason, a reason without a failure; not of tests that were not run."""
    known = {"A/x": "why", "B": "why", "C/z": "why"}
    assert disagreements({"A/x": FAIL, "A/y": PASS, "B": FAIL}, known, ["A", "B"]) == []
    assert disagreements({"A/x": PASS, "A/y": FAIL, "B": SKIP}, known, ["A", "B"]) == [
        "A/y fails, and the list has no reason",
        "A/x is listed (why), and does not fail",
        "B is listed (why), and does not fail",
    ]


def test_a_test_has_one_reason() -> None:
    """Two would hide that one of them is wrong."""
    assert reasons({"a": ["T"], "b": ["U"]}) == {"T": "a", "U": "b"}
    with pytest.raises(ValueError, match="T is listed twice: a; b"):
        reasons({"a": ["T"], "b": ["T"]})
