"""Tag objects of the pipelines repository, as Git stores them: read strictly, so that what was signed is what is read. Pure.

https://git-scm.com/docs/signature-format: the signature stands at the end and covers everything before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LARGEST = 256 * 1024  # bytes of a record; more is none of ours
_HEAD = re.compile(
    r"object (?P<commit>[0-9a-f]{40}|[0-9a-f]{64})\ntype commit\ntag (?P<name>[^\n]+)\n"
    r"tagger (?P<tagger>[^<>\n]*) <(?P<email>[^<>\n]*)> (?P<at>\d{1,11}) [+-]\d{4}\n(?:[^\n]+\n)*\n"
)
_BEGIN, _END = re.compile(r"^-----BEGIN SSH SIGNATURE-----\n", re.M), "-----END SSH SIGNATURE-----\n"


@dataclass(frozen=True)
class Tag:
    """A tag of a commit; a lightweight one, which is no object, has neither tagger nor message. `at`: seconds since 1970.

    `id` is the object's. `signed`: it ends with an SSH signature, which nobody has verified yet.
    """

    name: str
    commit: str
    annotated: bool = True
    tagger: str = ""
    email: str = ""
    at: int = 0
    message: str = ""
    id: str = ""
    signed: bool = False


def parse(name: str, id: str, raw: bytes) -> Tag | None:
    """The tag object that stands under a name; None when it is malformed, or bears another name (a copy of another tag)."""
    text = raw.decode(errors="replace").replace("\0", "\ufffd")
    head = _HEAD.match(text)
    if head is None or head["name"] != name:
        return None
    message, *signature = _BEGIN.split(text[head.end() :])
    if len(signature) > 1 or any(
        "-----BEGIN" in message + one or one.find(_END) != len(one) - len(_END) for one in signature
    ):
        return None  # what stands behind a signature, or before another one, is not what was signed
    who = head["tagger"].strip(), head["email"].strip()
    return Tag(name, head["commit"], True, *who, int(head["at"]), message.strip(), id, bool(signature))
