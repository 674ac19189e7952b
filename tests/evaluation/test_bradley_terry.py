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


def test_unscored_votes_are_counted_and_a_reference_has_to_be_there() -> None:
    some = [*votes("a", "initial", 3, 1, 2), Vote("p", "t", "a", "initial", None, None, float("nan"))]
    assert strengths(some, n_boot=20)["a"].n_unscored == 1
    with pytest.raises(ReproError, match="no votes on the reference 'best'; have a, initial"):
        strengths(some, reference="best")
