"""Write to GitHub what quantctl said: the one comment of a pull request, and the one issue of the drift runs.

    post.py comment NUMBER FILE    the comment that this made before says now what FILE says; made when there is none
    post.py issue FILE             FILE is what `quantctl drift-issue --format json` decided

In a workflow: GITHUB_API_URL and GITHUB_REPOSITORY are there, GITHUB_TOKEN is given.
https://docs.github.com/rest/issues/comments and https://docs.github.com/rest/issues/issues
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

_SECONDS = 30
_LONGEST = 65_536  # characters of a body; GitHub answers 422 above it
_COMMENT = "<!-- quantctl preview -->"
_BOT = "github-actions[bot]"  # who GITHUB_TOKEN is; anybody can write a marker into a comment of theirs


def comment(number: str, text: str) -> str:
    """The address of the pull request's one comment, which says `text` now."""
    body = f"{_COMMENT}\n{text}"[:_LONGEST]
    for one in _all(f"issues/{int(number)}/comments"):
        if _is_ours(one, _COMMENT):
            return str(_ask("PATCH", f"issues/comments/{one['id']}", {"body": body})["html_url"])
    return str(_ask("POST", f"issues/{int(number)}/comments", {"body": body})["html_url"])


def issue(decision: dict[str, Any]) -> str:
    """What was done, in words."""
    if decision["action"] == "leave":
        return str(decision["why"])
    marker = f"<!-- {decision['marker']} -->"
    number = next((one["number"] for one in _all("issues?state=open") if _is_ours(one, marker)), None)
    if decision["action"] == "close":
        if number is None:
            return "no issue is open"
        _ask("POST", f"issues/{number}/comments", {"body": decision["text"]})
        return f"closed: {_ask('PATCH', f'issues/{number}', {'state': 'closed', 'state_reason': 'completed'})['html_url']}"
    said = {"title": decision["title"], "body": f"{marker}\n{decision['text']}"[:_LONGEST]}
    if number is not None:
        return f"refreshed: {_ask('PATCH', f'issues/{number}', said)['html_url']}"
    return f"opened: {_ask('POST', 'issues', {**said, 'labels': decision['labels']})['html_url']}"


def _is_ours(one: dict[str, Any], marker: str) -> bool:
    return _wrote(one) == _BOT and "pull_request" not in one and str(one.get("body") or "").startswith(marker)


def _wrote(one: dict[str, Any]) -> str:
    return str((one.get("user") or {}).get("login"))


def _all(path: str) -> Iterator[dict[str, Any]]:
    """Every page: whoever looks at the first only makes a second comment after the hundredth."""
    page = 1
    while found := _ask("GET", f"{path}{'&' if '?' in path else '?'}per_page=100&page={page}"):
        yield from found
        page += 1


def _ask(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    where = f"{os.environ.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}"
    headers = {"Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
    answer = requests.request(method, where, json=body, headers=headers, timeout=_SECONDS)
    if not answer.ok:
        sys.exit(f"GitHub refused {method} {path}: {answer.status_code} {answer.text[:300]}")
    return answer.json()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["comment", number, file]:
            print(comment(number, Path(file).read_text()))
        case ["issue", file]:
            print(issue(json.loads(Path(file).read_text())))
        case _:
            sys.exit(__doc__)
