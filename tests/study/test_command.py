from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2 as httpx
import pytest
import yaml

from repro.cli import main

from .conftest import STUDY, Participant


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A file of the small study, whose assistants are random weights."""
    path = tmp_path / "small.yaml"
    tiny = {"model": "tiny", "dtype": "float32"}
    values = {**STUDY, "assistants": {"one": tiny, "two": tiny}, "sampling": {"max_tokens": 4}, "checks": []}
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("serve", "give the study's YAML file, or --demo"),
        ("serve missing.yaml", "cannot read the study missing.yaml"),
        ("serve bad.yaml", "bad.yaml does not set title"),
        ("serve STUDY --port 99999999", "cannot listen at 127.0.0.1:99999999"),
        ("serve STUDY --port TAKEN", "in use); give another --port"),
        ("serve STUDY --host 203.0.113.1 --port 0", "cannot listen at 203.0.113.1:0"),
        ("serve STUDY --port 0 --db nosuchkind://x", "no database nosuchkind://x"),
        ("serve ADAPTER --port 0", "no adapter folder nowhere"),
        ("export --db missing.db --out x", "no study at missing.db"),
        ("export", "required: --out"),
        ("report --db missing.db", "no study at missing.db"),
        ("report --db postgresql://127.0.0.1:1/x", "127.0.0.1"),
        ("", "required: COMMAND"),
    ],
)
def test_a_mistake_costs_one_sentence(tmp_path, monkeypatch, capsys, study, command, words):
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text("name: bad\n")
    Path("adapter.yaml").write_text(
        yaml.safe_dump({**STUDY, "assistants": {"one": {"adapters": ["nowhere"]}, "two": {}}})
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for name, value in {"STUDY": str(study), "ADAPTER": "adapter.yaml", "TAKEN": port}.items():
            command = command.replace(name, value)
        assert main(["study", *command.split()]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("repro: ")]
    assert len(said) == 1
    assert words in said[0]


def test_a_short_admin_token_is_refused(tmp_path, monkeypatch, capsys, study):
    monkeypatch.setenv("REPRO_STUDY_ADMIN_TOKEN", "1234")
    assert main(["study", "serve", str(study), "--port", "0", "--db", str(tmp_path / "s.db")]) == 2
    assert "the admin token is shorter than 12 characters" in capsys.readouterr().err


def start(study: Path, db: Path, root: Path) -> tuple[subprocess.Popen[str], str, str]:
    """A server of its own process: it, its address and its admin token."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "repro", "study", "serve", str(study), "--port", str(port), "--db", str(db)]
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(command, env=environment, cwd=root, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    base = token = ""
    for line in server.stdout:
        base = line.split()[1].rstrip("/") if line.startswith("participants") else base
        token = line.rpartition("token: ")[2].rstrip(")\n") if line.startswith("researchers") else token
        if line.startswith("stop with"):
            return server, base, token
    raise AssertionError("the server did not start")


@pytest.mark.slow
def test_a_killed_server_loses_no_vote_that_it_acknowledged(root, tmp_path, study, capsys):
    """Votes come in one after the other; the server is killed in the middle; what was acknowledged is there."""
    db, acknowledged = tmp_path / "s.db", []
    server, base, token = start(study, db, root)
    try:
        assert len(token) >= 12
        for _ in range(6):
            with httpx.Client(base_url=base, follow_redirects=True) as client:
                person = Participant(client)
                person.join()
                number = person.hidden("comparison")
                half_way = len(acknowledged) == 4
                person.say("A")
                if half_way:
                    server.send_signal(signal.SIGKILL)  # in the midst of a comparison
                    server.wait()
                    server, base, _ = start(study, db, root)
                    client.base_url = base
                    assert "hello" in person.get("/study").text  # the session and the chat are still there
                person.compare()
                acknowledged.append(int(number))
        server.send_signal(signal.SIGKILL)
        server.wait()
    finally:
        server.kill()
    assert main(["study", "export", "--db", str(db), "--out", str(tmp_path / "out")]) == 0
    assert main(["study", "report", "--db", str(db)]) == 0
    assert "two_vs_one" in capsys.readouterr().out
    import pandas as pd

    votes = pd.read_parquet(tmp_path / "out" / "votes.parquet")
    assert votes["choice"].notna().sum() == len(acknowledged) == 6


def test_a_stopped_server_says_where_it_listens_and_ends_in_time(root, tmp_path, study):
    server, base, _ = start(study, tmp_path / "s.db", root)
    assert httpx.get(f"{base}/healthz").text == "ok"
    server.send_signal(signal.SIGINT)
    started = time.monotonic()
    server.wait(10)
    assert time.monotonic() - started < 8
