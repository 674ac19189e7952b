"""Are differences between two simulators those of the tasks they share?"""

from __future__ import annotations

import math

import numpy as np
import pytest

from repro.evaluation.intrinsic import Parts, diversity_gain, end_times, first_turn_diversity, gain, manner
from repro.evaluation.intrinsic.manner import is_slip
from repro.types import Requirement, Task, Trajectory, Turn

TASKS = tuple(f"t{i}" for i in range(40))


def talk(*said: str, task: str = "t", stop: str = "max_turns", error: str | None = None) -> Trajectory:
    turns = [turn for text in said for turn in (Turn("user", text), Turn("assistant", "ok"))]
    wishes = (Requirement("sender", "name", "Kwame Fischr", "who it is from"),)
    return Trajectory(Task(task, "u", "get a note", wishes), tuple(turns), "u", "a", 0, stop, error)  # type: ignore[arg-type]


def test_a_difference_of_means_is_paired_by_task():
    level = np.linspace(0, 1, 40)  # tasks differ a lot, the two simulators by 0.1 in each
    found = gain(Parts.mean([*(level + 0.1)], TASKS), Parts.mean([*level], TASKS))
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert (found.n, found.n_clusters) == (80, 40)


def test_a_ratio_is_of_sums_and_an_unscored_item_is_left_out_and_counted():
    a = Parts((1, 0, math.nan), (2, 2, 9), ("x", "y", "z"))  # 1/4
    b = Parts((1, 1, 1), (1, 1, 2), ("x", "y", "z"))  # 3/4
    found = gain(a, b)
    assert found.value == pytest.approx(-0.5)
    assert (found.n, found.n_unscored) == (5, 1)


def test_one_task_alone_has_no_interval():
    assert math.isnan(gain(Parts.mean([1], ["x"]), Parts.mean([0], ["x"])).value)


def test_the_interval_holds_the_true_difference_about_as_often_as_it_says():
    dice, hits = np.random.default_rng(0), 0
    for _ in range(200):
        level = dice.normal(size=40)
        a, b = level + dice.normal(0.3, 1, 40), level + dice.normal(0, 1, 40)
        found = gain(Parts.mean([*a], TASKS), Parts.mean([*b], TASKS), n_boot=400)
        hits += found.low <= 0.3 <= found.high
    assert 0.90 <= hits / 200 <= 0.98


def test_a_gain_in_diversity_is_the_difference_of_both_over_shared_tasks():
    a = [talk(text, task=f"t{i}") for i, text in enumerate(("a b", "c d", "e f", "g"))]
    b = [talk(text, task=f"t{i}") for i, text in enumerate(("a b", "a b", "a c"))]
    found = diversity_gain(a, b)
    assert found.value == pytest.approx(first_turn_diversity(a[:3]).value - first_turn_diversity(b).value)
    assert (found.n, found.n_unscored) == (3, 1)


def test_ends_are_early_on_time_or_late_beside_the_user_of_the_task():
    real = [talk("a", "b", task=f"t{i}", stop="user_ended") for i in range(4)]
    mine = [
        talk("a", task="t0", stop="user_ended"),
        talk("a", "b", task="t1", stop="user_ended"),
        talk("a", "b", "c", task="t2", stop="user_ended"),
        talk("a", "b", task="t3"),  # never ends
        talk("a", task="t9", stop="user_ended"),  # no user to compare with
    ]
    found = {key: share.value for key, share in end_times(mine, real).items()}
    assert found == {"early": 0.25, "on_time": 0.25, "late": 0.5}


def test_manner_counts_courtesy_questions_and_slips():
    found = manner([talk("please wrte a note", "is it dun?"), talk("", error="failed")])
    assert found["polite"].value == found["question_rate"].value == 0.5
    assert (found["words_per_turn"].value, found["n_turns"].value) == (3.5, 2)
    assert found["typos"].value == pytest.approx(1 / 3)  # of please, wrte, note: four letters or more
    assert found["typos"].n_unscored == 1


@pytest.mark.parametrize(
    ("word", "slip"), [("mesage", True), ("message", False), ("oliveira", False), ("invtation", True)]
)
def test_a_slip_is_one_letter_from_a_word_and_no_word(word, slip):
    assert is_slip(word) is slip


def test_names_of_the_task_are_no_slips():
    assert manner([talk("from kwame fischr")])["typos"].value == 0
