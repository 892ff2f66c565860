"""A preview as `quantctl preview` runs it, Diffs left out where that is proven, without the policies and the note."""

from __future__ import annotations

import os
import sys

from quantctl.engine import diffs, process


def main() -> None:
    """`python -m bench.unchanged STACK`; fails when something would change."""
    stack, environ = sys.argv[1], dict(os.environ)
    process.run(["preview", "--expect-no-changes", "-s", stack], {**environ, **diffs.variables(stack, environ)})


if __name__ == "__main__":
    main()
