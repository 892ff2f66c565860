"""What is proposed: workflow files, stack files, and every difference that an import in a state of its own shows.

Nothing is changed: what is written are files in adoption/.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping

from infra.naming import names_of
from infra.outside.branch import Snapshot, take_snapshot
from infra.settings import Settings
from infra.vocabulary import Environment
from infra.workflows import Files
from quantctl import project
from quantctl.adopt import decisions as decided
from quantctl.adopt import differences, folder, import_file, importing, present
from quantctl.adopt import generate as generating
from quantctl.adopt import look as looking
from quantctl.adopt.decisions import Decisions, Item
from quantctl.adopt.folder import Place
from quantctl.adopt.model import Look
from quantctl.adopt.pairing import paired
from quantctl.adopt.refusals import refusals
from quantctl.check import told
from quantctl.check.judge import judge
from quantctl.engine.state import put_state
from quantctl.errors import UserError
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace

Say = Callable[[str], None]


def look(env: str, environ: dict[str, str], say: Say) -> Look:
    """Read what is there and keep it in look.json.

    Raises:
        UserError: it cannot be read, or an adoption is under way.
    """
    place = Place.of(env)
    if place.state_before.exists():
        raise UserError(
            f"{env} is imported already; what was found before is needed to verify it.",
            do_next=f"quantctl adopt {env} verify; or quantctl adopt {env} undo",
        )
    found = looking.look(stack_settings(env, environ), environ, say)
    folder.write(place.look, found.model_dump_json(indent=1) + "\n")
    return found


def need_adoptable(found: Look) -> None:
    """Go on only where nothing stands in the way.

    Raises:
        UserError: each reason with its way out.
    """
    if told_ := refusals(found):
        raise UserError(
            f"{found.environment} cannot be adopted as it is:\n  " + "\n  ".join(f"- {one}" for one in told_),
            do_next=f"then: quantctl adopt {found.environment} look",
        )


def generate(env: str, environ: dict[str, str], say: Say) -> str:
    """Write workflow files and stack files of all environments that run by hand; what `quantctl check` says of them.

    Raises:
        UserError: jobs cannot be told apart, or the files would be refused.
    """
    place = Place.of(env)
    need_adoptable(place.read_look())
    looks = _looks(environ, say)
    generating.generate(looks, {one: read_decisions(one) for one in looks}, environ)
    settings = {Environment(one): stack_settings(one, environ, Place.of(one).stack_file) for one in looks}
    verdicts = []
    for one, its in settings.items():
        snapshot = take_snapshot(its.remote, its.branch)
        files = files_of(place, its)
        present_ = frozenset({path for path in snapshot.tree if not path.startswith(f"{its.workflows}/")} | set(files))
        read = _reader(snapshot, files)
        verdicts.append(judge(Files(present_, its.workflows, read), present_, {one: its}))
    if wrong := [verdict for verdict in verdicts if verdict.problems]:
        raise UserError(
            "The workflow files would be refused:\n" + "\n".join(told.text(one) for one in wrong),
            do_next=f"correct the job in the workspace, or allow it in the stack file; then quantctl adopt {env} look",
        )
    return told.text(verdicts[0]) if verdicts else ""


def _looks(environ: dict[str, str], say: Say) -> dict[str, Look]:
    """What was found of each environment; those that nobody has looked at yet are looked at now."""
    found = {}
    for one in Environment:
        place = Place.of(one.value)
        if not place.look.exists():
            say(f"also looks at {one.value}, whose jobs are paired with these")
            look(one.value, environ, lambda _: None)
        there = place.read_look()
        if there.there and not there.holds:
            found[one.value] = there
    return found


def files_of(place: Place, settings: Settings) -> dict[str, bytes]:
    return {f"{settings.workflows}/{name}": content for name, content in place.workflow_files().items()}


def _reader(snapshot: Snapshot, files: Mapping[str, bytes]) -> Callable[[list[str]], dict[str, bytes]]:
    def read(paths: list[str]) -> dict[str, bytes]:
        return {path: files[path] if path in files else snapshot.read([path])[path] for path in paths}

    return read


def read_decisions(env: str) -> Decisions:
    """What a person decided so far."""
    file = Place.of(env).decisions
    return decided.read(str(file), file.read_text()) if file.exists() else Decisions()


def decide(env: str, environ: dict[str, str], say: Say) -> Decisions:
    """Try the import in a state that is thrown away, and write every difference to decisions.yaml.

    What was tried before with the same files is not tried again.

    Raises:
        UserError: a step before is missing, or the trial failed.
    """
    place = Place.of(env)
    generate(env, environ, say)  # what was decided to be kept is in the settings from here on
    settings = stack_settings(env, environ, place.stack_file)
    snapshot = take_snapshot(settings.remote, settings.branch)
    tried = _fingerprint(place, snapshot, environ)
    known = json.loads(place.trial.read_text()) if place.trial.exists() else {}
    if known.get("of") != tried:
        found = [vars(one) for one in _trial(place, settings, snapshot, environ, say)]
        known = {"of": tried, "items": found}
        folder.write_json(place.trial, known)
    items = [Item(**{**one, **{key: tuple(one[key]) for key in ("may", "of", "people")}}) for one in known["items"]]
    made = decided.merged(items, read_decisions(env))
    folder.write(place.decisions, decided.text(env, made))
    return made


def _trial(place: Place, settings: Settings, snapshot: Snapshot, environ: dict[str, str], say: Say) -> list[Item]:
    """The differences that an import in a state of its own shows."""
    env, found, names = place.env, place.read_look(), names_of(settings)
    workflows = paired(_looks(environ, say), {one: read_decisions(one).jobs_left for one in map(str, Environment)})
    me = str(Workspace(environ).me()["userName"])
    judged = present.Present(found, settings, names, present.real(found, workflows), me)
    say("tries the import in a state of its own")
    with (
        importing.scratch(place, environ, place.stack_file) as tried,
        importing.with_files(tried, snapshot, files_of(place, settings), settings.workflows) as there,
    ):
        resources = importing.would_create(env, there, place.stack_file)
        folder.write_json(place.import_file, import_file.import_file(resources, judged.identity))
        made = importing.imported(env, there, place.import_file, resources, protect=settings.is_live)
        put_state(env, there, made)
        steps = differences.steps(importing.preview(env, there, place.stack_file, judged=True))
    return differences.items(steps, found, settings, names)


def _fingerprint(place: Place, snapshot: Snapshot, environ: Mapping[str, str]) -> str:
    """Of everything that a trial depends on: what was found, the files, the branch's head and who looks."""
    made = hashlib.sha256()
    for file in (
        place.look,
        place.stack_file,
        project.root() / "Pulumi.yaml",
        *sorted(place.workflows.glob("*.yml")),
    ):
        made.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    for text in (snapshot.commit, environ.get("SNOWFLAKE_ROLE", ""), environ.get("DATABRICKS_HOST", "")):
        made.update(text.encode() + b"\0")
    return made.hexdigest()
