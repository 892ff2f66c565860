"""The command lines of `quantctl settings` and `quantctl schema`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from quantctl.reference.access import Format


def settings_command(
    format: Annotated[Format, typer.Option("--format", help="docs/settings.md is the Markdown.")] = Format.table,
) -> None:
    """Every key of Pulumi.yaml and Pulumi.<stack>.yaml: what it says, what is allowed, what is taken without it."""
    from quantctl.reference import settings  # slow to load, and `--help` needs none of it

    settings.show(format)


def schema_command() -> None:
    """Print the JSON Schema of workflow files: quantctl schema > workflows/schema.json"""
    from quantctl.reference.schema import workflow_schema

    typer.echo(json.dumps(workflow_schema(), indent=1, sort_keys=True))
