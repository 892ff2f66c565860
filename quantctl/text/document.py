"""A whole HTML page: one self-contained file without scripts, which asks nobody for anything. Pure."""

from __future__ import annotations

import base64
import hashlib

from quantctl.text.html import Markup, element


def document(title: str, style: str, body: Markup) -> str:
    """The page; `style` is its one style sheet."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    # https://www.w3.org/TR/CSP3/: nothing is loaded, nothing runs; the one style sheet is named by what it says.
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Markup(style)),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"
