"""The sandbox's clock: the machine's time plus what `quantctl sandbox clock --forward` has added, kept in the state folder.

Every server takes "now" from here, so that a soak of days can be seen in seconds. It only ever goes forward.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.state import write_atomically

DAY = 24 * 60 * 60
_file: Path | None = None


def keep_in(folder: Path) -> None:
    """Read the clock of this state folder in this process; until then `now` is the machine's time."""
    global _file  # one sandbox is one process
    _file = path(folder)


def path(folder: Path) -> Path:
    """Where the seconds ahead are kept."""
    return folder / "clock"


def ahead(folder: Path) -> float:
    """Seconds that the sandbox of this folder is ahead of the machine."""
    return _read(path(folder))


def forward(folder: Path, seconds: float) -> float:
    """Move the clock of this folder; a running sandbox takes it over at once. How many seconds ahead it is now."""
    moved = ahead(folder) + seconds
    write_atomically(path(folder), str(moved))
    return moved


def now() -> float:
    """Seconds since 1970."""
    return time.time() + (_read(_file) if _file else 0.0)


def today() -> datetime:
    """The same, in UTC."""
    return datetime.fromtimestamp(now(), UTC)


def dated(app: ASGIApp) -> ASGIApp:
    """The same application, with this clock's `Date` on every answer (RFC 9110, 6.6.1); uvicorn's own must be off."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = format_datetime(today(), usegmt=True).encode()
                message = {**message, "headers": [*message.get("headers", []), (b"date", date)]}
            await send(message)

        await app(scope, receive, sent)

    return answer


def _read(file: Path) -> float:
    try:
        return float(file.read_text())
    except (OSError, ValueError):
        return 0.0
