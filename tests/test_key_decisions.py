"""What a rotation and a retirement decide, and what drift and updates make of a key that is not the one rotated in."""

from __future__ import annotations

from typing import Any

import pytest

from infra.errors import UserError
from infra.naming import names_of
from infra.service_keys import Slots, Written, is_ours, marker, need_held, need_keys, written
from quantctl.drift.finding import By
from quantctl.drift.keys import held_findings
from quantctl.drift.steps import Refresh
from quantctl.keys.decide import bare, filled, slot_to_fill, why_not_retire
from quantctl.keys.old_state import without_key
from quantctl.keys.pair import new_pair
from tests.test_drift_decisions import step
from tests.test_settings import read

A, B, C = (new_pair().public for _ in range(3))
KEY = "snowflake_private_key"


def scope(key_at: int | None, *marks: tuple[str, int]) -> dict[str, int]:
    """What a secret scope lists: the private key, and markers of public keys."""
    return {"other": 9, **({KEY: key_at} if key_at else {}), **{marker(key): at for key, at in marks}}


@pytest.mark.parametrize(
    ("keys", "secrets", "slot"),
    [
        ((None, None), {}, 1),  # the first one
        ((A, None), {}, 2),  # the secret is gone, or a first one that never came to the scope
        ((A, B), {}, 1),
        ((A, None), scope(5, (A, 6)), 2),
        ((None, A), scope(5, (A, 6)), 1),
        ((A, B), scope(5, (A, 5)), 2),  # one that was not retired makes room
        ((A, B), scope(7, (A, 5), (B, 8)), 1),  # the newest marker counts
        ((A, B), scope(7, (A, 5)), 1),  # interrupted before its marker: the jobs hold B
        ((B, A), scope(7, (A, 5)), 2),
        ((A, None), scope(7, (A, 5)), 2),  # written by somebody
        ((A, None), scope(7, (C, 8)), 2),  # a key that nobody declares: the jobs are locked out already
        ((A, None), scope(7), 2),  # made by hand, and one key only
        ((None, A), scope(7), 1),
    ],
)
def test_a_new_key_takes_the_slot_that_no_job_uses(keys: Slots, secrets: dict[str, int], slot: int) -> None:
    """Wherever the last rotation was interrupted, the key that the jobs hold stays accepted."""
    assert slot_to_fill("quant", keys, written(secrets)) == slot


def test_two_keys_that_nobody_told_apart_stop_a_rotation() -> None:
    """Which one the jobs hold is unknown, so neither is overwritten."""
    with pytest.raises(UserError, match="unknown which of its two keys the jobs of quant hold"):
        slot_to_fill("quant", (A, B), written(scope(5)))


def test_a_slot_is_filled_beside_the_other() -> None:
    """The other slot stays as it is."""
    assert filled((A, B), 1, C) == (C, B) and filled((A, B), 2, None) == (A, None)


@pytest.mark.parametrize(
    ("told", "accepted", "runs", "words"),
    [
        (Written(), (A, B), {}, "not sure which key the jobs hold"),
        (written(scope(7, (B, 6))), (A, B), {}, "not sure which key the jobs hold"),
        (written(scope(5, (C, 6))), (A, B), {}, "not sure which key the jobs hold"),
        (written(scope(5, (B, 6))), (A, ""), {}, "does not accept the key that the jobs hold (slot 2)"),
        (written(scope(5, (B, 6))), (B, A), {}, "does not accept the key that the jobs hold (slot 2)"),
        (written(scope(5, (B, 6))), None, {}, "does not accept"),
        (written(scope(5, (B, 6))), (A, B), {"risk_model": [7, 8]}, "risk_model runs since before the new key"),
    ],
)
def test_the_old_key_stays_while_jobs_need_it(
    told: Written, accepted: tuple[str, str] | None, runs: dict[str, list[int]], words: str
) -> None:
    """Nothing is taken away before the jobs hold the other key, the account accepts it, and no older run goes on."""
    [reason] = why_not_retire("quant", (A, B), told, accepted, runs)
    assert words in reason


