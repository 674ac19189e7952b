"""What do scripted participants do in a study, and what do they meet there?

Each clicks through the whole study over a connection of its own, thinks for some seconds between clicks, as people do,
and sends every vote twice at once, as an impatient double click does. A page is a form and the page that follows it.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field

import httpx2 as httpx

CODE = "LOAD-OK"
REUSE = httpx.Limits(keepalive_expiry=20)  # seconds; the server keeps idle connections for 30
TICK = 0.02  # seconds


@dataclass
class Seen:
    """What all participants met."""

    pages: list[float] = field(default_factory=list)  # seconds
    first_words: list[float] = field(default_factory=list)  # seconds from sending a message
    votes: list[int] = field(default_factory=list)  # comparisons whose vote was acknowledged
    faults: list[str] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)  # seconds by which these participants themselves were late
    n_finished: int = 0


class Participant:
    """One of them. `think`: mean seconds before each click."""

    def __init__(self, base: str, seen: Seen, think: float, number: int) -> None:
        self.client = httpx.AsyncClient(base_url=base, follow_redirects=True, timeout=60, limits=REUSE)
        self.seen, self.think, self.dice = seen, think, random.Random(number)
        self.page = ""

    def field(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        return found[1] if found else ""

    async def pause(self) -> None:
        await asyncio.sleep(self.dice.uniform(0.5, 1.5) * self.think)

    async def timed(self, asked: Awaitable[httpx.Response]) -> httpx.Response:
        start = time.perf_counter()
        response = await asked
        self.seen.pages.append(time.perf_counter() - start)
        if response.status_code >= 400:
            self.seen.faults.append(f"{response.status_code} at {response.url.path}")
        self.page = response.text if "text/html" in response.headers.get("content-type", "") else self.page
        return response

    async def send(self, path: str, **fields: str) -> httpx.Response:
        await self.pause()
        return await self.timed(self.client.post(path, data={"csrf": self.field("csrf"), **fields}))

    async def say(self, label: str, comparison: str) -> None:
        await self.pause()
        form = {"csrf": self.field("csrf"), "comparison": comparison, "text": "Could you help me with a short note?"}
        start = time.perf_counter()
        await self.timed(self.client.post(f"/say/{label}", data=form, headers={"accept": "application/json"}))
        async with self.client.stream("GET", f"/reply/{comparison}/{label}") as stream:
            heard = False
            async for line in stream.aiter_lines():
                if not heard and line.startswith('data: "') and len(line) > len('data: ""'):
                    self.seen.first_words.append(time.perf_counter() - start)
                    heard = True

    async def vote(self, comparison: str) -> None:
        await self.pause()
        form = {"csrf": self.field("csrf"), "comparison": comparison, "choice": "A", "strength": "2"}
        done = await asyncio.gather(*(self.timed(self.client.post("/vote", data=form)) for _ in range(2)))
        if any(response.status_code < 400 for response in done):
            self.seen.votes.append(int(comparison))

    async def take_part(self) -> None:
        await asyncio.sleep(self.dice.random() * self.think)
        await self.timed(self.client.get("/"))
        await self.send("/join", agree="yes")
        await self.send("/ready")
        while comparison := self.field("comparison"):
            await self.say("A", comparison)
            await self.say("B", comparison)
            await self.send("/next", comparison=comparison)
            await self.vote(comparison)
        self.seen.n_finished += CODE in self.page
        await self.client.aclose()


async def take_part(base: str, n: int, think: float, seen: Seen) -> Seen:
    """Everybody, at once; what they met is added to `seen`."""
    watch = asyncio.create_task(_watch(seen))
    await asyncio.gather(*(Participant(base, seen, think, i).take_part() for i in range(n)))
    watch.cancel()
    return seen


async def _watch(seen: Seen) -> None:
    """How late this process is by itself: what it adds to every time that it measures."""
    while True:
        due = time.perf_counter() + TICK
        await asyncio.sleep(TICK)
        seen.lags.append(time.perf_counter() - due)
