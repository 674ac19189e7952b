"""How is an endpoint asked many things at once, and whose fault is it when one of them fails?

Requests run side by side, a bounded number at a time, in an event loop in a thread of its own: so a plain function can
ask, even where a loop is running already (a notebook, a web server). The client tries again after 429, 5xx, a lost
connection or a timeout, with growing pauses cut at random, or after the pause that the server asks for. An answer that
breaks off or cannot be read is asked for again here. A request that the server calls bad is that dialogue's fault and
fails alone, and so does any other at an endpoint that answers others; where nothing was answered yet, or none of many
requests in a row, nobody is there, and one sentence says so.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from ..errors import ReproError
from .hashes import digest
from .usage import Meter

T = TypeVar("T")
Body = Mapping[str, Any]
Ask = Callable[[Any, int, Body], Awaitable[T]]  # (client, index of the request, request)
_REFUSED = (401, 403, 404)  # of the key or the model: for every request alike
BAD = (400, 413, 422)  # of this request: too long, say
MOST_FAILED = 16  # in a row before nobody is there any more. ours: as many as are under way at once


class Unreadable(Exception):
    """An answer that broke off, or is none."""


@dataclass
class Pulse:
    """Whether somebody is there; shared, as the meter is, by all that ask through one endpoint."""

    has_answered: bool = False
    n_failed: int = 0  # since the last answer

    def beat(self) -> None:
        """An answer came."""
        self.has_answered, self.n_failed = True, 0

    def survives(self) -> bool:
        """Whether one more failure leaves an endpoint that answers others."""
        self.n_failed += 1
        return self.has_answered and self.n_failed <= MOST_FAILED


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible server and a model there. The key is read from `OPENAI_API_KEY`; local servers need none."""

    base_url: str
    model: str
    n_parallel: int = 16  # requests under way
    timeout: float = 120.0  # seconds without a byte of an answer
    max_retries: int = 4
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)
    pulse: Pulse = field(default_factory=Pulse, compare=False, repr=False)
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # of the last batch that failed

    @property
    def name(self) -> str:
        return self.model.rsplit("/", 1)[-1]

    @property
    def identity(self) -> str:
        """What tells its answers from those of any other model, as a name for people does not."""
        return f"{self.base_url}#{self.model}"

    def answers(self, bodies: Sequence[Body], ask: Ask[T]) -> list[T]:
        """What `ask` made of each request, same order.

        If one fails by itself, its error is raised and what the others got is kept: callers ask for each alone then,
        and each answer is paid for once.
        """
        from anyio.from_thread import start_blocking_portal

        keys = [digest([self.identity, body]) for body in bodies]
        found: dict[int, Any] = {i: self.kept.pop(key) for i, key in enumerate(keys) if key in self.kept}
        todo = {i: body for i, body in enumerate(bodies) if i not in found}
        if todo:
            with start_blocking_portal() as portal:  # left early, by an interrupt, it cancels what is under way
                found |= portal.call(self._all, todo, ask)
        failed = [found[i] for i in range(len(bodies)) if isinstance(found[i], Exception)]
        if failed and len(bodies) > 1:
            self.kept.clear()
            self.kept.update({key: found[i] for i, key in enumerate(keys)})
        if failed:
            raise failed[0]
        return [found[i] for i in range(len(bodies))]

    async def _all(self, todo: Mapping[int, Body], ask: Ask[T]) -> dict[int, T | Exception]:
        slots = asyncio.Semaphore(self.n_parallel)

        async def one(client: Any, i: int, body: Body) -> T | Exception:
            async with slots:
                try:
                    answer = await self._patiently(ask, client, i, body)
                except Exception as error:
                    return await self._own(error, client)
                self.pulse.beat()
                return answer

        async with self._client() as client:
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = {i: group.create_task(one(client, i, body)) for i, body in todo.items()}
            except BaseExceptionGroup as several:
                raise several.exceptions[0] from several.exceptions[0].__cause__
        return {i: task.result() for i, task in tasks.items()}

    async def _patiently(self, ask: Ask[T], client: Any, i: int, body: Body) -> T:
        """Ask again for what cannot be read; everything else the client has tried again by itself."""
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

        again = AsyncRetrying(
            retry=retry_if_exception_type(Unreadable), stop=stop_after_attempt(self.max_retries + 1),
            wait=wait_random_exponential(multiplier=0.5, max=8), reraise=True,
        )  # fmt: skip
        answer: T = await again(ask, client, i, body)
        return answer

    async def _own(self, error: Exception, client: Any) -> Exception:
        """The error, if it is this request's alone; an endpoint that is down, or refuses, is for a person to mend."""
        import openai

        status = getattr(error, "status_code", None)
        if not isinstance(error, openai.OpenAIError | Unreadable) or status in BAD:
            return error
        if status not in _REFUSED and self.pulse.survives():
            return error
        said = " ".join(str(error).split())[:200]
        there = f"; it serves {await _served(client)}" if status == 404 else ""
        raise ReproError(
            f"no answer from {self.base_url} for the model {self.model!r} ({said}){there}; start it, or mend the spec"
        ) from error

    def _client(self) -> Any:
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        return AsyncOpenAI(
            base_url=self.base_url, api_key=os.environ.get("OPENAI_API_KEY") or "none", timeout=self.timeout,
            max_retries=self.max_retries, http_client=DefaultAsyncHttpxClient(verify=_trusted()),
        )  # fmt: skip


async def _served(client: Any) -> str:
    """The models that an endpoint says it has."""
    import openai

    try:
        return ", ".join([model.id async for model in client.with_options(max_retries=0).models.list()]) or "nothing"
    except (openai.OpenAIError, ValueError, TypeError, AttributeError):
        return "what it does not say"


@cache
def _trusted() -> Any:
    """The certificates that are trusted, read once: that takes a tenth of a second."""
    from httpx2 import create_ssl_context

    return create_ssl_context()
