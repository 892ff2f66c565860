"""The commands that a text names: found in it as they are printed, and held against what there is."""

from __future__ import annotations

import ast
import os
import pty
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from quantctl import main
from tests.paths import ROOT

PROGRAMS = "quantctl|pulumi|git|make"
HOLE = "{}"  # where a message fills in a value
_QUOTED = re.compile(r"`([^`]+)`")
_BARE = re.compile(rf"(?<![\w`/.@-])(?:{PROGRAMS}) [a-z-][^`\n]*")
# Where a command ends that nothing encloses: a sentence's punctuation, another command, a redirection, a comment.
_END = re.compile(r"""[;,:]\s|[;,:.]$|\.\s|\.(?=\{\})|\)|\]\(|\s\(|\s&&\s|\s[>#|]|\s\.\.\.|\s--?>|</|\s{2,}""")
_WORDS = re.compile(r"\{(?:env)?\}|\[?\bENV\b\]?|\bN\b")
_VALUES = ("quant_stg", "look", "7")  # an environment, a step, a number: one of them fits each hole
# What a sentence says of a program, which is no command: "quantctl does not run from a checkout", "make them".
_SAID = {
    "quantctl": {"check::{}", "does", "never", "failed", "of"},
    "pulumi": {"of", "asks", "could", "does", "ended", "runs", "says", "was", "that", "on"},
    "git": {
        "are",
        "cannot",
        "could",
        "does",
        "is",
        "it",
        "itself",
        "makes",
        "program",
        "said",
        "takes",
        "with",
        "would",
        "in",
    },
}
_OBJECTS = re.compile("(?:an?|any|another|checks|its?|more|of|one|or|room|such|that|the|them|these|things|this|what)$")
# What a run of a baseline and the queries of a report are called by.
_NAMES = re.compile(r"quantctl (?:baseline|results)(?: \{\}){2,}")
_TARGETS = re.compile(r"^([a-z-]+):", re.M)


def texts(source: str) -> Iterator[str]:
    """Every text of a Python source, with a hole for each value that is filled in."""
    tree = ast.parse(source)
    parts = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node) if part is not node
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.value


def commands(text: str) -> list[str]:
    """Each command that a text names, from the program's name on; a bare one as far as its sentence goes."""
    found = []
    for quoted in _QUOTED.findall(text):
        chain = re.split(r"\s&&\s", quoted)
        if all(re.match(rf"(?:{PROGRAMS}) [a-z-]", one) for one in chain):
            found += [" ".join(one.split()) for one in chain]
    for bare in _BARE.findall(_QUOTED.sub("`", text)):
        for one in re.split(rf"(?<=[\s,;]) *(?=(?:{PROGRAMS}) [a-z-])", bare):
            found.append(_END.split(one, maxsplit=1)[0].strip())
    return [one for one in found if " " in one and not _is_said(one)]


def _target(command: str) -> str:
    words = command.split()[1:]
    return (words[2:] if words[0] == "-C" else words)[0]


def _is_said(command: str) -> bool:
    program, word = command.split()[:2]
    if program == "make":  # an English word too
        return bool(_OBJECTS.match(word))
    if _NAMES.fullmatch(command):
        return True
    return word in _SAID[program]


@cache
def _targets() -> frozenset[str]:
    return frozenset(_TARGETS.findall((ROOT / "Makefile").read_text()))


def fault(command: str) -> str:
    """What is wrong with a command, '' where it is one that there is, with options that it has.

    A sentence that goes on after a command is wrong too: whoever copies it copies the sentence. Backticks end a command.
    """
    program = command.split()[0]
    if program == "make":
        return "" if _target(command) in _targets() else "the Makefile has no such target"
    said, holes = "", len(_WORDS.findall(command))
    for values in product(_VALUES, repeat=holes):
        filled = iter(values)
        words = _split(_WORDS.sub(lambda _: next(filled), command))[1:]  # noqa: B023  # used at once
        words = words[: words.index(">")] if ">" in words else words
        said = _quantctl(words) if program == "quantctl" else _helped(program, words)
        if not said:
            return ""
    return said


