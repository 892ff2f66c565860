"""How one definition is laid over another, value by value with the place that it comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.workflows.document import Map, Seq, copied, read
from infra.workflows.merge import entries_joined, laid_over, override, without_nulls


def yaml(name: str, text: str) -> Any:
    return read(f"{name}.yml", text.encode())


def told(value: Any, where: str = "", mark: Any = None) -> Iterator[str]:
    """Each value at the end of a way: `tags.a = 1 (base 2)`."""
    if isinstance(value, Map) and value:
        for key, item in value.items():
            yield from told(item, f"{where}.{key}".lstrip("."), value.marks[key])
    elif isinstance(value, Seq) and value:
        for number, (item, at) in enumerate(zip(value, value.marks, strict=True)):
            yield from told(item, f"{where}[{number}]", at)
    else:
        yield f"{where} = {value!r} ({mark.file.removesuffix('.yml')} {mark.line})"


BASE = """name: one
tags: {a: "1", b: "2"}
schedule:
  quartz: daily
  zone: UTC
tasks:
- task_key: first
  notebook_task: {path: x, parameters: {day: "1"}}
  libraries: [a, b]
- {task_key: second, parameters: [{name: p, x: 1}]}
parameters: [{name: p, default: "1"}, {name: q, default: "2"}]
mail: {failure: [x, y]}
word: text
clusters: [{key: c}]
"""


def laid(by: Callable[[Any, Any], Any], over: str) -> tuple[list[str], list[str]]:
    """What is there now and was not, and what was there and is not; base and over are left as they were."""
    base, above = yaml("base", BASE), yaml("over", over)
    kept, wanted = list(told(copied(base))), list(told(copied(above)))
    made = by(base, above)
    found, before = list(told(made)), list(told(base))
    scribble(made)
    assert (list(told(base)), list(told(above))) == (kept, wanted)
    return [one for one in found if one not in before], [one for one in before if one not in found]


def scribble(value: Any) -> None:
    """Change everything in place: whoever shares a part of it would see."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        scribble(item)
    if isinstance(value, (dict, list)):
        value.clear()


PER_ENVIRONMENT: list[tuple[str, list[str], list[str]]] = [
    ("word: other", ["word = 'other' (over 1)"], ["word = 'text' (base 13)"]),
    ("new: {a: 1}", ["new.a = 1 (over 1)"], []),
    ('tags: {b: "3", c: "4"}', ["tags.b = '3' (over 1)", "tags.c = '4' (over 1)"], ["tags.b = '2' (base 2)"]),
    ("schedule:\n  zone: CET", ["schedule.zone = 'CET' (over 2)"], ["schedule.zone = 'UTC' (base 5)"]),
    (
        "schedule: null",
        ["schedule = None (over 1)"],
        ["schedule.quartz = 'daily' (base 4)", "schedule.zone = 'UTC' (base 5)"],
    ),
    (
        "tasks:\n- task_key: first\n  notebook_task: {parameters: {night: '2'}}",
        ["tasks[0].task_key = 'first' (over 2)", "tasks[0].notebook_task.parameters.night = '2' (over 3)"],
        ["tasks[0].task_key = 'first' (base 7)"],
    ),
    (
        "tasks:\n- task_key: first\n  libraries: [c]",
        ["tasks[0].task_key = 'first' (over 2)", "tasks[0].libraries[0] = 'c' (over 3)"],
        [
            "tasks[0].task_key = 'first' (base 7)",
            "tasks[0].libraries[0] = 'a' (base 9)",
            "tasks[0].libraries[1] = 'b' (base 9)",
        ],
    ),
    ("tasks:\n- {task_key: third}", ["tasks[2].task_key = 'third' (over 2)"], []),
    ("tasks:\n- {name: first}", ["tasks[2].name = 'first' (over 2)"], []),
    (
        "tasks:\n- {task_key: second, parameters: [{name: p}]}",
        ["tasks[1].task_key = 'second' (over 2)", "tasks[1].parameters[0].name = 'p' (over 2)"],
        [
            "tasks[1].task_key = 'second' (base 10)",
            "tasks[1].parameters[0].name = 'p' (base 10)",
            "tasks[1].parameters[0].x = 1 (base 10)",
        ],
    ),
    ("tasks: [word]", ["tasks[2] = 'word' (over 1)"], []),
    ("tasks: []", ["tasks = [] (over 1)"], [one for one in told(yaml("base", BASE)) if one.startswith("tasks")]),
    (
        "parameters: [{name: q, default: '3'}, {name: r}]",
        ["parameters[1].name = 'q' (over 1)", "parameters[1].default = '3' (over 1)", "parameters[2].name = 'r' (over 1)"],
        ["parameters[1].name = 'q' (base 11)", "parameters[1].default = '2' (base 11)"],
    ),
    (
        "mail: {failure: [z]}",
        ["mail.failure[0] = 'z' (over 1)"],
        ["mail.failure[0] = 'x' (base 12)", "mail.failure[1] = 'y' (base 12)"],
    ),
    (
        "clusters: [{key: c, size: 1}]",
        ["clusters[0].key = 'c' (over 1)", "clusters[0].size = 1 (over 1)"],
        ["clusters[0].key = 'c' (base 14)"],
    ),
    ("word: {a: 1}", ["word.a = 1 (over 1)"], ["word = 'text' (base 13)"]),
    ("tags: []", ["tags = [] (over 1)"], ["tags.a = '1' (base 2)", "tags.b = '2' (base 2)"]),
    ("tasks: {a: 1}", ["tasks.a = 1 (over 1)"], [one for one in told(yaml("base", BASE)) if one.startswith("tasks")]),
]


