"""An update that failed or was interrupted: what it left, which is never clean. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from quantctl.drift.changed import engine_fix, is_git_folder, named
from quantctl.drift.finding import By, Class, Finding, Fix
from quantctl.drift.folder import half
from quantctl.drift.steps import Refresh, Step
from quantctl.engine.said import reason


def unfinished_findings(env: str, refresh: Refresh) -> list[Finding]:
    """Told before everything else. The state alone says most of it; the history, that an update failed at all."""
    found = [*_begun(env, refresh), *_failed(env, refresh), *_half(env, refresh), *_missing(env, refresh)]
    last = refresh.last
    if last is None or found:
        return found
    if not last.began:
        return [
            _first(
                env,
                Class.WAITING,
                "the last update",
                "it ended well",
                f"failed at {last.at}, and changed nothing",
                _go_on(env),
            )
        ]
    return [_first(env, Class.DRIFT, "the last update", "it ended well", f"failed at {last.at}", _go_on(env))]


def missing_again(env: str, before: Refresh, after: Refresh) -> list[Finding]:
    """What was declared before a fix and is not in the state after it: taken out, and not created again."""
    kept = {step.urn for step in after.steps}
    return [
        _first(env, Class.DRIFT, named(step), "there", "missing, and no longer in the state", _go_on(env), step.urn)
        for step in before.steps
        if step.urn not in kept
    ]


def _begun(env: str, refresh: Refresh) -> Iterator[Finding]:
    for operation in refresh.begun:
        words = Fix(f"quantctl repair {env}", By.REPAIR)
        yield _first(
            env, Class.DRIFT, operation, "ended", "an update was interrupted meanwhile: its result is unknown", words
        )


def _failed(env: str, refresh: Refresh) -> Iterator[Finding]:
    for step in refresh.steps:
        if step.failed:
            yield _first(
                env,
                Class.DRIFT,
                named(step),
                "updated",
                f"its last update failed: {reason(step.failed[0])}",
                _retry(env, refresh, step),
                step.urn,
            )


def _half(env: str, refresh: Refresh) -> Iterator[Finding]:
    if new := half(refresh):
        [folder] = [step for step in refresh.steps if is_git_folder(step)][:1]
        real = f"the folder is at {new[:12]}, and the update did not come to its end"
        do = f"`quantctl up {env}` finishes it; `quantctl rollback {env}` goes back"
        yield _first(env, Class.DRIFT, "half an update", f"all of {env} at {refresh.commit[:12]}", real, Fix(do), folder.urn)


def _missing(env: str, refresh: Refresh) -> Iterator[Finding]:
    if refresh.missing:
        what = "resource" if refresh.missing == 1 else "resources"
        real = f"{refresh.missing} {what} of those that were deployed, in no state: an update or a destroy has not ended"
        yield _first(env, Class.DRIFT, "what is missing", "none", real, Fix(f"quantctl up {env}", By.ALL))


def _retry(env: str, refresh: Refresh, step: Step) -> Fix:
    return _go_on(env) if half(refresh) else engine_fix(env, step.urn)


def _go_on(env: str) -> Fix:
    return Fix(f"quantctl up {env}, once what it names is put right")


def _first(env: str, kind: Class, resource: str, declared: str, real: str, fix: Fix, urn: str = "") -> Finding:
    return Finding(env, kind, resource, "last update", declared, real, fix, urn, first=True)
