"""Is it left open, where everybody is alike, how many others are not?"""

from __future__ import annotations

import math

import numpy as np
import pytest

from repro.evaluation.alike import DIFFERENCE, SHARE, alike_interval, are_alike, chance, interval_of, reach
from repro.evaluation.stats import wilson

NAN = float("nan")


@pytest.mark.parametrize("n", [1, 4, 283])
def test_of_zeros_or_ones_it_is_wilsons_interval(n: int) -> None:
    assert alike_interval(0.0, n, SHARE) == pytest.approx(wilson(0.0, n))
    assert alike_interval(1.0, n, SHARE) == pytest.approx(wilson(1.0, n))


def test_in_between_it_reaches_to_either_side_and_a_difference_may_be_negative() -> None:
    # q = 3.8415 / (16 + 3.8415) = 0.1936
    assert alike_interval(0.5, 16, SHARE) == pytest.approx((0.5 - 0.0968, 0.5 + 0.0968), abs=1e-4)
    assert alike_interval(0.0, 16, DIFFERENCE) == pytest.approx((-0.1936, 0.1936), abs=1e-4)
    assert alike_interval(1.0, 16, DIFFERENCE) == pytest.approx((1 - 2 * 0.1936, 1.0), abs=1e-4)


@pytest.mark.parametrize(("mean", "within"), [(3.0, None), (3.0, SHARE), (-2.0, DIFFERENCE)])
def test_without_bounds_or_beyond_them_nobody_can_say(mean: float, within: tuple[float, float] | None) -> None:
    assert all(math.isnan(end) for end in alike_interval(mean, 50, within))


def test_means_of_clusters_are_alike_whatever_the_votes_are() -> None:
    votes, people = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0, 0, 1, 1])
    assert are_alike(votes, [people])
    assert not are_alike(votes, [people, np.array([0, 1, 0, 1])])  # the first seed wins, the second loses
    assert not are_alike(votes, [])  # one person: nobody to be like
    assert are_alike(np.ones(3), [])
    assert are_alike(np.array([0.1 + 0.2, 0.3]), [np.array([0, 1])])  # but for rounding


def test_the_chance_of_being_alike_is_that_of_missing_all_others() -> None:
    # to leave 0.45 to 0.55, a tenth of the others has to lie at 0 or 1
    assert chance(0.5, 10, (0.45, 0.55)) == pytest.approx(0.9**10)
    assert chance(0.52, 10, (0.45, 0.55)) == pytest.approx((1 - 0.03 / 0.48) ** 10)  # up to 0.55 is nearer
    assert chance(0.6, 10, (0.45, 0.55)) == 1.0
    assert chance(0.5, 10, (-1.0, 2.0)) == 0.0  # no mean lies outside
    assert math.isnan(chance(3.0, 10, (0.45, 0.55)))


def test_a_ninety_percent_reach_says_the_same_as_the_chance() -> None:
    for n in (20, 28, 29, 60):  # 0.9^28 = 0.052, 0.9^29 = 0.047
        low, high = reach(0.5, 1 - 0.05 ** (1 / n), SHARE)
        assert (low > 0.45 and high < 0.55) == (chance(0.5, n, (0.45, 0.55)) < 0.05) == (n > 28)


def test_replicates_that_are_all_one_do_not_make_an_interval_of_no_width() -> None:
    same = np.array([1.0, 1.0, NAN, 1.0])
    assert interval_of(same, 1.0, n_clusters=16, within=SHARE) == pytest.approx(wilson(1.0, 16))
    assert interval_of(same, 1.0, n_clusters=16, n_alike=8, within=SHARE) == pytest.approx(wilson(1.0, 8))
    assert all(math.isnan(end) for end in interval_of(same, 1.0, n_clusters=1, within=SHARE))
    assert all(math.isnan(end) for end in interval_of(np.array([NAN]), NAN, n_clusters=5, within=SHARE))
    low, high = interval_of(np.linspace(0, 1, 101), 0.5, n_clusters=1000, within=SHARE)
    assert (low, high) == pytest.approx((0.025, 0.975), abs=2e-3)  # Student's t is all but normal
