"""Do votes survive many people at once, and a server that is killed?"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "study_load.py"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def load():
    sys.path.insert(0, str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("study_load", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["study_load"] = module
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(SCRIPT.parent))


@pytest.fixture
def environment(monkeypatch, root):
    monkeypatch.setenv("PYTHONPATH", str(root / "src"))


def test_twelve_at_once_lose_no_vote_and_cast_none_twice(load, environment, tmp_path):
    server, base = load.start(tmp_path / "s.db")
    try:
        seen = asyncio.run(load.take_part(base, 12, 0.02, load.Seen()))
    finally:
        server.kill()
    assert seen.faults == []
    assert seen.n_finished == 12
    assert sorted(seen.votes) == load.stored(tmp_path / "s.db")
    assert len(seen.votes) == 36


def test_a_killed_server_loses_no_vote_that_it_acknowledged(load, environment, tmp_path):
    """Eight vote as fast as they can; the server is killed in the midst of it (SIGKILL), and started again."""
    db, seen = tmp_path / "s.db", load.Seen()
    server, base = load.start(db)

    async def people():
        await asyncio.gather(
            *(load.Participant(base, seen, 0.02, i).take_part() for i in range(8)), return_exceptions=True
        )

    async def until_killed():
        voting = asyncio.create_task(people())
        until = time.monotonic() + 60
        while len(seen.votes) < 9 and time.monotonic() < until:
            await asyncio.sleep(0.005)
        server.kill()
        await voting

    asyncio.run(until_killed())
    server.wait()
    acknowledged, kept = list(seen.votes), load.stored(db)
    assert 9 <= len(acknowledged) < 24  # it was in the midst of it
    assert set(acknowledged) <= set(kept)
    assert len(set(kept)) == len(kept)
    server, base = load.start(db)
    try:
        again = asyncio.run(load.take_part(base, 2, 0.02, load.Seen()))
    finally:
        server.kill()
    assert again.n_finished == 2
    assert set(kept) < set(load.stored(db))
