"""What a rotation and a retirement do, from what is declared, written and accepted. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.service_keys import Slots, Written
from quantctl.errors import UserError


def slot_to_fill(env: str, keys: Slots, told: Written) -> int:
    """The slot (1 or 2) that a new key goes into, so that the one that the jobs hold stays accepted meanwhile.

    A rotation that was interrupted between key and marker left jobs that hold the other slot's key.

    Raises:
        UserError: it is unknown which of two keys the jobs hold.
    """
    first, second = keys
    if told.key_at is None:  # the jobs hold none
        return 2 if first and not second else 1
    if (marked := told.marked_slot(keys)) is not None:
        held = marked if told.sure or not all(keys) else 3 - marked
        return 3 - held
    if told.fingerprint is None and first and second:
        raise UserError(
            f"It is unknown which of its two keys the jobs of {env} hold: nothing beside the secret says so.",
            do_next=f"take the one that they do not hold out of Pulumi.{env}.yaml, update, and run this again",
        )
    return 2 if first else 1


def filled(keys: Slots, slot: int, key: str | None) -> Slots:
    """The slots with another key in one of them."""
    first, second = keys
    return (key, second) if slot == 1 else (first, key)


def why_not_retire(
    env: str, keys: Slots, told: Written, accepted: tuple[str, str] | None, older_runs: Mapping[str, Sequence[int]]
) -> list[str]:
    """Why taking the old key away would lock jobs out; nothing where it would not.

    `accepted` is what the account holds, `older_runs` the runs that began before the key was written.
    """
    held = told.slot(keys)
    if held is None:
        return [
            f"it is not sure which key the jobs hold (`quantctl drift {env}`); `quantctl keys rotate {env}` makes a new one"
        ]
    found = []
    if accepted is None or bare(accepted[held - 1]) != keys[held - 1]:
        found.append(f"the account does not accept the key that the jobs hold (slot {held}): quantctl drift {env} --fix")
    for workflow, runs in sorted(older_runs.items()):
        numbers = ", ".join(map(str, runs))
        found.append(f"{workflow} runs since before the new key was written, and may hold the old one: run {numbers}")
    return found


def bare(key: str) -> str:
    """A public key without the lines and the frame of PEM."""
    lines = [line for line in key.splitlines() if not line.startswith("-----")]
    return "".join("".join(lines).split())
