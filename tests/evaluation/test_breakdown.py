"""Are parts and sizes of a preference those that one works out by hand?"""

from __future__ import annotations

import math

import pytest

from repro.evaluation.breakdown import breakdown, effect_sizes, intraclass
from repro.evaluation.preference import Vote


def vote(person: str, task: str, outcome: float) -> Vote:
    return Vote(person, task, "x", "y", None, None, outcome)


VOTES = [*(vote(f"p{i}", "t1", 1.0) for i in range(6)), *(vote(f"p{i}", "t2", float(i % 2)) for i in range(6))]


def test_each_part_has_its_win_rate_and_all_parts_are_adjusted_together() -> None:
    # t1: 6 of 6, p = 2 (1 / 2) / 2^6 = 1 / 64, two parts: 1 / 32. t2: 3 of 6, p = 1.
    one, two = breakdown(VOTES, {"t1": "mail", "t2": "notes", "t3": "poems"}, a="x", b="y")
    assert (one["part"], one["value"], one["n"], one["p"]) == ("mail", 1.0, 6, pytest.approx(1 / 64))
    assert one["p_holm"] == pytest.approx(1 / 32)
    assert (two["part"], two["value"], two["p_holm"]) == ("notes", 0.5, 1.0)


def test_a_task_of_several_tags_counts_in_each_and_one_without_in_none() -> None:
    rows = breakdown(VOTES, {"t1": ("math", "code", "math")}, a="y", b="x")
    assert [(row["part"], row["value"], row["n"]) for row in rows] == [("math", 0.0, 6), ("code", 0.0, 6)]


def test_effect_sizes() -> None:
    # 9 of 12: h = 2 asin sqrt(.75) - 2 asin sqrt(.5) = pi / 6; odds 3; means: three people at 1, three at 0.5,
    # mean 0.75, sd sqrt(6 * .0625 / 5) = 0.2739, d = 0.25 / 0.2739
    found = effect_sizes(VOTES, a="x", b="y")
    assert found["h"] == pytest.approx(math.pi / 6)
    assert found["odds"] == 3
    assert found["d"] == pytest.approx(0.9129, abs=1e-4)
    assert math.isnan(effect_sizes(VOTES, a="x", b="z")["h"])


def test_votes_that_agree_within_people_have_an_intraclass_correlation_of_one() -> None:
    assert intraclass([1, 1, 0, 0], ["a", "a", "b", "b"]) == 1.0
    # between: 2 (0 + 0) / 1 = 0; within: 1 / 2; m0 = 2: (0 - .5) / (0 + .5) = -1
    assert intraclass([1, 0, 1, 0], ["a", "a", "b", "b"]) == -1.0
    assert math.isnan(intraclass([1, 0], ["a", "b"]))
