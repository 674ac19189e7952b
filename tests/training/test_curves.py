"""Is there a row a step, with what the assistant did?"""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from repro.training.curves import Curves, behaviour, measures, total_seconds
from repro.types import Requirement, Score, Task, Trajectory, Turn

pq = pytest.importorskip("pyarrow.parquet")
DATE = Requirement("date", "date", "4 May", "the date")
PLACE = Requirement("place", "place", "Harbour Hall", "the place")
DRAFT = "Dear all, please come to our party at Harbour Hall on 4 May. We look forward to it."  # 18 words


def talk(*turns, requirements=(DATE, PLACE)):
    return Trajectory(Task("t", "u", "get a note", requirements), turns, "users", "echo", 0, "max_turns")


def user(text):
    return Turn("user", text)


def assistant(text, *flags):
    return Turn("assistant", text, flags=flags)


ASKED = talk(user("a party note"), assistant("When is it?"), user("4 May please"), assistant(DRAFT, "truncated"))
WROTE = talk(user("a note for 4 May at Harbour Hall"), assistant(DRAFT), user("thanks"), assistant("Anything else?"))


def test_what_an_assistant_did_is_measured():
    assert measures(ASKED) == {
        "asks_first": 1, "ends_asking": 0, "revealed": 0.5, "assistant_turns": 2,
        "words": (3 + 18) / 2, "user_words": 3 + 3, "truncated": 0.5,
    }  # fmt: skip
    assert measures(WROTE) == {
        "asks_first": 0, "ends_asking": 1, "revealed": 1, "assistant_turns": 2,
        "words": (18 + 2) / 2, "user_words": 8 + 1, "truncated": 0,
    }  # fmt: skip


def test_a_dialogue_without_an_assistant_turn_is_measured_too():
    silent = measures(talk(user("never mind"), requirements=()))
    assert (silent["assistant_turns"], silent["words"], silent["revealed"]) == (0, 0, 0)


def test_means_are_over_what_was_scored_and_the_rest_is_counted():
    scores = [Score(0.5, details={"requirements_met": 1.0}), Score(0.1), Score(math.nan, "failed")]
    row = behaviour([ASKED, WROTE, ASKED], scores)
    assert row["reward"] == pytest.approx(0.3)
    assert row["met"] == pytest.approx((1.0 + 0.1) / 2)
    assert row["asks_first"] == 0.5
    assert (row["n"], row["n_unscored"]) == (3, 1)


def test_a_step_in_which_nothing_was_scored_has_counts_alone():
    assert behaviour([ASKED], [Score(math.nan, "failed")]) == {"n": 1, "n_unscored": 1}


def test_each_step_is_a_row_and_on_disk_at_once(tmp_path):
    curves = Curves(tmp_path / "deep" / "curves.parquet")
    for step in (1, 2):
        curves.append(step, {"reward": step / 10})
        row = pq.read_table(curves.path).to_pylist()[-1]
        assert row == {"step": step, "seconds": row["seconds"], "reward": step / 10}
    assert not list(tmp_path.rglob("*.part"))


def test_a_resumed_run_drops_the_rows_after_its_checkpoint(tmp_path):
    path = tmp_path / "curves.parquet"
    first = Curves(path)
    for step in (1, 2, 3):
        first.append(step, {"reward": 0.1})
    resumed = Curves(path)
    resumed.cut(2)
    resumed.append(3, {"reward": 0.3})
    assert [(row["step"], row["reward"]) for row in pq.read_table(path).to_pylist()] == [(1, 0.1), (2, 0.1), (3, 0.3)]


def test_the_time_of_a_run_is_that_of_its_steps_however_often_it_was_stopped(tmp_path, monkeypatch):
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr("repro.training.curves.time", clock)
    for step in (1, 2):
        curves = Curves(tmp_path / "curves.parquet")
        curves.cut(step - 1)
        clock.now += 20
        curves.append(step, {"reward": 0.1})
        clock.now += 500  # stopped, and some time later started again
    assert total_seconds(tmp_path / "curves.parquet") == 40


def test_a_first_step_without_scores_does_not_hide_the_later_ones(tmp_path):
    curves = Curves(tmp_path / "curves.parquet")
    curves.append(1, {"n": 2.0, "n_unscored": 2.0})
    curves.append(2, {"reward": 0.5, "n": 2.0, "n_unscored": 0.0})
    rows = pq.read_table(curves.path).to_pylist()
    assert rows[1]["reward"] == 0.5
    assert rows[0].get("reward") is None
