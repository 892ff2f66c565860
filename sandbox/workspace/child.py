"""A task's program, as this very process: python child.py PARENT PROGRAM [ARGUMENT ...].

On Linux the kernel ends it when the sandbox dies, whatever way that is (man 2 prctl, PR_SET_PDEATHSIG); the setting
outlives exec. Elsewhere only a sandbox that stops in good order ends its tasks.
"""

from __future__ import annotations

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie this process to its parent and become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before this was said
        sys.exit(1)
    os.execv(sys.executable, [sys.executable, *program])


if __name__ == "__main__":
    main()
