"""`quantctl keys`: a new key pair for an environment's service user, while its jobs go on.

The account accepts the new key beside the old one, then the jobs get it: the private half goes straight into the secret
scope and nowhere else. The old one stays accepted until it is retired, for jobs that read it before. What is declared is
read from the state, and what the jobs hold from the scope, so that interrupted anywhere the same command goes on.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from infra.naming import Names, names_of
from infra.service_keys import Slots, is_ours, marker, written
from quantctl.drift.account import Account
from quantctl.engine.lock.backend import need_free
from quantctl.engine.process import policy, run
from quantctl.engine.state import State, States
from quantctl.errors import UserError
from quantctl.keys.decide import bare, filled, slot_to_fill, why_not_retire
from quantctl.keys.kept import keep
from quantctl.keys.old_state import take_out
from quantctl.keys.pair import Pair, new_pair
from quantctl.stack_settings import stack_settings
from quantctl.workspace import Workspace

# Only these change: a rotation must not deploy a branch that has moved meanwhile.
_USER = "**ServiceUser::user"
_SCOPE = ("**Environment::quant*", "**Secrets::secrets", "**SecretScope::scope", "**SecretAcl::service-principal-reads")
_USER_TYPE, _SCOPE_TYPE = "snowflake:index/serviceUser:ServiceUser", "databricks:index/secretScope:SecretScope"
Say = Callable[[str], None]


@dataclass(frozen=True)
class _Begun:
    """A new pair whose public half is in the settings already, and what was declared before."""

    pair: Pair
    slot: int
    state: State
    in_file: bool


def rotate(env: str, environ: dict[str, str], say: Say) -> None:
    """Make a key, let the account accept it, and hand it to the jobs.

    Raises:
        UserError: an update of the environment runs, or this one failed; the same command goes on.
    """
    need_free(env, environ)
    begun = _begin(env, environ, say)
    if not _has(begun.state, _SCOPE_TYPE):
        say("Creating the secret scope and its reader ...")
        # Without the pack, which would judge what is left out of a stack that is not there yet. The next preview judges all.
        _install(env, environ, _SCOPE, judged=False)
    if _has(begun.state, _USER_TYPE):
        say(f"A new key in slot {begun.slot}: updating the service user ...")
        _install(env, environ, [_USER])
    say("Updating the secret that the jobs read ...")
    hand_over(env, begun.pair, environ)
    say(f"Done. The private key is in the secret scope of {env} alone.")
    if any(_declared(begun.state)):
        say(f"The old key (slot {3 - begun.slot}) is still accepted; when no job holds it: quantctl keys retire {env}")
    if begun.in_file:
        say(f"Commit Pulumi.{env}.yaml: an update with the older file is refused.")


def retire(env: str, environ: dict[str, str], say: Say) -> None:
    """Take away the key that the jobs no longer use.

    Raises:
        UserError: it would lock jobs out, or could not be brought to an end; nothing was taken away.
    """
    need_free(env, environ)
    names, workspace = names_of(stack_settings(env, environ)), Workspace(environ)
    state = States(environ).of(env)
    keys = _declared(state)
    if not all(keys):
        say(f"There is one key alone: nothing to retire in {env}.")
        keep(env, keys, environ)
        return
    told = written(workspace.secrets_if_any(names.secret_scope), names.secret_key)
    accepted = _accepted(names, environ)
    older = _older_runs(workspace, state, told.marked_at)
    if reasons := why_not_retire(env, keys, told, accepted, older):
        raise UserError(
            f"The old key of {env} is not retired:\n  " + "\n  ".join(f"- {one}" for one in reasons),
            do_next="wait for these runs, or cancel them" if older else "the above, and then this again",
        )
    slot = told.slot(keys)
    assert slot is not None, "why_not_retire has refused that"
    in_file = keep(env, filled(keys, 3 - slot, None), environ)
    try:
        _install(env, environ, [_USER])
    except UserError:
        keep(env, keys, environ)  # the settings say again what is there
        raise
    for name in workspace.secrets(names.secret_scope):
        if is_ours(name, names.secret_key) and name not in (names.secret_key, marker(keys[slot - 1] or "")):
            workspace.delete_secret(names.secret_scope, name)  # the marker of the key that is gone
    say(f"Done. Slot {3 - slot} is empty; only the key of slot {slot} is accepted.")
    if in_file:
        say(f"Commit Pulumi.{env}.yaml.")


def first_pair(env: str, environ: dict[str, str]) -> Pair | None:
    """Where the jobs have no key yet: a new pair, whose public half is in the settings. Hand it over after the update."""
    settings = stack_settings(env, environ)
    names = names_of(settings)
    held = names.secret_key in Workspace(environ).secrets_if_any(names.secret_scope)
    if held and any(settings.public_keys):
        return None
    return _begin(env, environ, lambda _: None).pair


def hand_over(env: str, pair: Pair, environ: Mapping[str, str]) -> None:
    """Write the private key into the secret scope, then the marker that says whose half it is."""
    names, workspace = names_of(stack_settings(env, environ)), Workspace(environ)
    workspace.put_secret(names.secret_scope, names.secret_key, pair.private)
    workspace.put_secret(names.secret_scope, marker(pair.public), pair.public)


def _begin(env: str, environ: dict[str, str], say: Say) -> _Begun:
    states = States(environ)
    state = states.of(env)
    take_out(env, _declared(state), states, say)
    settings = stack_settings(env, environ)
    # What is declared counts: settings that are older than the last rotation do not take its key away.
    keys = _declared(state) if _has(state, _USER_TYPE) else settings.public_keys
    names = names_of(settings)
    told = written(Workspace(environ).secrets_if_any(names.secret_scope), names.secret_key)
    slot, pair = slot_to_fill(env, keys, told), new_pair()
    in_file = keep(env, filled(keys, slot, pair.public), environ)
    return _Begun(pair, slot, state, in_file)


def _declared(state: State) -> Slots:
    """The public keys of the state's service user."""
    inputs = next((one.get("inputs") or {} for one in state.resources if one.get("type") == _USER_TYPE), {})
    first, second = (bare(str(inputs.get(name) or "")) or None for name in ("rsaPublicKey", "rsaPublicKey2"))
    return first, second


def _has(state: State, kind: str) -> bool:
    return any(one.get("type") == kind for one in state.resources)


def _accepted(names: Names, environ: Mapping[str, str]) -> tuple[str, str] | None:
    import snowflake.connector.errors

    try:
        with contextlib.closing(Account(environ)) as account:
            return account.public_keys(names.service_user)
    except snowflake.connector.errors.Error as error:
        raise UserError(f"Which keys the account accepts is unknown: {' '.join(str(error).split())}") from None


def _older_runs(workspace: Workspace, state: State, since: int) -> dict[str, list[int]]:
    """Workflow -> its runs that began before `since` (ms) and have not ended."""
    return workspace.active_runs(state.jobs, before=datetime.datetime.fromtimestamp(since / 1000, datetime.UTC))


def _install(env: str, environ: Mapping[str, str], targets: Sequence[str], *, judged: bool = True) -> None:
    words = [*(policy() if judged else ()), *(word for target in targets for word in ("--target", target))]
    run(["up", "--yes", "--skip-preview", "-s", env, *words], environ)
