"""No file gives a traceback: random content, and random edits of right files, in every environment.

A long run, without what Hypothesis costs: .venv/bin/python -m tests.test_workflows_random 1000000 SEED
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.errors import UserError
from infra.naming import names_of
from infra.settings import Settings
from infra.vocabulary import Environment
from infra.workflows import Definitions, Scene, allowed_keys
from infra.workflows.format import arguments
from tests.corpus import SETTINGS, corpus
from tests.test_settings import read
from tests.workflows import MINIMAL, expand

_KEYS = [
    *allowed_keys(),
    "task_key",
    "spark_python_task",
    "python_file",
    "notebook_task",
    "for_each_task",
    "task",
    "value",
    "spec",
    "dependencies",
    "libraries",
    "whl",
    "rules",
    "metric",
    "environments",
    "quant_stg",
    "quant_live",
    "resources",
    "jobs",
    "targets",
    "permissions",
    "depends_on",
    "sql_task",
    "file",
    "path",
    "settings",
    "job_id",
    "bundle",
    "include",
    "variables",
    "default",
    "lookup",
    "run_job_task",
    "job",
    "new_cluster",
    "init_scripts",
    "workspace",
    "destination",
]
_TEXTS = [
    "src/a.py",
    "../a",
    "${var.x}",
    "${resources.jobs.a.id}",
    "{{secrets/quant/x}}",
    "-r x",
    "git+https://x",
    "*.whl",
    "dbfs:/x",
    "PAUSED",
    "\ud800",
]
_plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(_TEXTS[:-1])
_values = st.recursive(
    _plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=8), inner),
    max_leaves=10,
)
many = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))


@many
@given(st.dictionaries(st.sampled_from(_KEYS), _values, max_size=5), st.booleans(), st.sampled_from(list(Environment)))
def test_any_file_is_read_or_refused_in_words(changed: dict[str, Any], complete: bool, stack: str) -> None:
    """No workflow file and no bundle gives a traceback; what is read runs as no one that the file names."""
    limited = {"limitedRelease": '{"notify": ["a@b.example"], "maxDurationSeconds": 60}'} if stack == "quant_lr" else {}
    try:
        made = expand({**(MINIMAL if complete else {}), **changed}, stack=stack, **limited)
    except UserError as error:
        assert str(error)
    else:
        for one in made:
            assert "run_as" not in one


FILES = corpus()
PRESENT = frozenset(FILES)
PARSED = {
    path: yaml.load(text, yaml.CSafeLoader)
    for path, text in FILES.items()
    if path.endswith((".yml", ".yaml", ".json")) and "nb" not in path
}
SCENES: dict[Environment, Settings] = {
    one: read(one, **{key: json.dumps(value) for key, value in SETTINGS.items()}) for one in Environment
}


def edited(value: Any, pick: random.Random, depth: int = 0) -> Any:
    """A copy with one thing changed: a key or a value dropped, doubled, renamed, exchanged."""
    if isinstance(value, dict) and value and (depth < 1 or pick.random() < 0.85):
        key = pick.choice(list(value))
        way = pick.random()
        if way < 0.6:
            return {**value, key: edited(value[key], pick, depth + 1)}
        if way < 0.7:
            return {name: one for name, one in value.items() if name != key}
        if way < 0.8:
            return {(pick.choice(_KEYS) if name == key else name): one for name, one in value.items()}
        return {
            **value,
            pick.choice(_KEYS): pick.choice([None, "", [], {}, 0, False, value[key], "x", 2**70, -1, pick.choice(_TEXTS)]),
        }
    if isinstance(value, list) and value and pick.random() < 0.85:
        index = pick.randrange(len(value))
        way = pick.random()
        if way < 0.7:
            return [edited(one, pick, depth + 1) if number == index else one for number, one in enumerate(value)]
        return value[:index] + value[index + 1 :] if way < 0.85 else [*value, value[index]]
    return pick.choice(
        [None, "", "x", 0, -1, 1.5, True, [], {}, [None], {"a": None}, [[]], {"": ""}, 2**70, pick.choice(_TEXTS), [value]]
    )


def judged(pick: random.Random, path: str, stack: Environment, times: int) -> bool:
    """Edit a right file so many times and read it; whether it is right still. Raises whatever is no refusal."""
    value = PARSED[path]
    for _ in range(times):
        value = edited(value, pick)
    folder = path.rpartition("/")[0].split("/resources")[0]
    beside = {one: text for one, text in FILES.items() if folder.startswith("bundles/") and one.startswith(f"{folder}/")}
    files = {one: text.encode() for one, text in beside.items() if one in PARSED} | {path: json.dumps(value).encode()}
    settings = SCENES[stack]
    try:
        found = Definitions(files, PRESENT, "workflows").read(Scene(settings, names_of(settings), PRESENT))
    except UserError as error:
        assert str(error).encode()
        return False
    for workflow in found.workflows:  # what is read can be handed to the engine
        json.dumps(arguments(workflow.job), allow_nan=False).encode()
    return True


@many
@given(
    st.randoms(use_true_random=False), st.sampled_from(sorted(PARSED)), st.sampled_from(list(Environment)), st.integers(1, 4)
)
def test_any_edit_of_a_right_file_is_read_or_refused_in_words(
    pick: random.Random, path: str, stack: Environment, times: int
) -> None:
    """And what is read can be handed to the engine: text, numbers, lists, and keys that the SDK has."""
    judged(pick, path, stack, times)


if __name__ == "__main__":
    edits, seed = int(sys.argv[1]), int(sys.argv[2])
    chance, done, right = random.Random(seed), 0, 0
    try:
        while done < edits:
            path, stack = chance.choice(sorted(PARSED)), chance.choice(list(Environment))
            right += judged(chance, path, stack, chance.randint(1, 4))
            done += 1
    except KeyboardInterrupt:
        pass  # how far it came is told
    print(f"seed {seed}: {done} edits, {right} read, {done - right} refused in words, no traceback")
