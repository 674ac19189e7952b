"""Do dialogues pass through parquet whole, with memory that does not grow with their number?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from repro.cli import main
from repro.errors import ReproError
from repro.evaluation.gap.conversations import read_conversations
from repro.rollouts import TrajectoryStore, parquet
from repro.rollouts.parquet import read_rows_of, write_dialogues
from repro.rollouts.store import to_row
from repro.types import Task, Trajectory, Turn

pq = pytest.importorskip("pyarrow.parquet")
SOURCE = Path(__file__).resolve().parents[2] / "src"
MEASURED = """
import resource, sys
from repro.rollouts import TrajectoryStore
from repro.rollouts.parquet import read_rows_of, write_dialogues
n = write_dialogues(sys.argv[2], TrajectoryStore(sys.argv[1]).stream())
assert n == sum(len(row["messages"]) == 2 for row in read_rows_of(sys.argv[2])) > 0
print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def talk(i, text="hello", error=None):
    turns = (Turn("user", f"{text} {i}"), Turn("assistant", "é " * 100), Turn("user", "", ends=True))
    return Trajectory(Task(f"t{i}", f"u{i}", "get a note"), turns, "users", "echo", 2**62 + i, "user_ended", error)


def kept(path, n):
    """A store of n dialogues, written line by line."""
    with path.open("w") as file:
        for i in range(n):
            file.write(json.dumps(to_row(talk(i)) | {"sample": 0}) + "\n")
    return path


def test_what_was_said_is_read_back_in_groups(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROWS", 4)
    path = tmp_path / "deep" / "talks.parquet"
    assert write_dialogues(path, ((("t", i % 2), talk(i // 2)) for i in range(10))) == 10
    rows = [*read_rows_of(path)]
    assert [row["id"] for row in rows[:3]] == ["t0", "t0#1", "t1"]
    assert rows[3]["messages"] == [{"role": "user", "content": "hello 1"}, {"role": "assistant", "content": "é " * 100}]
    assert rows[3]["seed"] == str(2**62 + 1)  # too large for a float
    assert pq.ParquetFile(path).num_row_groups == 3
    assert [path.name for path in path.parent.iterdir()] == ["talks.parquet"]


def test_none_is_an_empty_file(tmp_path):
    assert write_dialogues(tmp_path / "none.parquet", []) == 0
    assert [*read_rows_of(tmp_path / "none.parquet")] == []


def test_what_is_no_parquet_is_one_sentence(tmp_path):
    (tmp_path / "a.parquet").write_text("{}")
    for name in ("a.parquet", "none.parquet"):
        with pytest.raises(ReproError, match=rf"cannot read .*{name} .*; give a parquet file"):
            [*read_rows_of(tmp_path / name)]


def test_stores_become_one_file_that_a_gap_can_be_read_from(tmp_path, capsys):
    store = TrajectoryStore(tmp_path / "a.jsonl")
    store.append({(f"t{i}", 0): talk(i) for i in range(12)} | {("bad", 0): talk(99, error="RuntimeError: lost")})
    kept(tmp_path / "b.jsonl", 0)
    out = tmp_path / "all.parquet"
    assert main(["dialogues", str(store.path), str(tmp_path / "b.jsonl"), "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: 12 dialogues\n"
    read = read_conversations(out)
    assert [(one.id, one.user) for one in read] == [(f"t{i}", f"u{i}") for i in range(12)]
    how = ["--encoder", "features", "--k", "3"]
    assert main(["gap", "--real", str(out), "--sim", f"same={out}", *how]) == 0
    assert "same" in capsys.readouterr().out


def test_a_row_without_what_was_said_is_named(tmp_path):
    import pyarrow as pa

    pq.write_table(pa.table({"id": ["a"], "text": ["b"]}), tmp_path / "a.parquet")
    with pytest.raises(ReproError, match=r"a.parquet, row 1 has no 'messages'; it has id, text"):
        read_conversations(tmp_path / "a.parquet")


def test_a_file_that_is_not_there_and_a_name_that_is_not_parquet_are_refused(tmp_path, capsys):
    assert main(["dialogues", "none.jsonl", "--out", "a.parquet"]) == 2
    assert main(["dialogues", str(kept(tmp_path / "a.jsonl", 1)), "--out", "a.csv"]) == 2
    said = capsys.readouterr().err
    assert "no file none.jsonl" in said
    assert "give a name that ends in .parquet" in said


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_dialogues(tmp_path):
    peaks = {}
    for n in (2_000, 40_000):
        path = kept(tmp_path / f"{n}.jsonl", n)
        command = [sys.executable, "-c", MEASURED, str(path), str(tmp_path / f"{n}.parquet")]
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        count, peak = map(int, done.stdout.split())
        assert count == n
        peaks[n] = peak / 1024  # MiB; on Linux the unit is KiB
    assert (tmp_path / "40000.jsonl").stat().st_size > 25e6  # what would be held if it were not streamed
    assert peaks[40_000] - peaks[2_000] < 12, peaks
