"""Does the detector see what was told, however it was put, and nothing else? Are the measures what they say?"""

from __future__ import annotations

import math

import pytest

from repro.data.sharded import sharded_tasks
from repro.evaluation.telling import apart, coverage, measures, pace, revealed, reveals
from repro.types import Trajectory, Turn

TASKS = {task.id: task for family in ("maths", "code") for task in sharded_tasks(family)}

# task, number of the shard, what a user wrote
HITS = [
    ("maths/rolls", 0, "how many rolls do they bake in a week"),
    ("maths/rolls", 0, "I want to know the rolls a week the bakery bakes"),
    ("maths/rolls", 1, "every day they bake forty rolls"),
    ("maths/rolls", 1, "40 a day"),
    ("maths/rolls", 2, "oh and its open six days per week"),
    ("maths/pens", 2, "each pen is 2 dollars"),
    ("maths/savings", 1, "the bicycle is $120"),
    ("maths/savings", 3, "she can save ten dollars each week"),
    ("maths/tiles", 3, "9 of the tiles are broken tho"),
    ("maths/interest", 1, "we put 1,000 dollars in"),
    ("maths/cups", 2, "a cup is 250 ml, so it holds 250"),
    ("maths/exam", 3, "a right answer gives four points"),
    ("maths/hike", 2, "going up it's 4 km an hour"),
    ("maths/rent", 4, "3 friends share it equally"),
    ("code/clamp", 1, "name it clamp, with x, low, high"),
    ("code/clamp", 1, "def clamp(x, low, high)"),
    ("code/clamp", 3, "anything above high should be high"),
    ("code/leap", 3, "but not if it is divisible by 100"),
    ("code/fizz", 2, "if it is divisible by 3 say Fizz"),
    ("code/unique", 3, "keep the order"),
    ("code/celsius", 3, "one decimal, so round it to 1 place"),
    ("code/bill", 4, "rounded to two decimals"),
]
MISSES = [
    ("maths/rolls", 0, "It bakes 40 rolls a day. It is open 6 days a week."),
    ("maths/rolls", 1, "It is open 6 days a week."),
    ("maths/rolls", 1, "it bakes 400 rolls a day"),
    ("maths/rolls", 1, "it bakes a lot of rolls a day"),
    ("maths/rolls", 2, "it is open most of the week"),
    ("maths/rolls", 2, "16 days a week"),
    ("maths/pens", 2, "I have 2 of them"),
    ("maths/savings", 1, "the bicycle is expensive"),
    ("maths/savings", 3, "she has 30 dollars already"),
    ("maths/tiles", 3, "The wall has 9 rows of tiles."),
    ("maths/interest", 1, "how much is it with 4 percent interest?"),
    ("maths/cups", 2, "there are 6 cups"),
    ("maths/exam", 3, "20 answers are right"),
    ("maths/hike", 2, "coming down they walk 6 kilometres an hour"),
    ("maths/rent", 4, "the internet is 60"),
    ("code/clamp", 1, "a function that keeps a number within bounds"),
    ("code/clamp", 3, "Below low it returns low."),
    ("code/leap", 3, "Years divisible by 4 are leap years."),
    ("code/fizz", 2, "it is a counting game"),
    ("code/unique", 3, "no duplicates please"),
    ("code/celsius", 3, "subtract 32 and divide by 9"),
    ("code/bill", 4, "each guest pays the same"),
]


@pytest.mark.parametrize(("task", "i", "text"), HITS)
def test_what_was_told_in_other_words_is_seen(task, i, text):
    assert reveals(TASKS[task].shards, i, text)


@pytest.mark.parametrize(("task", "i", "text"), MISSES)
def test_what_was_not_told_is_not_seen(task, i, text):
    assert not reveals(TASKS[task].shards, i, text)


def dialogue(task, *said, error=None):
    turns = [turn for text in said for turn in (Turn("user", text), Turn("assistant", "What else?"))]
    return Trajectory(TASKS[task].task, tuple(turns), "user", "assistant", 0, "error" if error else "max_turns", error)


ASKED, BAKES, OPEN = TASKS["maths/rolls"].shards


def test_a_shard_is_revealed_at_the_first_turn_that_completes_it():
    assert revealed(TASKS["maths/rolls"].task, [ASKED, "hm", BAKES]) == [1, 3, None]
    assert revealed(TASKS["maths/rolls"].task, ["40", "a day"]) == [None, 2, None]  # the number, then of what
    assert revealed(TASKS["maths/rolls"].task, []) == [None, None, None]


def test_coverage_is_the_share_revealed_and_pace_the_variance_of_when():
    assert coverage([1, 3, None, None]) == 0.5
    assert pace([[1, 1, 1]]) == 0
    assert pace([[1, 2, 3]]) == pytest.approx(2 / 3)  # squares of -1, 0, 1 over 3
    assert pace([[1, None], [3, None]]) == 1  # over dialogues too: squares of -1, 1 over 2
    assert math.isnan(pace([[None]]))
    assert math.isnan(coverage([]))


def test_sets_lie_apart_by_what_they_do_not_share():
    a, b, c = frozenset({1, 2}), frozenset({2, 3}), frozenset({1, 2})
    assert apart([a, b]) == pytest.approx(2 / 3)  # one of three shared
    assert apart([a, b, c]) == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert apart([frozenset(), frozenset()]) == 0
    assert math.isnan(apart([a]))


def test_measures_of_a_simulator_are_by_task_and_leave_failed_dialogues_out():
    held = [
        dialogue("maths/rolls", ASKED, BAKES, OPEN),
        dialogue("maths/rolls", ASKED, BAKES),
        dialogue("maths/rolls", error="Timeout: no answer"),
        dialogue("maths/pens", "\n".join(TASKS["maths/pens"].shards)),
    ]
    found = measures(held)
    assert found["coverage"].value == pytest.approx((1 + 2 / 3 + 1) / 3)
    assert (found["coverage"].n, found["coverage"].n_unscored, found["coverage"].n_clusters) == (3, 1, 2)
    assert found["turns"].value == pytest.approx((3 + 2 + 1) / 3)
    # rolls: turns 1, 2, 3, 1, 2, mean 1.8, variance 0.56; pens: all at once, 0
    assert found["pace_diversity"].value == pytest.approx(0.28)
    assert found["information_diversity"].value == pytest.approx(1 / 3)  # three and two shards; pens has one dialogue
    assert (found["information_diversity"].n, found["information_diversity"].n_unscored) == (1, 1)
    # words: 10 in the question, then it, bakes, 40, day, then is, open, 6, days: 18, of which the second lacks 4
    assert found["lexical_diversity"].value == pytest.approx(4 / 18)


def test_the_same_number_of_turns_everywhere_has_no_interval():
    found = measures([dialogue("maths/rolls", ASKED), dialogue("maths/pens", "hm")])["turns"]
    assert found.value == 1
    assert math.isnan(found.low)  # a count: how many turns others would take, nobody knows
