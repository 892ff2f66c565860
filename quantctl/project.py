"""Two folders: the project, which holds the settings, and the checkout, which holds the code. Often they are the same."""

from __future__ import annotations

import os
from pathlib import Path

from quantctl.errors import UserError

PROJECT = "quant"  # as in Pulumi.yaml
CHOSEN = "QUANT_PROJECT"


def checkout() -> Path:
    """The code that runs: `__main__.py`, `infra/`, `policy/` and the virtual environment."""
    return Path(__file__).resolve().parents[1]


def root() -> Path:
    """The project: Pulumi.yaml and the stack files. QUANT_PROJECT names another folder than the checkout.

    Raises:
        UserError: there is no Pulumi.yaml.
    """
    chosen = os.environ.get(CHOSEN)
    folder = Path(chosen).expanduser().resolve() if chosen else checkout()
    if not (folder / "Pulumi.yaml").exists():
        raise UserError(
            f"{CHOSEN} is no project." if chosen else "quantctl does not run from a checkout.",
            found=f"no Pulumi.yaml in {folder}",
            do_next=f"`quantctl init {folder}` makes one" if chosen else "clone the repository and run `make up` in it",
        )
    return folder
