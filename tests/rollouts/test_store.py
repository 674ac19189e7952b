"""Is every dialogue that was written still there, whatever happened to the file?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from repro.rollouts import TrajectoryStore
from repro.rollouts.store import from_row, to_row
from repro.types import Requirement, Task, Trajectory, Turn

TASK = Task(
    "t", "u", "get a note", (Requirement("date", "date", "4 May", "the date"),), "events", "invitation", "brief",
    (Turn("user", "before"), Turn("assistant", "then", flags=("truncated",))), (Turn("user", "what a person said"),),
)  # fmt: skip


def talk(text, i=0):
    task = Task(f"t{i}", "u", "get a note")
    turns = (Turn("user", text, flags=("resampled",)), Turn("assistant", "écrit", token_ids=(1, 2), logps=(-1.0, -2.0)))
    return Trajectory(task, turns, "users", "echo", 1, "max_turns")


@given(st.text(st.characters()))
def test_what_is_written_is_read_back_whatever_was_said(tmp_path_factory, text):
    store = TrajectoryStore(tmp_path_factory.mktemp("store") / "deep" / "talks.jsonl")
    store.append({("t0", 0): talk(text), ("t1", 0): talk("and\u2028then\x85\x0b\r\n", 1)})
    assert [t.turns[0] for t in store.read().values()] == [
        talk(text).turns[0],
        talk("and\u2028then\x85\x0b\r\n").turns[0],
    ]


def test_all_of_a_task_is_kept_and_token_ids_are_not():
    whole = Trajectory(TASK, talk("hi").turns, "users", "echo", 1, "error", "RuntimeError: lost")
    back = from_row(to_row(whole))
    assert (back.task, back.stop, back.error, back.seed) == (TASK, "error", "RuntimeError: lost", 1)
    assert back.turns == (whole.turns[0], Turn("assistant", "écrit"))


def test_a_dialogue_that_failed_is_held_again(tmp_path):
    store = TrajectoryStore(tmp_path / "talks.jsonl")
    failed = Trajectory(TASK, talk("hi").turns, "users", "echo", 1, "error", "RuntimeError: lost")
    store.append({("t0", 0): failed, ("t1", 0): talk("hi", 1)})
    assert list(store.read()) == [("t1", 0)]
    store.append({("t0", 0): talk("hi")})
    assert set(store.read()) == {("t0", 0), ("t1", 0)}


def test_a_store_without_a_file_is_empty(tmp_path):
    assert TrajectoryStore(tmp_path / "none.jsonl").read() == {}


def test_a_line_torn_anywhere_loses_nothing_else_and_is_written_again(tmp_path):
    path = tmp_path / "talks.jsonl"
    store = TrajectoryStore(path)
    talks = {(f"t{i}", 0): talk("déjà vu 🙂", i) for i in range(3)}
    store.append({k: talks[k] for k in [("t0", 0), ("t1", 0)]})
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole)):  # within letters of several bytes too
        path.write_bytes(whole[:cut])
        survived = [("t0", 0)] if cut < len(whole) - 1 else [("t0", 0), ("t1", 0)]  # whole but for its line's end
        assert list(store.read()) == survived
        if cut % 40 == 0:
            store.append({k: v for k, v in talks.items() if k not in survived})
            assert set(store.read()) == set(talks)
            assert path.read_bytes().count(b"\n") == 3 + (cut > first)  # the torn line stays, as a line of its own


def test_of_two_lines_about_one_dialogue_the_last_counts(tmp_path):
    store = TrajectoryStore(tmp_path / "talks.jsonl")
    store.append({("t0", 0): talk("old")})
    store.append({("t0", 0): talk("new")})
    assert store.read()["t0", 0].turns[0].text == "new"
