"""`quantctl toolchain`: which engine and providers are in use, and what each really is."""

from __future__ import annotations

import json
from typing import Annotated

import typer

import toolchain
from quantctl.errors import UserError
from quantctl.options import Format, FormatOption
from quantctl.text.terminal import Console


def show(
    format: FormatOption = Format.table,
    obtain: Annotated[bool, typer.Option("--obtain", help="Get what is missing first.")] = False,
) -> None:
    """Which way the engine and the providers were obtained, and where each program is."""
    found = toolchain.obtain(toolchain.Report(Console(stderr=True))) if obtain else toolchain.locate()
    if found is None:
        raise UserError("There is no toolchain yet.", do_next="`quantctl toolchain --obtain`, or `make up`")
    if format is Format.json:
        programs = [
            {"name": one.name, "version": one.version, "is": one.origin, "asked": one.asked, "path": str(one.path)}
            for one in found.programs
        ]
        typer.echo(
            json.dumps({"way": found.way, "bin": str(found.bin) if found.bin else None, "programs": programs}, indent=2)
        )
        return
    typer.echo(f"way: {found.way}")
    for program in found.programs:
        typer.echo(f"{program.name:<30} {program.version:<12} {program.path}")
        if program.origin:
            typer.echo(f"  {program.origin}; it reports {program.asked}, which the package asks for")
    if found.way != "built":
        plugins = " and ".join(f"{name} {asked}" for name, asked in toolchain.asked_plugins().items())
        typer.echo(f"  the engine downloads the official plugins by itself: {plugins}")
