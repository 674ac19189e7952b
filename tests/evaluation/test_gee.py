"""Is a win rate told from what the order did?"""

from __future__ import annotations

import math

import pytest

from repro.evaluation.gee import adjusted_win_rate
from repro.evaluation.preference import Vote


def vote(i: int, outcome: float, position: str = "a_first", a: str = "x", b: str = "y") -> Vote:
    return Vote(f"p{i}", f"t{i}", a, b, None, None, outcome, position)  # type: ignore[arg-type]


def test_orders_that_are_not_balanced_do_not_move_the_adjusted_win_rate() -> None:
    # First in 30 of 40 votes. First: 24 of 30 wins (0.8); second: 4 of 10 (0.4). At balanced orders (0.8 + 0.4) / 2.
    first = [vote(i, float(i < 24)) for i in range(30)]
    second = [vote(30 + i, float(i < 4), "b_first") for i in range(10)]
    found = adjusted_win_rate([*first, *second], a="x", b="y")
    assert found.win_rate.value == pytest.approx(0.6)
    assert found.first.value == pytest.approx(0.4)
    assert (found.win_rate.n, found.win_rate.n_clusters) == (40, 40)
    assert found.p_first < 0.05 < found.p


def test_it_is_the_same_told_from_the_other_side() -> None:
    votes = [vote(i % 9, [1.0, 0.5, 0.0][i % 3 if i % 4 else 0], ["a_first", "b_first"][i % 2]) for i in range(36)]
    one, other = adjusted_win_rate(votes, a="x", b="y"), adjusted_win_rate(votes, a="y", b="x")
    assert one.win_rate.value == pytest.approx(1 - other.win_rate.value)
    assert one.first.value == pytest.approx(other.first.value)


def test_participants_who_are_all_alike_leave_no_interval() -> None:
    each = ((1.0, "a_first"), (0.5, "a_first"), (0.5, "b_first"), (0.0, "b_first"))
    found = adjusted_win_rate([vote(i, x, position) for i in range(6) for x, position in each], a="x", b="y")
    assert (found.win_rate.value, found.first.value) == pytest.approx((0.5, 0.5))
    assert math.isnan(found.win_rate.low)
    assert math.isnan(found.first.high)
    assert math.isnan(found.p_first)


def test_what_cannot_be_used_is_counted_and_too_little_is_nan() -> None:
    usable = [vote(i, float(i % 2), ["a_first", "b_first"][i // 2 % 2]) for i in range(8)]
    found = adjusted_win_rate([*usable, vote(9, 1.0, "unknown"), vote(10, float("nan"))], a="x", b="y")
    assert (found.win_rate.n, found.win_rate.n_unscored) == (8, 2)
    for few in ([], usable[:3], [vote(i, 1.0) for i in range(9)]):
        assert math.isnan(adjusted_win_rate(few, a="x", b="y").p)
