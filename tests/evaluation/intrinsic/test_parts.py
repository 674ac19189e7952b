"""Are differences between two simulators those of the tasks they share?"""

from __future__ import annotations

import math

import numpy as np
import pytest

from repro.evaluation.intrinsic import Parts, diversity_gain, end_times, first_turn_diversity, gain, manner, rooms
from repro.evaluation.intrinsic.manner import is_slip
from repro.types import Requirement, Task, Trajectory, Turn

TASKS = tuple(f"t{i}" for i in range(40))


def talk(*said: str, task: str = "t", stop: str = "max_turns", error: str | None = None) -> Trajectory:
    turns = [turn for text in said for turn in (Turn("user", text), Turn("assistant", "ok"))]
    wishes = (Requirement("sender", "name", "Kwame Fischr", "who it is from"),)
    return Trajectory(Task(task, "u", "get a note", wishes), tuple(turns), "u", "a", 0, stop, error)  # type: ignore[arg-type]


def test_a_difference_of_means_is_paired_by_task():
    level = np.linspace(0, 1, 40)  # tasks differ a lot, the two simulators by 0.1 in each
    own = 0.01 * (-1.0) ** np.arange(40)
    found = gain(Parts.mean([*(level + 0.1 + own)], TASKS), Parts.mean([*level], TASKS))
    assert found.value == pytest.approx(0.1)
    assert 0.095 < found.low < 0.1 < found.high < 0.105  # 0.01 / sqrt(39) = 0.0016, twice; unpaired 0.13
    assert (found.n, found.n_clusters) == (80, 40)


def test_a_ratio_is_of_sums_and_an_unscored_item_is_left_out_and_counted():
    a = Parts((1, 0, math.nan), (2, 2, 9), ("x", "y", "z"))  # 1/4
    b = Parts((1, 1, 1), (1, 1, 2), ("x", "y", "z"))  # 3/4
    found = gain(a, b)
    assert found.value == pytest.approx(-0.5)
    assert (found.n, found.n_unscored) == (5, 1)


def test_the_room_above_a_simulator_is_known_where_the_measure_is_a_share_that_users_have_more_of():
    shares, counts = Parts.mean([1.0] * 39 + [0.0], TASKS), Parts((2.0,) * 40, (1.0,) * 40, TASKS, within=None)
    found = rooms({"role": {"a": shares}, "surprise": {"a": counts}, "intent_overlap": {"a": shares}}, over="a")
    assert [*found] == ["room.role"]
    room, kept = found["room.role"], shares.found
    assert (room.value, room.low, room.high) == (1 - kept.value, 1 - kept.high, 1 - kept.low)


def test_one_task_alone_has_no_interval():
    assert math.isnan(gain(Parts.mean([1], ["x"]), Parts.mean([0], ["x"])).value)
    twice = Parts.mean([1, 0, math.nan], ["x", "x", "y"])  # of the second task nothing is known
    found = gain(twice, Parts.mean([0, 1, 1], ["x", "x", "y"]))
    assert found.value == pytest.approx(1 / 2 - 2 / 3)
    assert math.isnan(found.low)


def test_a_difference_that_is_the_same_in_every_task_is_not_certain():
    # q = 3.8415 / (16 + 3.8415) = 0.1936: a share of q of other tasks could be as far off as 1 v 0 the other way round
    always, never = Parts.mean([1.0] * 16, TASKS[:16]), Parts.mean([0.0] * 16, TASKS[:16])
    found, nothing = gain(always, never), gain(always, always)
    assert (found.value, found.low, found.high) == pytest.approx((1, 1 - 2 * 0.1936, 1), abs=1e-4)
    assert (nothing.value, nothing.low, nothing.high) == pytest.approx((0, -0.1936, 0.1936), abs=1e-4)


def test_a_difference_of_what_has_no_bounds_has_no_interval_where_it_is_the_same_throughout():
    nats = Parts((3.0, 6.0), (1.0, 2.0), ("x", "y"), within=None)
    assert math.isnan(gain(nats, nats).low)
    assert math.isnan(nats.found.low)
    assert nats.found.value == 3


def test_few_tasks_widen_a_difference_as_students_t_does():
    values = np.random.default_rng(1).normal(size=8)
    found = gain(Parts.mean([*values], TASKS[:8]), Parts.mean([0.0] * 8, TASKS[:8]), n_boot=20_000)
    exact = 2 * 2.3646 * values.std(ddof=1) / math.sqrt(8)  # t(.975, 7)
    assert found.high - found.low == pytest.approx(exact, rel=0.12)


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
    found = end_times(mine, real)
    assert {key: share.value for key, share in found.items()} == {"early": 0.25, "on_time": 0.25, "late": 0.5}
    assert {(share.n, share.n_unscored) for share in found.values()} == {(4, 1)}


def test_where_neither_left_there_is_no_time_to_compare():
    real = [talk("a", "b", task="t0"), talk("a", "b", task="t1", stop="user_ended"), talk("a", task="t2")]
    mine = [
        talk("a", "b", task="t0"),  # neither left
        talk("a", "b", task="t1", error="failed"),
        talk("a", task="t2", stop="user_ended"),  # the user stayed on
    ]
    found = end_times(mine, real)
    assert {key: (share.value, share.n, share.n_unscored) for key, share in found.items()} == {
        "early": (1, 1, 2), "on_time": (0, 1, 2), "late": (0, 1, 2),
    }  # fmt: skip


def test_manner_counts_courtesy_questions_and_slips():
    found = manner([talk("please wrte a note", "is it dun?"), talk("", error="failed")])
    assert found["polite"].value == found["question_rate"].value == 0.5
    assert (found["words_per_turn"].value, found["n_turns"].value) == (3.5, 2)
    assert found["typos"].value == pytest.approx(1 / 3)  # of please, wrte, note: four letters or more
    assert found["typos"].n_unscored == 1


def test_counts_that_are_the_same_everywhere_are_not_taken_for_shares():
    found = manner([talk("please", task=f"t{i}") for i in range(20)])
    assert math.isnan(found["n_turns"].low)
    assert math.isnan(found["words_per_turn"].high)
    assert found["polite"].low == pytest.approx(0.839, abs=1e-3)  # Wilson, 20 of 20


@pytest.mark.parametrize(
    ("word", "slip"), [("mesage", True), ("message", False), ("oliveira", False), ("invtation", True)]
)
def test_a_slip_is_one_letter_from_a_word_and_no_word(word, slip):
    assert is_slip(word) is slip


def test_names_of_the_task_are_no_slips():
    assert manner([talk("from kwame fischr")])["typos"].value == 0
