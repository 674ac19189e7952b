"""Does the study hold when 300 people take part at once, and how many could it bear?

Starts a server of its own with scripted assistants, twice: for 300 participants who think for some seconds between
clicks, and for a few who never pause, which shows the limit. Every vote is sent twice at once. Counted are the votes
that were acknowledged, against those in the database; timed are pages (form and page that follows it).

    python benchmarks/study_load.py --participants 300 --think 6 --out load.json
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from study_people import CODE, Participant, Seen, take_part

__all__ = ["Participant", "Seen", "take_part"]
TOKEN = "only for this benchmark"
MANY = 1_000_000


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
        "generated_tasks": 12, "completion_code": CODE, "posts_per_minute": MANY, "joins_per_minute": MANY,
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


def cpu_seconds(pid: int) -> float:
    return float(sum(psutil.Process(pid).cpu_times()[:2]))


def measure(n: int, think: float, limit: float) -> dict[str, Any]:
    """A study of `n` participants, from the first link to the last code; `limit`: seconds after which to give up."""
    with tempfile.TemporaryDirectory() as folder:
        db, seen = Path(folder) / "load.db", Seen()
        server, base = start(db)
        before, began = [cpu_seconds(pid) for pid in (server.pid, os.getpid())], time.perf_counter()
        try:
            asyncio.run(asyncio.wait_for(take_part(base, n, think, seen), limit))
        except TimeoutError:
            seen.faults.append(f"not done after {limit:.0f} s")
        finally:
            seconds, after = time.perf_counter() - began, [cpu_seconds(pid) for pid in (server.pid, os.getpid())]
            server.kill()
        return summary(n, think, seen, stored(db), seconds, [b - a for a, b in zip(before, after, strict=True)])


def summary(n: int, think: float, seen: Seen, kept: list[int], seconds: float, cpu: list[float]) -> dict[str, Any]:
    """The numbers, in seconds unless said otherwise."""
    n_pages = max(len(seen.pages), 1)
    return {
        "participants": n, "think_mean": think, "finished": seen.n_finished, "seconds": round(seconds, 1),
        "pages": len(seen.pages), "pages_per_second": round(len(seen.pages) / seconds, 1),
        "votes_per_second": round(len(kept) / seconds, 1),
        "page": {name: percentile(seen.pages, share) for name, share in (("median", 50), ("p95", 95), ("p99", 99))},
        "first_words": {name: percentile(seen.first_words, share) for name, share in (("median", 50), ("p95", 95))},
        "server_cpu_ms_per_page": round(1000 * cpu[0] / n_pages, 1), "server_cpu_share": round(cpu[0] / seconds, 2),
        "participants_cpu_share": round(cpu[1] / seconds, 2), "participants_late_p95": percentile(seen.lags, 95),
        "votes_acknowledged": len(seen.votes), "votes_stored": len(kept),
        "votes_lost": len(set(seen.votes) - set(kept)), "votes_double": len(kept) - len(set(kept)),
        "faults": len(seen.faults), "faults_seen": sorted(set(seen.faults))[:5],
    }  # fmt: skip


def percentile(values: list[float], share: int) -> float:
    """NaN without values."""
    ordered = sorted(values) or [float("nan")]
    return round(ordered[min(len(ordered) - 1, share * len(ordered) // 100)], 3)


def is_sound(found: dict[str, Any]) -> bool:
    wrong = found["votes_lost"] or found["votes_double"] or found["faults"]
    return not wrong and found["finished"] == found["participants"]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--participants", type=int, default=300)
    parser.add_argument("--think", type=float, default=6.0, help="mean seconds between clicks")
    parser.add_argument("--hasty", type=int, default=40, help="participants of the second study, who never pause")
    parser.add_argument("--limit", type=float, default=480.0, help="seconds after which to give up")
    parser.add_argument("--out", type=Path, metavar="JSON", help="write the numbers there as well")
    parser.add_argument("--serve", metavar="DB", help="only serve, from this file")
    parser.add_argument("--port", type=int, default=0)
    asked = parser.parse_args()
    if asked.serve:
        serve(asked.serve, asked.port)
        return 0
    people = {"thinking": (asked.participants, asked.think), "hasty": (asked.hasty, 0.0)}
    found = {kind: measure(n, think, asked.limit) for kind, (n, think) in people.items() if n}
    said = json.dumps({"cores": os.cpu_count(), **found}, indent=2)
    print(said)
    if asked.out:
        asked.out.write_text(said + "\n")
    return int(not all(map(is_sound, found.values())))


if __name__ == "__main__":
    raise SystemExit(main())