def test_the_old_key_is_retired_when_nobody_needs_it() -> None:
    """In whatever lines the account tells the key that it accepts."""
    pem = f"-----BEGIN PUBLIC KEY-----\n{B[:64]}\n{B[64:]}\n-----END PUBLIC KEY-----\n"
    assert bare(pem) == B
    assert why_not_retire("quant", (A, B), written(scope(5, (B, 6))), ("", pem), {}) == []


@pytest.mark.parametrize(
    ("keys", "secrets", "real"),
    [
        ((A, None), scope(5, (A, 5)), None),
        ((A, B), scope(7, (A, 5), (B, 8)), None),
        ((None, None), {}, None),  # nothing is deployed
        ((A, None), {}, "missing: the jobs cannot log in"),
        ((A, None), {marker(A): 5}, "missing: the jobs cannot log in"),
        ((A, None), scope(5), "whose key it is was not told by a rotation"),
        ((A, None), scope(6, (A, 5)), "written since by somebody else, or by a rotation that was interrupted"),
        ((A, None), scope(6, (A, 5), (B, 7)), "the key of a rotation whose settings are not deployed"),
    ],
)
def test_a_key_that_was_not_rotated_in_is_drift(keys: Slots, secrets: dict[str, int], real: str | None) -> None:
    """Told from names and times alone; a person rotates, because nobody has the old value."""
    inputs = {name: key for name, key in zip(("rsaPublicKey", "rsaPublicKey2"), keys, strict=True) if key}
    refresh = Refresh((step("ServiceUser", "user", inputs, {}),))
    found = list(held_findings("quant", refresh, secrets, names_of(read("quant"))))
    assert [finding.real for finding in found] == ([real] if real else [])
    assert all((f.fix.by, f.fix.words) == (By.HAND, "quantctl keys rotate quant") for f in found)


def test_an_update_with_settings_older_than_the_rotation_is_refused() -> None:
    """It would revoke the key that the jobs hold; what somebody wrote by hand stops no update."""
    settings = read("quant_live", publicKey=A)
    need_held(settings, scope(5, (A, 6)))
    need_held(settings, {})
    need_held(settings, scope(9, (B, 6)))
    with pytest.raises(UserError, match="rotated, and these settings are older") as refused:
        need_held(settings, scope(5, (B, 6)))
    assert "quantctl keys rotate quant_live" in str(refused.value)


def test_a_service_user_without_a_key_is_refused() -> None:
    """With the command that makes one; either slot will do."""
    with pytest.raises(UserError, match="quantctl keys rotate quant"):
        need_keys(read("quant"))
    need_keys(read("quant", publicKey2=A))


def test_secrets_of_a_rotation_are_known_by_name() -> None:
    """Nothing else in the scope is taken for ours."""
    assert [is_ours(name) for name in (KEY, marker(A), "other", "snowflake_private_key_2")] == [True, True, False, False]
    assert marker(A) != marker(B) and len(marker(A)) <= 128  # https://docs.databricks.com/api/workspace/secrets/putsecret


def test_an_old_state_is_written_without_its_private_key() -> None:
    """The secret goes, and every dependency on it; other secrets and resources stay as they are."""
    kind = "databricks:index/secret:Secret"
    key: dict[str, Any] = {"urn": "u:key", "type": kind, "inputs": {"key": KEY, "scope": "quant"}, "protect": True}
    other = {"urn": "u:other", "type": kind, "inputs": {"key": "other"}}
    job = {
        "urn": "u:job",
        "type": "j",
        "dependencies": ["u:key", "u:other"],
        "propertyDependencies": {"a": ["u:key"], "b": None},
    }
    state = {"version": 3, "deployment": {"manifest": {}, "resources": [key, other, job]}}
    kept, urns = without_key(state)
    assert urns == ["u:key"]
    assert kept == {
        "version": 3,
        "deployment": {
            "manifest": {},
            "resources": [other, {**job, "dependencies": ["u:other"], "propertyDependencies": {"a": [], "b": []}}],
        },
    }
    assert without_key(kept) == (kept, []) and without_key({}) == ({}, [])
