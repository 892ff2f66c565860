"""Where `quantctl` begins: while the rest is loaded, Ctrl-C ends it at once and without a traceback."""

from __future__ import annotations

import signal


def main() -> None:
    """The command line; from its own first line on it tells what a signal means."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from quantctl.main import main as run

    run()
