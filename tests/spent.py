"""What a piece of work costs, for tests that compare it with another piece of the same run."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


def spent(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of the processor, the least of some runs; the collector leaves out what else this process holds."""
    gc.collect()
    gc.freeze()
    try:
        return min(_once(work) for _ in range(times))
    finally:
        gc.unfreeze()


def _once(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun
