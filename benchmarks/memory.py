"""How much memory does a path take for itself, without the files that are mapped into it?"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def own_memory() -> float:
    """GiB that this process has of its own (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 2**20 for line in lines if line.startswith("RssAnon"))


@contextmanager
def watched_memory() -> Iterator[list[float]]:
    """A list that holds, in the end, the most memory this process had."""
    peak, stop = [own_memory()], threading.Event()

    def watch() -> None:
        while not stop.wait(0.05):
            peak[0] = max(peak[0], own_memory())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        stop.set()
        watcher.join()
