"""Are strengths those that the counts imply?"""

from __future__ import annotations

import math

import pytest

from repro.errors import ReproError
from repro.evaluation.bradley_terry import strengths
from repro.evaluation.preference import Vote


def votes(a: str, b: str, n_won: int, n_tied: int, n_lost: int) -> list[Vote]:
    outcomes = [1.0] * n_won + [0.5] * n_tied + [0.0] * n_lost
    return [Vote(f"p{i}", "t", a, b, None, None, x) for i, x in enumerate(outcomes)]


def test_three_wins_to_one_with_a_third_of_ties() -> None:
    # s_a / s_b = 30 / 10 = 3; ties 20 of 60: 2 v sqrt(3) / (3 + 1 + 2 v sqrt(3)) = 1/3, so v = 1 / sqrt(3)
    found = strengths(votes("userlm", "initial", 30, 20, 10))
    assert found["userlm"].value == pytest.approx(math.log(3), abs=1e-3)
    assert found["ties"].value == pytest.approx(-math.log(3) / 2, abs=1e-3)
    assert found["userlm"].low < math.log(3) < found["userlm"].high
    assert (found["userlm"].n, found["userlm"].n_clusters) == (60, 60)


def test_without_ties_two_arms_have_the_log_of_their_odds() -> None:
    # 40 of 60: log 2; and a star, in which everybody met the reference alone: log 2 and log 1/5
    assert strengths(votes("a", "initial", 40, 0, 20), n_boot=50)["a"].value == pytest.approx(math.log(2), abs=1e-3)
    star = strengths([*votes("a", "initial", 40, 0, 20), *votes("b", "initial", 10, 0, 50)], n_boot=50)
    assert star["a"].value == pytest.approx(math.log(2), abs=1e-3)
    assert star["b"].value == pytest.approx(-math.log(5), abs=1e-3)


def test_few_ties_change_little() -> None:
    found = strengths(votes("a", "initial", 400, 1, 200), n_boot=20)
    assert found["a"].value == pytest.approx(math.log(2), abs=1e-2)


def test_an_arm_that_was_not_met_is_placed_through_those_that_were() -> None:
    # a beats b 2 to 1 and b beats c 2 to 1: a over c is log 4
    found = strengths([*votes("a", "b", 40, 0, 20), *votes("b", "c", 40, 0, 20)], reference="c", n_boot=50)
    assert found["a"].value == pytest.approx(math.log(4), abs=1e-3)
    assert math.isnan(found["ties"].value)  # none were cast


def test_copies_of_a_participants_votes_make_no_interval_narrower() -> None:
    once = votes("userlm", "initial", 30, 20, 10)
    single, thrice = strengths(once), strengths(once * 3)
    assert thrice["userlm"].high - thrice["userlm"].low == pytest.approx(
        single["userlm"].high - single["userlm"].low, rel=0.01
    )


def test_an_arm_that_always_wins_has_no_finite_strength() -> None:
    found = strengths(votes("userlm", "initial", 10, 0, 0), n_boot=20)
    assert math.isnan(found["userlm"].value)
    assert found["userlm"].n == 10


def test_arms_that_no_votes_link_to_the_reference_have_no_strength() -> None:
    apart = [*votes("a", "initial", 30, 20, 10), *votes("c", "d", 30, 5, 10)]
    found, alone = strengths(apart, n_boot=50), strengths(apart[:60], n_boot=50)
    assert {name for name, one in found.items() if math.isnan(one.value)} == {"c", "d"}
    assert (found["c"].n, found["d"].n) == (45, 45)
    assert found["a"].value == pytest.approx(alone["a"].value, abs=1e-6)
    assert found["ties"].value == pytest.approx(alone["ties"].value, abs=1e-6)  # of votes within the group


def test_arms_that_always_beat_the_group_of_the_reference_are_another_group() -> None:
    found = strengths(
        [*votes("a", "initial", 40, 0, 20), *votes("c", "d", 30, 0, 30), *votes("c", "a", 20, 0, 0)], n_boot=50
    )
    assert found["a"].value == pytest.approx(math.log(2), abs=1e-3)
    assert math.isnan(found["c"].value)
    assert math.isnan(found["d"].value)
    linked = [*votes("a", "initial", 40, 0, 20), *votes("c", "a", 20, 0, 1), *votes("c", "initial", 20, 0, 0)]
    assert strengths(linked, n_boot=50)["c"].value > 2  # one loss is enough


def test_participants_who_are_all_alike_leave_a_strength_without_interval() -> None:
    both = [Vote(f"p{i}", "t", "a", "initial", None, None, x) for i in range(3) for x in (1.0, 0.0)]
    found = strengths(both, n_boot=20)["a"]
    assert found.value == pytest.approx(0, abs=1e-6)
    assert math.isnan(found.low)


def test_unscored_votes_are_counted_and_a_reference_has_to_be_there() -> None:
    some = [*votes("a", "initial", 3, 1, 2), Vote("p", "t", "a", "initial", None, None, float("nan"))]
    assert strengths(some, n_boot=20)["a"].n_unscored == 1
    with pytest.raises(ReproError, match="no votes on the reference 'best'; have a, initial"):
        strengths(some, reference="best")
