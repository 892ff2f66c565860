"""What a command costs: processor time, wall clock and memory of its whole process tree."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 0.1  # how often the tree's memory is looked at
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Cost:
    """Seconds of processor time and of wall clock, and the most memory that the tree held at once, in MB."""

    processor: float
    seconds: float
    megabytes: float


def cost(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Cost:
    """Run it; nothing else may be started by this process meanwhile.

    Raises:
        subprocess.CalledProcessError: it failed; with what it said.
    """
    peak, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            peak[0] = max(peak[0], _memory(os.getpid()))

    watcher = threading.Thread(target=watch)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), os.times().elapsed
    watcher.start()
    try:
        subprocess.run(command, cwd=folder, env=dict(environ), check=True, capture_output=True, text=True)
    finally:
        over.set()
        watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(processor, os.times().elapsed - began, peak[0])


def interleaved(runs: Mapping[str, Callable[[], Cost]], repeat: int) -> dict[str, Cost]:
    """The medians of each, run in turn, so that what else the machine does meets all of them."""
    found: dict[str, list[Cost]] = {name: [] for name in runs}
    for _ in range(repeat):
        for name, run in runs.items():
            found[name].append(run())
    return {name: median(costs) for name, costs in found.items()}


def median(costs: Sequence[Cost]) -> Cost:
    """Of each figure by itself; of memory the most."""
    return Cost(
        statistics.median(one.processor for one in costs),
        statistics.median(one.seconds for one in costs),
        max(one.megabytes for one in costs),
    )


def _memory(root: int) -> float:
    """Resident MB of everything below a process, from /proc; 0 where there is none."""
    children: dict[int, list[tuple[int, int]]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append((int(status.parent.name), int(fields[21]) * _PAGE))
    total, waiting = 0, [root]
    while waiting:
        for process, held in children.get(waiting.pop(), []):
            total += held
            waiting.append(process)
    return total / 1e6
