"""A file that is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from quantctl.errors import UserError


def write_whole(path: Path, text: str) -> None:
    """All of it or nothing: whoever serves the page never sees half of one."""
    begun = path.with_name(f".{path.name}.new")
    try:
        begun.write_text(text)
        begun.replace(path)
    except OSError as error:
        begun.unlink(missing_ok=True)
        found = error.strerror or str(error)
        raise UserError(f"{path} cannot be written.", found=found, do_next="name another file") from None
