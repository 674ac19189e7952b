"""Is this process one of several that train one model together?

`accelerate launch` starts them and says so in the environment; each holds its share of the dialogues, and what is kept
on disk is written by the first alone. Where there is one process, nothing is waited for and nothing heavy is imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = timedelta(days=2)  # for one that works alone: reads a corpus, holds dialogues, waits for another's training


def n_processes() -> int:
    """How many train together, over all machines."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the one that writes what is kept."""
    return n_processes() == 1 or bool(state().is_main_process)


def wait() -> None:
    """Until all have come this far."""
    if n_processes() > 1:
        state().wait_for_everyone()


def of_all(mine: Sequence[T]) -> list[T]:
    """What each has, in the order of the processes; to every one of them."""
    if n_processes() == 1:
        return list(mine)
    from accelerate.utils import gather_object

    state()
    found: list[T] = gather_object(list(mine))
    return found


@contextmanager
def lock(path: Path, *, wait_for_it: bool) -> Iterator[bool]:
    """Whether we have it. Of those that train together the first takes it for all, and keeps it until all are done."""
    from filelock import FileLock, Timeout

    file = FileLock(path, timeout=-1 if wait_for_it else 0)
    got = []
    if is_first():
        try:
            got = [bool(file.acquire())]
        except Timeout:
            got = [False]
    try:
        yield of_all(got)[0]
        wait()
    finally:
        file.release()


def state() -> Any:
    """accelerate's `PartialState`, whose first call joins the processes.

    They wait for each other `PATIENCE` long, where NCCL gives up after 10 minutes; one that dies ends all of them.
    """
    from accelerate import PartialState

    return PartialState(timeout=PATIENCE)
