"""Files as teams have them: exports, JSON, subfolders, what is not read; and files that were made to harm."""

from __future__ import annotations

import json
import tracemalloc
from functools import partial
from typing import Any

import pytest
import yaml

from tests.spent import spent
from tests.workflows import FILE, MINIMAL, PRESENT, expand, job, reading, refused, written

EXPORT: dict[str, Any] = {
    "job_id": 512345678901234,
    "creator_user_name": "dana@quant.example",
    "run_as_user_name": "dana@quant.example",
    "run_as_owner": True,
    "created_time": 1700000000000,
    "settings": {
        "name": "nightly",
        "email_notifications": {"no_alert_for_skipped_runs": False},
        "webhook_notifications": {},
        "timeout_seconds": 0,
        "max_concurrent_runs": 1,
        "format": "MULTI_TASK",
        "deployment": {"kind": "BUNDLE", "metadata_file_path": "/Workspace/Users/d@quant.example/.bundle/x/metadata.json"},
        "edit_mode": "UI_LOCKED",
        "run_as": {"user_name": "dana@quant.example"},
        "git_source": {"git_url": "https://git.example/x.git", "git_provider": "gitLab", "git_branch": "main"},
        "tasks": [
            {
                "task_key": "load",
                "run_if": "ALL_SUCCESS",
                "notebook_task": {"notebook_path": "src/note", "source": "GIT"},
                "timeout_seconds": 0,
                "email_notifications": {},
            }
        ],
    },
}


@pytest.mark.parametrize("ending", ["json", "yml", "yaml"])
def test_an_export_is_read_as_it_was_printed(ending: str) -> None:
    """`databricks jobs get`: settings unwrapped, facts of the exported job left out, the environment's part named."""
    content = json.dumps(EXPORT, indent=2) if ending == "json" else EXPORT
    found = reading({f"workflows/nightly.{ending}": content})
    [one] = found.workflows
    assert (one.key, one.name) == ("nightly", "nightly")
    assert one.job["tasks"][0]["notebook_task"] == {"notebook_path": "/Workspace/quant_stg/src/note"}
    assert not {"format", "deployment", "run_as", "git_source", "settings", "job_id"} & one.job.keys()
    assert "set aside, because the environment says it: run_as, edit_mode, git_source" in str(found.notes[0])


def test_an_export_without_its_answer_is_read_too() -> None:
    """Only its settings: format and deployment are left out."""
    settings = {key: value for key, value in EXPORT["settings"].items() if key not in ("run_as", "edit_mode", "git_source")}
    settings["tasks"] = MINIMAL["tasks"]
    assert reading({"workflows/x.yml": settings}).workflows[0].name == "nightly"
    said = refused({"workflows/x.json": json.dumps({**EXPORT, "jobid": 1}, indent=1)})
    assert "jobid: unknown key beside settings; did you mean job_id?" in said


def test_json_and_subfolders_are_read_and_what_is_not_is_named() -> None:
    """A file that a job uses is not unread, nor is a schema a job."""
    query = {"name": "q", "tasks": [{"task_key": "t", "sql_task": {"warehouse_id": "w", "file": {"path": "./q.sql"}}}]}
    files = {
        "workflows/a.json": json.dumps(MINIMAL),
        "workflows/team/deep/b.yaml": {**MINIMAL, "name": "b"},
        "workflows/team/q.yml": query,
        "workflows/team/q.sql": "select 1",
        "workflows/README.md": "read me",
        "workflows/schema.json": json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema"}),
    }
    read = {path: content for path, content in files.items() if path.endswith((".json", ".yml", ".yaml"))}
    found = reading(read, present=(*PRESENT, *files))
    assert sorted(one.key for one in found.workflows) == ["a", "team/deep/b", "team/q"]
    [note] = map(str, found.notes)
    assert "not read: workflows/README.md, workflows/schema.json;" in note


def test_anchors_and_merge_keys() -> None:
    """What is written itself wins, of several the first; a merged list is the list."""
    text = """
name: x
tags: &tags {team: quant, cost: "1"}
tasks:
  - &task {task_key: a, max_retries: 1, timeout_seconds: 5, spark_python_task: {python_file: src/a.py}}
  - {<<: *task, task_key: b, max_retries: 2}
  - {<<: [{task_key: c}, *task], timeout_seconds: 6}
"""
    tasks = {one["task_key"]: one for one in expand(text)[0]["tasks"]}
    assert (tasks["b"]["max_retries"], tasks["b"]["timeout_seconds"]) == (2, 5)
    assert (tasks["c"]["max_retries"], tasks["c"]["timeout_seconds"]) == (1, 6)


