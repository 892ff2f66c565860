"""What `quantctl init FOLDER` does: ask, check, write."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import typer
import yaml

from quantctl import project
from quantctl.errors import UserError
from quantctl.init import answers
from quantctl.init.files import files


def made(folder: Path, file: Path | None, given: list[str]) -> None:
    """Write a project into a folder, with the answers of a file, of `given` (KEY=VALUE) and of whoever can be asked.

    Raises:
        UserError: there is a project already, or an answer is missing or wrong.
    """
    target, checkout = folder.expanduser().resolve(), project.checkout()
    if target == checkout:
        raise UserError(
            "This folder is quant's own checkout.",
            found="its settings are the sandbox's, which `make up` and `make test` need",
            do_next="name another folder, for example ../quant-settings",
        )
    if (target / "Pulumi.yaml").exists():
        raise UserError(
            f"{target} holds a project already.", found="Pulumi.yaml", do_next="change its files, or name another folder"
        )
    said = answers.answers(_asked(answers.merged(_pairs(given), _read(file))))
    written = files(said, PurePath(os.path.relpath(checkout, target)))
    for name, content in reversed(written.items()):  # Pulumi.yaml last: with it there is a project
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    typer.echo(
        f"Written to {target}: {', '.join(written)}\n"
        "What to do next:\n"
        f"  . {target}/cloud.env\n"
        "  quantctl doctor                 what is still missing, step by step: docs/cloud.md\n"
        f"  git -C {target} init            the settings are code, and reviewed like code"
    )


def _asked(found: dict[str, Any]) -> dict[str, Any]:
    """Everything; what was not given is asked for, where somebody can answer."""
    asked = sys.stdin.isatty()
    found = found if asked else answers.with_defaults(found)
    open_questions = answers.missing(found)
    if open_questions and not asked:
        lines = [f"  {one.key}: {one.asks}, for example {one.example}" for one in open_questions]
        raise UserError(
            "\n".join([f"{len(lines)} answers are missing:", *lines]),
            do_next="`quantctl init FOLDER --template > answers.yaml`, fill it in, and give it with --answers answers.yaml",
        )
    for question in open_questions:
        while True:
            text = typer.prompt(f"{question.asks} (for example {question.example})", default=question.default)
            tried = answers.merged({question.key: text}, found)
            if (said := answers.wrong(question, tried)) is None:
                break
            typer.echo(f"  {said}")
        found = tried
    return found


def _pairs(given: list[str]) -> dict[str, str]:
    if wrong := [one for one in given if "=" not in one]:
        raise UserError("--set was not understood.", found=wrong[0], expected="KEY=VALUE, for example database=QUANT")
    return dict(one.split("=", 1) for one in given)


def _read(file: Path | None) -> Mapping[str, Any]:
    if file is None:
        return {}
    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{file} is not there.", do_next="`quantctl init FOLDER --template` prints one to fill in") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is no YAML.", found=" ".join(str(error).split())) from None
    if not isinstance(read, dict):
        raise UserError(f"{file} holds no answers.", expected="keys and values: `quantctl init FOLDER --template`")
    return read


def template() -> str:
    """An answers file to fill in."""
    lines = ["# Answers for `quantctl init FOLDER --answers FILE`."]
    for one in answers.QUESTIONS:
        above, _, last = one.key.rpartition(".")
        if above and f"{above}:" not in lines:
            lines.append(f"{above}:")
        default = f"[{one.default or ''}]" if one.key == "mailDomains" else one.default or ""
        lines.append(f"{'  ' if above else ''}{last}: {default}".rstrip() + f"  # {one.asks}; for example {one.example}")
    lines += [
        "# gitlab: {url: https://gitlab.example, project: quant/pipelines}  # promotions go by merge request",
        "# backend: s3://BUCKET?region=REGION                             # where the states lie",
        "# personas: {developers: {group: research, role: RESEARCH}}        # groups and roles of other names",
    ]
    return "\n".join(lines) + "\n"
