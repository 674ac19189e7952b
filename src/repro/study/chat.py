"""How do many participants get replies at once, word by word?

Each assistant has a desk with one thread. It takes whatever waits, at most a model's batch, asks the model once for
all of it, and passes pieces of text on as they are drawn. Replies are stored, a batch at a time, before their end is
announced. Browsers that
come late, or again, are told what was said so far; a reply that a stopped server left undone is asked for again.

A message that arrives while its assistant is speaking waits for that batch to end: the longest wait is one reply.
Assistants have a thread each, so that A does not wait for B.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from repro.errors import ReproError, one_line

from ..models.base import ChatModel, Sampling, StreamingModel
from ..types import Turn

BATCH = 64
MAX_WAITING = 2000
GATHER = 0.05  # seconds an idle desk waits for others to join the first message
KEEP_ALIVE = 15.0  # seconds between signs of life on a silent stream
Key = tuple[int, str, int]  # comparison, label, turn


@dataclass
class Job:
    """One reply in the making. Written by the desk's thread, read by the event loop."""

    key: Key
    context: Sequence[Turn]
    seed: int
    asked_at: float = field(default_factory=time.monotonic)
    text: str = ""
    first_after: float | None = None  # seconds until the first words
    done: bool = False
    error: str | None = None
    listeners: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, piece: str) -> None:
        if piece:
            self.first_after = self.first_after or time.monotonic() - self.asked_at
            self.text += piece
            self.tell()

    def finish(self, error: str | None = None) -> None:
        self.error, self.done = error, True
        self.tell()

    def tell(self) -> None:
        with self.lock:
            listeners = list(self.listeners)
        for loop, event in listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def follow(self) -> AsyncIterator[str]:
        """Pieces of the reply, from its beginning; an empty one now and then, to show that the line is open."""
        event, sent = asyncio.Event(), 0
        mine = (asyncio.get_running_loop(), event)
        with self.lock:
            self.listeners.append(mine)
        try:
            while True:
                event.clear()
                done, text = self.done, self.text  # in this order: what comes before `done` is in `text`
                if len(text) > sent:
                    yield text[sent:]
                    sent = len(text)
                if done:
                    return
                try:
                    await asyncio.wait_for(event.wait(), KEEP_ALIVE)
                except TimeoutError:
                    yield ""
        finally:
            with self.lock:
                self.listeners.remove(mine)


Kept = Callable[[Sequence[Job]], None]  # stores finished replies


class Desk:
    """One assistant and its thread."""

    def __init__(self, model: ChatModel, *, sampling: Sampling, keep: Kept) -> None:
        self.model, self.sampling, self.keep = model, sampling, keep
        self.waiting: deque[Job] = deque()
        self.jobs: dict[Key, Job] = {}
        self.batches: list[int] = []  # how many were answered together, the latest last
        self.changed = threading.Condition()
        self.stopping = False
        self.thread = threading.Thread(target=self._work, daemon=True, name="desk")
        self.thread.start()

    def ask(self, key: Key, context: Sequence[Turn], seed: int) -> Job:
        """The job of `key`; a new one unless one is under way."""
        with self.changed:
            job = self.jobs.get(key)
            if job is None:
                if len(self.waiting) >= MAX_WAITING:
                    raise ReproError(f"{MAX_WAITING} messages are waiting for '{self.model.name}'; try again later")
                job = self.jobs[key] = Job(key, context, seed)
                self.waiting.append(job)
                self.changed.notify()
            return job

    def stop(self) -> None:
        with self.changed:
            self.stopping = True
            self.changed.notify()

    def _work(self) -> None:
        while True:
            with self.changed:
                while not self.waiting and not self.stopping:
                    self.changed.wait()
                if self.stopping:
                    return
            time.sleep(GATHER)
            with self.changed:
                batch = [self.waiting.popleft() for _ in range(min(BATCH, len(self.waiting)))]
            self.batches = [*self.batches, len(batch)][-1000:]
            self._answer(batch)

    def _answer(self, batch: Sequence[Job]) -> None:
        """Replies for all; if the batch fails, each alone, so that one bad dialogue stays one."""
        try:
            self._speak(batch)
        except Exception as error:
            if len(batch) > 1:
                for job in batch:
                    if not job.done:
                        job.text = ""
                        self._answer([job])
                return
            self._end(batch, one_line(error))

    def _speak(self, batch: Sequence[Job]) -> None:
        contexts, seeds = [job.context for job in batch], [job.seed for job in batch]
        if isinstance(self.model, StreamingModel):
            turns = self.model.stream(
                contexts, sampling=self.sampling, seeds=seeds, on_text=lambda row, piece: batch[row].add(piece)
            )
        else:
            turns = self.model.generate(contexts, sampling=self.sampling, seeds=seeds)
        for job, turn in zip(batch, turns, strict=True):
            job.add(turn.text[len(job.text) :])
        self._end([job for job in batch if not job.text], "the assistant had nothing to say")
        self._end([job for job in batch if job.text])

    def _end(self, jobs: Sequence[Job], error: str | None = None) -> None:
        if jobs and error is None:
            try:
                self.keep(jobs)
            except Exception as problem:  # the database, not the dialogue
                error = one_line(problem)
        with self.changed:
            for job in jobs:
                self.jobs.pop(job.key, None)
        for job in jobs:
            job.finish(error)


class Desks:
    """Every assistant of a study by name."""

    def __init__(self, models: Mapping[str, ChatModel], *, sampling: Sampling, keep: Kept) -> None:
        self.desks = {name: Desk(model, sampling=sampling, keep=keep) for name, model in models.items()}

    def __getitem__(self, arm: str) -> Desk:
        return self.desks[arm]

    def stop(self) -> None:
        for desk in self.desks.values():
            desk.stop()
