"""How long has it taken, and how long should it take?

Lines on stderr: every second over the last one on a terminal, every minute in a log.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def clock(title: str, expected: float | None) -> Iterator[None]:
    """Say what runs and for how long: every second on a terminal, every minute in a log."""
    start, done, live = time.monotonic(), threading.Event(), sys.stderr.isatty()
    about = f" of about {duration(expected)}" if expected else ""

    def tick() -> None:
        while not done.wait(1 if live else 60):
            say(f"{title}: {duration(time.monotonic() - start)}{about}", stay=live)

    say(f"{title}: started{', takes about ' + duration(expected) if expected else ''}", stay=live)
    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    outcome = "stopped"
    try:
        yield
        outcome = "done"
    finally:
        done.set()
        thread.join()
        say(f"{title}: {outcome} after {duration(time.monotonic() - start)}")


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def say(text: str, *, stay: bool = False) -> None:
    """A line on stderr; with `stay` the next one is written over it."""
    clear = "\r\033[K" if sys.stderr.isatty() else ""
    print(f"{clear}{text}", end="" if stay else "\n", file=sys.stderr, flush=True)
