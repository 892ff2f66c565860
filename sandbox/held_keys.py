"""Files of the service users' private keys, which only the secret scopes hold, so that anybody can try what each may do."""

from __future__ import annotations

import contextlib
import sqlite3

from sandbox.identities import ENVIRONMENTS
from sandbox.state import State, write_atomically

_KEY = "snowflake_private_key"


def held_keys(state: State) -> set[str]:
    """Write `<environment>.p8` for each scope that holds a key; the environments that have one."""
    found = set()
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{state.database}?mode=ro", uri=True)) as db,
    ):
        for scope, value in db.execute("select scope, value from ws_secret where key = ?", (_KEY,)).fetchall():
            if scope in ENVIRONMENTS:
                write_atomically(state.key_file(scope), bytes(value).decode())
                found.add(scope)
    return found