def test_words_mean_what_the_databricks_tools_take_them_for() -> None:
    """`on` and 06:00 are text; JSON's pairs beyond \\uffff are one character."""
    tags = "{start: 06:00, off: yes, when: 2024-01-01}"
    tasks = "[{task_key: no, spark_python_task: {python_file: src/a.py}}]"
    text = f"name: on\ntags: {tags}\ntasks: {tasks}"
    [one] = expand(text)
    assert (one["name"], one["tasks"][0]["task_key"]) == ("on", "no")
    assert one["tags"] == {"start": "06:00", "off": "yes", "when": "2024-01-01"}
    for path in ("workflows/x.yml", "workflows/x.json"):
        content = json.dumps({**MINIMAL, "description": "\U0001f600 pnl"})
        assert "\\ud83d" in content
        assert reading({path: content}).workflows[0].job["description"] == "\U0001f600 pnl"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("name: c3\ntasks: &t [*t]\n", "*t stands within &t"),
        ("a: &a {b: {c: *a}}\n", "*a stands within &a"),
        (BOMB, "more than 100000 values"),
        (BOMB + "name: x\ntasks: *j\n", "more than 100000 values"),
        ("x: *nowhere\n", "no &nowhere before it" if False else "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("{a: " * 100_000, "cannot be read"),
        ("- " * 50_000 + "a", "cannot be read"),
        ('{"a":' * 100_000, "cannot be read"),
        (b"name: \xff\xfe\n", "not UTF-8"),
        ("name: x\n".encode("utf-16"), "not UTF-8"),
        (b"a: \x00b\n", "cannot be read"),
        (b"x" * 2_000_000, "at most 1048576"),
        ("tags: {2025: year}\n", "found the key '2025'; keys are text, quote it"),
        ("true: 1\n", "found the key 'true'"),
        ("null: 1\n", "found the key 'null'"),
        ("1.5: 1\n", "found the key '1.5'"),
        ("? [a, b]\n: 1\n", "a key is text"),
        ("? {a: b}\n: 1\n", "a key is text"),
        ("a: 1\n---\nb: 2\n", "a second document"),
        ("a: !!python/object:os.system x\n", "the tag !!python/object:os.system is not known"),
        ("a: !ref b\n", "the tag !ref"),
        ("<<: 1\n", "<< takes keys and values"),
        ('a: "\\ud800"\n', "cannot be read"),
        ("a: " + "9" * 5000 + "\n", "5000 digits"),
        ("a: .nan\n", "unknown key"),
        ("timeout_seconds: .inf\n", "expected a whole number"),
        ("\t- a\n", "cannot be read"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else str(value)[:20].strip(),
)
def test_content_that_kills_is_refused_in_a_sentence(content: str | bytes, word: str, a_moment: float) -> None:
    """In bounded time and memory, with its place; as YAML and, where it is text of JSON, as JSON."""
    said = refused({"workflows/x.yml": content})
    assert word in said, said

    def both() -> None:
        refused({"workflows/x.yml": content})
        refused({"workflows/x.json": content})

    assert spent(both) < a_moment
    tracemalloc.start()
    both()
    assert tracemalloc.get_traced_memory()[1] < 200_000_000
    tracemalloc.stop()
    assert len(said) < 3000
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def a_moment() -> float:
    """What PyYAML takes, on this machine and now, for 100 kB in which nothing is wrong; in seconds of the processor."""
    text = "".join(f"k{number}: v{number}\n" for number in range(8000))
    return spent(lambda: yaml.safe_load(text))


def test_a_bundles_variables_cannot_kill_either(a_moment: float) -> None:
    """They double a text or a list each, or name each other in a circle."""
    doubling = {f"v{n + 1}": {"default": f"${{var.v{n}}}${{var.v{n}}}"} for n in range(40)} | {"v0": {"default": "xxxx"}}
    lists = {f"v{n + 1}": {"default": [f"${{var.v{n}}}"] * 9} for n in range(12)} | {"v0": {"default": "x"}}
    circle = {"v40": {"default": "${var.a}"}, "a": {"default": "${var.b}"}, "b": {"default": "${var.a}"}}
    for variables, word in (
        (doubling, "characters"),
        (lists | {"v40": {"default": "${var.v12}"}}, "values"),
        (circle, "circle"),
    ):
        one = {**MINIMAL, "description": "${var.v40}"}
        bundle = {"bundle": {"name": "b"}, "variables": variables, "resources": {"jobs": {"one": one}}}
        said = refused({"databricks.yml": bundle})
        assert word in said, said
        assert spent(partial(refused, {"databricks.yml": bundle}), 1) < 8 * a_moment


def test_everything_that_is_wrong_is_told_at_once() -> None:
    """Of all files, not of the first."""
    said = refused(
        {"workflows/a.yml": "a: [", "workflows/b.yml": job({"max_retries": -5}), "workflows/c.yml": {"name": "c"}}
    )
    for file in ("workflows/a.yml", "workflows/b.yml", "workflows/c.yml"):
        assert file in said
    assert written(FILE)