@pytest.mark.parametrize(("over", "new", "gone"), PER_ENVIRONMENT)
def test_an_environments_part_is_laid_over_the_rest(over: str, new: list[str], gone: list[str]) -> None:
    """Objects are merged however deep, lists of named things by name, other lists and values replaced; null takes away."""
    assert laid(override, over) == (new, gone)


BUNDLE: list[tuple[str, list[str], list[str]]] = [
    ("word: other", ["word = 'other' (over 1)"], ["word = 'text' (base 13)"]),
    ("word: null", [], []),
    ("new: null", ["new = None (over 1)"], []),
    ("new: {a: [1]}", ["new.a[0] = 1 (over 1)"], []),
    ('tags: {b: "3", c: "4"}', ["tags.b = '3' (over 1)", "tags.c = '4' (over 1)"], ["tags.b = '2' (base 2)"]),
    ("schedule:\n  zone: CET", ["schedule.zone = 'CET' (over 2)"], ["schedule.zone = 'UTC' (base 5)"]),
    ("schedule: null", [], []),
    ("mail: {failure: [z]}", ["mail.failure[2] = 'z' (over 1)"], []),
    ("tasks:\n- {task_key: first}", ["tasks[2].task_key = 'first' (over 2)"], []),
    ("tasks: []", [], []),
    ("tags: [a]", ["tags[0] = 'a' (over 1)"], ["tags.a = '1' (base 2)", "tags.b = '2' (base 2)"]),
    ("word: [a]", ["word[0] = 'a' (over 1)"], ["word = 'text' (base 13)"]),
    ("tasks: {a: 1}", ["tasks.a = 1 (over 1)"], [one for one in told(yaml("base", BASE)) if one.startswith("tasks")]),
]


@pytest.mark.parametrize(("over", "new", "gone"), BUNDLE)
def test_a_bundles_target_is_laid_over_the_rest(over: str, new: list[str], gone: list[str]) -> None:
    """Objects are merged however deep, every list is concatenated, other values replaced; null changes nothing."""
    assert laid(laid_over, over) == (new, gone)


