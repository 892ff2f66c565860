"""The list of mutants after which nothing differs: known by what they change, each with its reason."""

from __future__ import annotations

from fnmatch import fnmatch

import yaml

from bench import equivalent
from bench.equivalent import Change
from bench.mutants import MODULES
from tests.paths import ROOT

SOURCE = """
def x__twice__mutmut_orig(a):
    b = a
    return b + b
def x__twice__mutmut_1(a):
    b = None
    return b + b
def x_open__mutmut_orig(path, name=""):
    return path
def x_open__mutmut_1(path, name="XXXX"):
    return path
class Box:
    def xǁBoxǁopen__mutmut_orig(self):
        return 1
    def xǁBoxǁopen__mutmut_12(self):
        return 2
"""


def test_a_mutant_is_known_by_what_it_changed() -> None:
    """Its function and the lines, of functions and of methods; what is no mutant is none."""
    assert equivalent.changes(SOURCE) == {
        "x__twice__mutmut_1": Change("twice", "b = a", "b = None"),
        "x_open__mutmut_1": Change("open", 'path, name=""):', 'path, name="XXXX"):'),
        "xǁBoxǁopen__mutmut_12": Change("Box.open", "return 1", "return 2"),
    }


def test_an_entry_that_is_no_survivor_is_told() -> None:
    """It is killed, or no longer made."""
    one, other = Change("twice", "b = a", "b = None"), Change("gone", "x", "y")
    assert equivalent.wrong({one, other}, [one]) == ["gone: x -> y"]
    assert equivalent.wrong({one}, [one, other]) == []


def test_every_entry_is_of_a_module_and_has_a_reason() -> None:
    """Of those that are run, with lines that stand in the module today."""
    known = yaml.safe_load((ROOT / "bench" / "equivalent.yaml").read_text())
    assert known and all(any(fnmatch(file, module) for module in MODULES) for file in known)
    for module, entries in known.items():
        assert len(equivalent.listed(entries)) == sum(len(entry["now"]) for entry in entries)
        code = " ".join((ROOT / module).read_text().split())
        for entry in entries:
            assert entry["was"] in code and entry["why"], entry
