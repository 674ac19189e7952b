from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
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


@pytest.mark.slow
def test_the_command_serves_until_it_is_stopped(root, tmp_path, study, capsys, interruptible):
    """The whole of it, with models on this machine: links are printed, a participant votes, the vote is reported."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    db = tmp_path / "s.db"
    command = [
        sys.executable,
        "-m",
        "repro",
        "study",
        "serve",
        str(study),
        "--port",
        port,
        "--db",
        str(db),
        "--invite",
        "2",
    ]
    environment = {**os.environ, "PYTHONPATH": str(root / "src"), "OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(command, env=environment, cwd=root, stdout=subprocess.PIPE, text=True, **interruptible)
    try:
        assert server.stdout
        said = dict(
            line.split(maxsplit=1) for line in iter(server.stdout.readline, "stop with Ctrl-C; votes are kept\n")
        )
        assert len(re.search(r"token: (\S+)\)", said["researchers"])[1]) >= 12
        with httpx.Client(base_url=said["participants"].strip(), follow_redirects=True, timeout=60) as client:
            person = Participant(client)
            person.join(said["invitation"].strip().partition("/?")[2].join(["?", ""]))
            person.compare()
            assert "CODE-7" in person.page.text
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 130
    finally:
        server.kill()
    assert main(["study", "export", "--db", str(db), "--out", str(tmp_path / "out")]) == 0
    assert main(["study", "report", "--db", str(db)]) == 0
    out = capsys.readouterr().out
    assert "9 files in" in out  # three tables in two or three formats, and the codebook
    assert "two_vs_one" in out
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".csv", ".jsonl", ".md", ".parquet"}
