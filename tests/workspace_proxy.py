"""A host between the engine and the workspace, that lets a test act in the middle of a request."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator

import requests


def _nothing(*_: object) -> None:
    """What is done when nothing is wanted."""


@contextlib.contextmanager
def proxy(
    target: str, before: Callable[[str, str], None] = _nothing, after: Callable[[str, str, bytes], None] = _nothing
) -> Iterator[str]:
    """The workspace behind a host of the test's own.

    `before` learns of each request (method, path) before it is passed on, `after` (and its body) before it is answered.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            before(self.command, self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kept = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            found = requests.request(self.command, target + self.path, data=body, headers=kept, timeout=60)
            after(self.command, self.path, body)
            self.send_response(found.status_code)
            for name in ("Content-Type", "X-Databricks-Org-Id"):
                if name in found.headers:
                    self.send_header(name, found.headers[name])
            self.send_header("Content-Length", str(len(found.content)))
            self.end_headers()
            self.wfile.write(found.content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing on the test's output."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
