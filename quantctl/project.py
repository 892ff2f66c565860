"""Where the project is: the checkout that this command belongs to, or the one that is named."""

from __future__ import annotations

import os
from pathlib import Path

from quantctl.errors import UserError

PROJECT = "quant"  # as in Pulumi.yaml
CHOSEN = "QUANT_PROJECT"


def root() -> Path:
    """The checkout: the folder that holds Pulumi.yaml; QUANT_PROJECT names another than quantctl's own.

    Raises:
        UserError: there is no Pulumi.yaml.
    """
    chosen = os.environ.get(CHOSEN)
    folder = Path(chosen).expanduser().resolve() if chosen else Path(__file__).resolve().parents[1]
    if not (folder / "Pulumi.yaml").exists():
        raise UserError(
            f"{CHOSEN} is no checkout of this project." if chosen else "quantctl does not run from a checkout.",
            found=f"no Pulumi.yaml in {folder}",
            do_next="clone the repository and run `make up` in it",
        )
    return folder
