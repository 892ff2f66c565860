"""SSH signatures of tags, made and verified by git itself: https://git-scm.com/docs/git-config#Documentation/git-config.txt-gpgformat

Who signed an object never changes, so what was verified once is kept in the cache, by the keys that it was verified with.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.errors import UserError
from infra.outside import git
from infra.signers import Signer

_GOOD = re.compile(r'^Good "git" signature for (\S+) with \S+ key SHA256:', re.M)
_AT_ONCE = 4
# A signature of another format is nobody's: a key ring on this machine does not say who may do what.
_SSH_ALONE = ("-c", "gpg.program=false", "-c", "gpg.openpgp.program=false", "-c", "gpg.x509.program=false")
_PROGRAM = "ssh-keygen"  # what signs may be a password manager's, which verifies nothing


def allowed_signers(signers: Mapping[str, Signer]) -> str:
    """The settings as ssh-keygen's file: https://man.openbsd.org/ssh-keygen#ALLOWED_SIGNERS. Pure."""
    return "".join(f'{who} namespaces="git" {signer.key}\n' for who, signer in sorted(signers.items()))


def verified(repository: Path, tags: Iterable[str], signers: Mapping[str, Signer]) -> dict[str, str]:
    """Tag object id -> who signed it, of those that one of the signers did.

    Raises:
        UserError: nothing can be verified here.
    """
    allowed, wanted = allowed_signers(signers), list(dict.fromkeys(tags))
    if not allowed or not wanted:
        return {}
    kept = repository / f"signed-{hashlib.sha256(allowed.encode()).hexdigest()[:16]}"
    known = dict(line.split(" ", 1) for line in _lines(kept) if " " in line)
    found = {id: known[id] for id in wanted if id in known}
    if fresh := [id for id in wanted if id not in known]:
        if shutil.which(_PROGRAM) is None:
            raise UserError(
                f"Signatures of records cannot be verified: {_PROGRAM} is not installed. Install it (Debian: apt-get install"
                " openssh-client) and run again."
            )
        with (
            tempfile.NamedTemporaryFile("w", prefix="quant-signers.", suffix=".txt") as file,
            ThreadPoolExecutor(_AT_ONCE) as pool,
        ):
            file.write(allowed)
            file.flush()
            told = dict(zip(fresh, pool.map(lambda id: _signer(repository, id, file.name), fresh), strict=True))
        good = {id: who for id, who in told.items() if who is not None}
        with git.one_at_a_time(repository), kept.open("a") as file_of_known:
            file_of_known.writelines(f"{id} {who}\n" for id, who in good.items())
        found |= good
    return {id: who for id, who in found.items() if who in signers}


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []


def _signer(repository: Path, id: str, allowed: str) -> str | None:
    settings = ("-c", f"gpg.ssh.program={_PROGRAM}", "-c", f"gpg.ssh.allowedSignersFile={allowed}")
    asked = (*_SSH_ALONE, *settings, "verify-tag", "--raw", id)
    done = git.run_in(repository, *asked, seconds=git.READ_SECONDS)
    good = _GOOD.search(done.stderr.decode(errors="replace"))
    return good[1] if done.returncode == 0 and good else None


def can_sign(repository: Path) -> bool:
    """Whether git is set up to sign with an SSH key here."""

    def setting(name: str) -> str:
        return git.run_in(repository, "config", "--get", name).stdout.decode(errors="replace").strip()

    return setting("gpg.format") == "ssh" and bool(setting("user.signingKey") or setting("gpg.ssh.defaultKeyCommand"))


def need_signing(repository: Path, signers: Mapping[str, Signer]) -> None:
    """Refuse before anything is done what could not be recorded afterwards.

    Raises:
        UserError: records count only when they are signed, and git cannot sign here.
    """
    if signers and not can_sign(repository):
        raise UserError(
            "git is not set up to sign here, and an unsigned record counts for nothing (quant:signers)."
            " Set it up: git config --global gpg.format ssh, and git config --global user.signingKey FILE; in the sandbox:"
            ' eval "$(quantctl env --as PERSONA)" (docs/promotion.md).'
        )
