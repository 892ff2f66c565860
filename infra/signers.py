"""Who may sign what in the pipelines repository: the setting `quant:signers`. Pure, but for the file of QUANT_SIGNERS.

A record (a deployment, a decision, an approval, a sign-off) is a tag with an SSH signature; this says whose signature
counts for what.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from infra.errors import UserError
from infra.named_values import Part
from infra.vocabulary import Right

# A key as in a .pub file: https://man.openbsd.org/ssh-keygen#ALLOWED_SIGNERS
_KIND = r"(?:sk-)?(?:ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa)(?:@openssh\.com)?"
_KEY = rf"({_KIND}) ([A-Za-z0-9+/]{{20,}}={{0,3}})( [^\n]*)?"


def _key(value: str) -> str:
    match = re.fullmatch(_KEY, value.strip())
    if not match:
        raise ValueError("the line of a .pub file is expected, for example ssh-ed25519 AAAAC3Nza...")
    return f"{match[1]} {match[2]}"


def _principal(value: str) -> str:
    # A pattern of ssh-keygen would be more than one person: no *, ? or comma.
    if not re.fullmatch(r"[\w.+-]+(@[\w.-]+)?", value, re.ASCII):
        raise ValueError("an e-mail address, or a service principal's application id, is expected")
    return value.lower()


def distinct(signers: dict[str, Signer]) -> dict[str, Signer]:
    """Two people with one key would be one who approves twice."""
    holders: dict[str, str] = {}
    for name, signer in signers.items():
        if (other := holders.setdefault(signer.key, name)) != name:
            raise ValueError(f"{name} and {other} have one key; each person has a key of their own")
    return signers


class Signer(Part):
    """Somebody who signs records."""

    key: Annotated[str, AfterValidator(_key)] = Field(description="public SSH key, as in a .pub file")
    may: list[Right] = Field(description="what the signature counts for: deploy, promote, approve, signOff, compare")


Principal = Annotated[str, AfterValidator(_principal)]
Signers = Annotated[dict[Principal, Signer], AfterValidator(distinct)]


def signers_setting(given: object, environ: Mapping[str, str]) -> object:
    """The value of `quant:signers`; where it is not set, and in the sandbox, what the file of QUANT_SIGNERS says.

    Raises:
        UserError: QUANT_SIGNERS names a file that cannot be read.
    """
    file = environ.get("QUANT_SIGNERS")
    # Reviewed settings are not widened by a shell's variable; the sandbox has people of its own.
    if not file or (given is not None and environ.get("QUANT_TARGET") != "sandbox"):
        return given
    try:
        return json.loads(Path(file).read_text())
    except (OSError, ValueError) as error:
        raise UserError(
            f"QUANT_SIGNERS: {file} cannot be read as JSON ({error}). Unset it and use quant:signers in Pulumi.yaml; in the"
            ' sandbox: eval "$(quantctl env)".'
        ) from None
