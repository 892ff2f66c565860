"""The overview as text: a table, JSON or a page."""

from __future__ import annotations

import io
import json

from quantctl.status.command import Format
from quantctl.status.for_programs import as_json
from quantctl.status.model import Status
from quantctl.status.page import page
from quantctl.status.table import status_table
from quantctl.text.terminal import Console

_COLUMNS = 100


def written(status: Status, format: Format) -> str:
    """As a file or a pipe gets it: no colour, and tables of 100 columns."""
    if format is Format.json:
        return f"{json.dumps(as_json(status), indent=2)}\n"
    if format is Format.html:
        return page(status)
    told = io.StringIO()
    Console(file=told, width=_COLUMNS).print(status_table(status))
    return told.getvalue()
