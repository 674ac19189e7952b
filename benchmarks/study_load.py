"""Does the study hold when 300 people take part at once?

Starts a server of its own with a scripted assistant, and lets participants click through the whole study from their own
connections: they think for some seconds between clicks, as people do, and send every vote twice at once. Counted are
the votes that were acknowledged, against those in the database; timed are pages (form and page that follows it).

    python benchmarks/study_load.py --participants 300 --think 6
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx2 as httpx
import psutil

TOKEN = "only for this benchmark"
MANY = 1_000_000
REUSE = httpx.Limits(keepalive_expiry=20)  # seconds; the server keeps idle connections for 30
SHARES = {"median": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass
class Seen:
    """What all participants met."""

    pages: list[float] = field(default_factory=list)  # seconds
    first_words: list[float] = field(default_factory=list)  # seconds from sending a message
    votes: list[int] = field(default_factory=list)  # comparisons whose vote was acknowledged
    faults: list[str] = field(default_factory=list)
    n_finished: int = 0

    def percentile(self, share: float) -> float:
        return sorted(self.pages)[min(len(self.pages) - 1, int(share * len(self.pages)))]


class Participant:
    """One of them."""

    def __init__(self, base: str, seen: Seen, think: float, number: int) -> None:
        self.client = httpx.AsyncClient(base_url=base, follow_redirects=True, timeout=60, limits=REUSE)
        self.seen, self.think, self.dice = seen, think, random.Random(number)
        self.page = ""

    def field(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        return found[1] if found else ""

    async def pause(self) -> None:
        await asyncio.sleep(self.dice.uniform(0.5, 1.5) * self.think)

    async def timed(self, asked: object) -> httpx.Response:
        start = time.perf_counter()
        response: httpx.Response = await asked  # type: ignore[misc]
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
        """Twice at once, as an impatient double click does."""
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
        self.seen.n_finished += "LOAD-OK" in self.page
        await self.client.aclose()


async def take_part(base: str, n: int, think: float, seen: Seen) -> Seen:
    """Everybody, at once; what they met is added to `seen`."""
    await asyncio.gather(*(Participant(base, seen, think, i).take_part() for i in range(n)))
    return seen


def serve(db: str, port: int) -> None:
    """A study with scripted assistants, in this process."""
    from repro.models.scripted import ScriptedModel
    from repro.study.app import build_app, run
    from repro.study.database import Database
    from repro.study.design import design_of
    from repro.study.store import Store

    names = ("one", "two", "three")
    values = {
        "name": "load", "title": "Load", "consent": "yes", "instructions": "go", "assistants": {n: {} for n in names},
        "generated_tasks": 12, "completion_code": "LOAD-OK", "posts_per_minute": MANY, "joins_per_minute": MANY,
    }  # fmt: skip
    store = Store(Database.open(db), design_of(values, "the benchmark"))
    models = {name: ScriptedModel([f"An answer of {name}, in a few words."]) for name in names}
    run(build_app(store, models, admin_token=TOKEN), socket.create_server(("127.0.0.1", port), backlog=1024))


def start(db: Path) -> tuple[subprocess.Popen[str], str]:
    """A server in a process of its own, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, __file__, "--serve", str(db), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return server, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.1)
    server.kill()
    raise RuntimeError("the server did not start within a minute")


def stored(db: Path) -> list[int]:
    """The comparisons that have a vote in the database."""
    from sqlmodel import select

    from repro.study.database import Database
    from repro.study.tables import Ballot

    with Database.open(str(db), create=False).reading() as session:
        return sorted(session.exec(select(Ballot.comparison_id)).all())


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--participants", type=int, default=300)
    parser.add_argument("--think", type=float, default=6.0, help="mean seconds between clicks")
    parser.add_argument("--limit", type=float, default=480.0, help="seconds after which to give up")
    parser.add_argument("--serve", metavar="DB", help="only serve, from this file")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, arguments.port)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        db = Path(folder) / "load.db"
        server, base = start(db)
        seen, began = Seen(), time.perf_counter()
        try:
            asyncio.run(
                asyncio.wait_for(take_part(base, arguments.participants, arguments.think, seen), arguments.limit)
            )
        except TimeoutError:
            print(f"given up after {arguments.limit:.0f} s")
        finally:
            seconds, cpu = time.perf_counter() - began, sum(psutil.Process(server.pid).cpu_times()[:2])
            server.kill()
        kept = stored(db)
    print(
        f"{arguments.participants} participants, {seen.n_finished} finished, {seconds:.0f} s, {len(seen.pages)} pages"
    )
    pages = ", ".join(f"{name} {seen.percentile(share):.3f} s" for name, share in SHARES.items())
    print(f"pages: {pages}; {cpu / len(seen.pages) * 1000:.1f} ms of the server's CPU each")
    words = sorted(seen.first_words)
    print(f"first words of a reply: median {words[len(words) // 2]:.3f} s, slowest {words[-1]:.3f} s")
    lost, double = set(seen.votes) - set(kept), len(kept) - len(set(kept))
    print(f"votes: {len(seen.votes)} acknowledged, {len(kept)} stored, {len(lost)} lost, {double} double")
    print(f"faults: {len(seen.faults)} {sorted(set(seen.faults))[:5]}")
    return int(bool(lost or double or seen.faults or seen.n_finished < arguments.participants))


if __name__ == "__main__":
    raise SystemExit(main())