def _split(command: str) -> list[str]:
    """As a shell splits it; by blanks alone where an apostrophe belongs to the sentence."""
    try:
        return shlex.split(command, comments=True)
    except ValueError:
        return command.split()


@cache
def _menu() -> Any:
    return main.command()


def _quantctl(words: list[str]) -> str:
    found: Any = _menu()
    if words[0].startswith("--"):
        return ""  # the menu's own options
    path: list[str] = []
    while getattr(found, "commands", None) and len(path) < len(words) and words[len(path)] in found.commands:
        path.append(words[len(path)])
        found = found.commands[path[-1]]
        found = found.load() if isinstance(found, main.Entry) else found
    if not path:
        return f"quantctl has no command {words[0]}"
    if getattr(found, "commands", None) and path == ["lock"]:
        found = found.commands["show"]  # which it is by default
    elif getattr(found, "commands", None):
        return "" if len(path) == len(words) else f"quantctl {' '.join(path)} has no command {words[len(path)]}"
    rest = words[len(path) :]
    return _against(found, " ".join(path), rest) if rest else ""  # without any it is named, and nobody is to run it


def _against(command: Any, path: str, words: list[str]) -> str:
    try:
        command.make_context(path, words)
    except Exception as error:  # whatever typer has against it
        return str(error) or f"quantctl {path} needs more"
    return ""


@cache
def _help(program: str, *path: str) -> str:
    option = "--help" if program == "pulumi" else "-h"
    done = subprocess.run([program, *path, option], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)
    return done.stdout + done.stderr if done.returncode in (0, 129) else ""  # git ends so after its usage


def _helped(program: str, words: list[str]) -> str:
    """What a program that is not ours has against a command: its help does not name the word or the option."""
    if words[:1] == ["-C"]:
        words = words[2:]
    path = (
        words[:2]
        if program == "pulumi" and words[0] in ("stack", "config", "state") and words[1:2] and words[1][0] != "-"
        else words[:1]
    )
    text = _help(program, *path).replace("[no-]", "")
    if not text:
        return f"{program} has no command {' '.join(path)}"
    for option in (word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)):
        if not re.search(rf"(?<![\w-]){re.escape(option.replace('--no-', '--'))}(?![\w-])", text):
            return f"{program} {' '.join(path)} has no option {option}"
    return ""


def carry_out(printed: str, environ: dict[str, str], folder: Path = ROOT, **values: str) -> subprocess.CompletedProcess[str]:
    """Run a command exactly as it was printed, at a terminal at which somebody answers yes to every question.

    `values` are what somebody types in the place of its words, such as NAME. The engine asks only where its output is a
    terminal too, so it is told yes.
    """
    words = [values.get(word, word) for word in shlex.split(printed)]
    if "&&" in words:
        words = ["bash", "-c", printed]
    words[0] = shutil.which(words[0], path=environ["PATH"]) or words[0]
    if printed.startswith(("pulumi up", "pulumi refresh")):
        words += ["--yes", "--skip-preview"]
    if printed.startswith("pulumi state"):
        words += ["--yes"]
    ours, theirs = pty.openpty()
    try:
        os.write(ours, b"y\n" * 4)
        return subprocess.run(
            words, cwd=folder, env=environ, stdin=theirs, capture_output=True, text=True, timeout=300, check=False
        )
    finally:
        os.close(ours)
        os.close(theirs)


def the_way(said: str, word: str) -> str:
    """The one command among those that were printed that has this word, or the one chain of commands."""
    quoted = {" ".join(one.split()) for one in _QUOTED.findall(said) if word in one.split()}
    [found] = quoted or {one for one in commands(said) if word in one.split()}
    return found
