"""A state file that cannot be read: what is wrong with it, which copy of it is the newest good one, and its restoration.

Only in a folder, which is the one backend whose files a kill or a full disk can cut: object storage writes whole objects.
"""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantctl.engine.lock.backend import folder_of
from quantctl.engine.process import note_change
from quantctl.engine.said import title
from quantctl.errors import UserError
from quantctl.project import PROJECT

_ROOM = 8_000_000  # bytes that are free at least, whatever the state's size
_COPIES = 12  # of a state: the one being written, its .bak, the backup and the history of one update, and as much again
_ATTRIBUTES = ".attrs"  # what the engine's storage library keeps beside each file


@dataclass(frozen=True)
class Damage:
    """What is wrong with a stack's state file, and the newest copy that is whole (None: there is none)."""

    file: Path
    faults: tuple[str, ...]
    copy: Path | None

    @property
    def attributes_only(self) -> bool:
        """The state is whole; what the storage library wrote beside it is not."""
        return self.copy == self.file

    @property
    def copied_at(self) -> datetime.datetime | None:
        """When the copy was made."""
        if self.copy is None:
            return None
        return datetime.datetime.fromtimestamp(self.copy.stat().st_mtime, datetime.UTC)

    def __str__(self) -> str:
        if self.attributes_only:
            copy = "the state itself is whole"
        elif self.copy is None:
            copy = "there is no good copy beside it"
        else:
            copy = f"the newest good copy is {self.copy}, of {self.copied_at:%Y-%m-%d %H:%M} UTC"
        return f"{self.file}: {'; '.join(self.faults)}; {copy}"


def faults(text: str) -> list[str]:
    """What is wrong with a checkpoint; nothing where it is whole. Pure."""
    if not text.strip():
        return ["it is empty"]
    try:
        read = json.loads(text)
        latest = read["checkpoint"]["latest"]
        resources = (latest or {}).get("resources") or []
        urns = [str(one["urn"]) for one in resources if not one.get("delete")]
    except ValueError:
        return ["it is cut off, or no JSON"]
    except (KeyError, TypeError, AttributeError):
        return ["it is no checkpoint of the engine's"]
    doubled = sorted({urn for urn in urns if urns.count(urn) > 1})
    found = [f"{title(urn)} is in it twice" for urn in doubled]
    known = {str(one["urn"]) for one in resources}
    return found + sorted(
        {f"{title(urn)} is missing, and others hang on it" for urn in _named(resources) if urn not in known}
    )


def damage(env: str, environ: Mapping[str, str]) -> Damage | None:
    """What is wrong with a stack's state file; None where nothing is, or where the backend is no folder."""
    folder = folder_of(environ)
    if folder is None:
        return None
    file = _file(folder, env)
    if not file.exists():
        return None
    found = faults(_text(file))
    if found:
        return Damage(file, tuple(found), _newest(folder, env))
    beside = file.with_name(file.name + _ATTRIBUTES)
    if beside.exists() and not _is_json(_text(beside)):
        return Damage(file, (f"{beside.name} beside it is empty or cut off, and the engine reads neither then",), file)
    return None


def need_whole(env: str, environ: Mapping[str, str]) -> None:
    """Go on only where the state can be read.

    Raises:
        UserError: names the file, what is wrong, the newest good copy and what repairs it.
    """
    if found := damage(env, environ):
        raise UserError(f"The state of {env} cannot be read.", found=str(found), do_next=f"quantctl repair {env}")


def need_room(env: str, environ: Mapping[str, str]) -> None:
    """Go on only where the disk of the states has room: one that is full in the middle of an update cuts the state off.

    Raises:
        UserError: less is free than some copies of the state take.
    """
    folder = folder_of(environ)
    if folder is None or not folder.exists():
        return
    state = _file(folder, env)
    size = state.stat().st_size if state.exists() else 0
    free, needed = shutil.disk_usage(folder).free, max(_ROOM, _COPIES * size)
    if free < needed:
        raise UserError(
            "The disk of the states is nearly full: nothing was begun.",
            found=f"{free / 1e6:.1f} MB free in {folder}",
            expected=f"{needed / 1e6:.0f} MB: the engine writes the whole state after each step, beside copies of it",
            do_next="free some space, then run the same command again",
        )


def _file(folder: Path, env: str) -> Path:
    return folder / ".pulumi" / "stacks" / PROJECT / f"{env}.json"


def restore(found: Damage, now: datetime.datetime) -> Path | None:
    """Put the newest good copy in the place of what is damaged, which is kept beside it; where it is kept.

    Raises:
        UserError: there is no good copy.
    """
    note_change("")
    beside = found.file.with_name(found.file.name + _ATTRIBUTES)
    if found.attributes_only:
        beside.unlink(missing_ok=True)
        return None
    if found.copy is None:
        raise UserError(
            f"There is no good copy of {found.file}.",
            do_next="take one from your backup; else docs/state.md, A state that was lost",
        )
    kept = found.file.with_name(f"{found.file.name}.damaged-{now:%Y%m%dT%H%M%SZ}")
    text = found.copy.read_bytes()
    found.file.rename(kept)
    beside.unlink(missing_ok=True)
    temporary = found.file.with_name(f".{found.file.name}.new")
    temporary.write_bytes(text)
    temporary.replace(found.file)
    return kept


def _newest(folder: Path, env: str) -> Path | None:
    of = folder / ".pulumi"
    listed = [
        *(of / "stacks" / PROJECT).glob(f"{env}.json.bak"),
        *(of / "history" / PROJECT / env).glob(f"{env}-*.checkpoint.json"),
        *(of / "backups" / PROJECT / env).glob(f"{env}.*.json"),
    ]
    good = [one for one in sorted(listed, key=lambda file: file.stat().st_mtime, reverse=True) if not faults(_text(one))]
    # One that holds nothing is of before a state was imported, or of a stack that was destroyed: with it, all would be lost.
    return next((one for one in good if _holds_something(one)), good[0] if good else None)


def _holds_something(copy: Path) -> bool:
    return bool((json.loads(_text(copy))["checkpoint"]["latest"] or {}).get("resources"))


def _named(resources: list[dict[str, Any]]) -> set[str]:
    """Every resource that another one needs: its parent, its provider, what it depends on."""
    found: set[str] = set()
    for one in resources:
        found |= {str(urn) for urn in (one.get("parent"), *(one.get("dependencies") or [])) if urn}
        if provider := one.get("provider"):
            found.add(str(provider).rpartition("::")[0])
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except FileNotFoundError:
        return ""


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
