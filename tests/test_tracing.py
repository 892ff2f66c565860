"""Which command lines of the engine ask for a trace that would hold secrets."""

from __future__ import annotations

import pytest

from infra.tracing import verbosity


@pytest.mark.parametrize(
    ("command", "level"),
    [
        ("pulumi preview -v=11 --logtostderr", 11),
        ("/opt/pulumi/bin/pulumi --verbose=9 up", 9),
        ("pulumi up --verbose 10", 10),
        ("pulumi up -v 9", 9),
        ("pulumi up -v8 -s quant", 8),
        ("pulumi-language-python -logtostderr -v=9 127.0.0.1:1", 9),
        ("pulumi up -s quant", 0),
        ("vim -v9 notes", 0),
        ("", 0),
    ],
)
def test_the_level_is_read_from_the_command_line(command: str, level: int) -> None:
    """In each of the ways in which it may be written."""
    assert verbosity(command.split()) == level