@pytest.mark.parametrize(("over", "line"), [("tags: {c: '3'}", 2), ("mail: {failure: [z]}", 12), ("word: null", 13)])
def test_what_stays_in_part_keeps_its_place(over: str, line: int) -> None:
    """An object or a list that is added to stands where it began; one that is replaced, where it was replaced."""
    key = over.partition(":")[0]
    found = laid_over(yaml("base", BASE), yaml("over", over))
    assert (found.marks[key].file, found.marks[key].line) == ("base.yml", line)
    for changed in ("word: other", "tags: [a]", "new: null"):
        found = laid_over(yaml("base", BASE), yaml("over", "\n" + changed))
        assert found.marks[changed.partition(":")[0]] == ("over.yml", 2)
    for more, at in (("tags: {c: '3'}", ("base.yml", 2)), ("tasks: []", ("over.yml", 1)), ("tasks: [x]", ("base.yml", 6))):
        assert override(yaml("base", BASE), yaml("over", more)).marks[more.partition(":")[0]] == at
    for by in (override, laid_over):
        found = by(yaml("base", BASE), yaml("over", "tasks: [x]"))
        assert (found.mark, found["tasks"].mark) == (("base.yml", 1), ("base.yml", 7))


def test_entries_of_one_name_become_one() -> None:
    """Where the first stands, the later laid over it; what has no name, and other lists, stay as they are."""
    given = yaml(
        "a",
        """tasks:
- {task_key: x, n: {a: 1}, list: [1]}
- {task_key: y}
- {task_key: x, n: {b: 2}, list: [2], more: null}
- {other: x}
- {other: x}
- word
- word
parameters: [{name: p, default: "1"}, {name: p, default: "2"}]
job_clusters: [{job_cluster_key: c, a: 1}, {job_cluster_key: c, b: 2}]
environments: [{environment_key: e, a: 1}, {environment_key: f}, {environment_key: e, b: 2}]
other: [{name: p}, {name: p}]
""",
    )
    kept = list(told(given))
    assert list(told(entries_joined(given))) == [
        "tasks[0].task_key = 'x' (a 4)",
        "tasks[0].n.a = 1 (a 2)",
        "tasks[0].n.b = 2 (a 4)",
        "tasks[0].list[0] = 1 (a 2)",
        "tasks[0].list[1] = 2 (a 4)",
        "tasks[0].more = None (a 4)",
        "tasks[1].task_key = 'y' (a 3)",
        "tasks[2].other = 'x' (a 5)",
        "tasks[3].other = 'x' (a 6)",
        "tasks[4] = 'word' (a 7)",
        "tasks[5] = 'word' (a 8)",
        "parameters[0].name = 'p' (a 9)",
        "parameters[0].default = '2' (a 9)",
        "job_clusters[0].job_cluster_key = 'c' (a 10)",
        "job_clusters[0].a = 1 (a 10)",
        "job_clusters[0].b = 2 (a 10)",
        "environments[0].environment_key = 'e' (a 11)",
        "environments[0].a = 1 (a 11)",
        "environments[0].b = 2 (a 11)",
        "environments[1].environment_key = 'f' (a 11)",
        "other[0].name = 'p' (a 12)",
        "other[1].name = 'p' (a 12)",
    ]
    assert list(told(given)) == kept
    assert entries_joined(given)["tasks"].mark == given["tasks"].mark
    assert entries_joined(yaml("a", "tasks: word\nparameters: {a: 1}")) == {"tasks": "word", "parameters": {"a": 1}}
    odd = yaml("a", "tasks: word\nenvironments: [{environment_key: e, a: 1}, {environment_key: e, b: 2}]")
    assert entries_joined(odd)["environments"] == [{"environment_key": "e", "a": 1, "b": 2}]


def test_what_is_null_is_not_there() -> None:
    """However deep, with every other value where it was; in a list it stays, for a list has no keys."""
    given = yaml("a", "a: null\nb:\n  c: null\n  d: [1, null, {e: null,\n f: 0}]\ng: ''\nh: [null]\n")
    assert list(told(without_nulls(given))) == [
        "b.d[0] = 1 (a 4)",
        "b.d[1] = None (a 4)",
        "b.d[2].f = 0 (a 5)",
        "g = '' (a 6)",
        "h[0] = None (a 7)",
    ]
    given["made"] = 1  # by the program, so that it stands nowhere
    assert without_nulls(given).marks["made"] == given.mark
    assert without_nulls(given).mark == given.mark and without_nulls(given["b"]["d"]).mark == given["b"]["d"].mark
