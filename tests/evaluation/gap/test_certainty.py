"""Is no gap reported between users and users, and is a planted one found with an interval that holds it?"""

from __future__ import annotations

import math

import numpy as np
import pytest

from repro.errors import ReproError
from repro.evaluation.gap import Side, floor, interval, permutation_p
from repro.evaluation.gap.divergence import jensen_shannon

K = 8
EVEN = np.full(K, 1 / K)
ODD = np.array([0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05, 0.05])


def side(seed: int, shares, n: int = 200, prefix: str = "") -> Side:
    return Side(np.random.default_rng(seed).choice(K, n, p=shares), [f"{prefix}{i}" for i in range(n)])


def test_halves_of_the_same_users_are_apart_by_what_theory_says():
    found = floor(side(0, EVEN), k=K)
    assert found.value == pytest.approx((K - 1) / (4 * 100), rel=0.2)  # (K - 1) / 4n for two samples of n
    assert found.low < found.value < found.high
    assert (found.n, found.n_clusters) == (200, 200)
    mended = floor(side(0, EVEN), k=K, corrected=True)
    assert abs(mended.value) < 0.2 * found.value
    assert math.isnan(floor(Side(np.array([1, 2]), ["a", "a"]), k=K).value)


def test_users_are_kept_whole():
    twice = Side(np.array([0, 0, 1, 1]), ["a", "a", "b", "b"])
    assert floor(twice, k=2).value == pytest.approx(math.log(2))  # the halves are a and b


@pytest.mark.parametrize("prefix", ["", "s"])  # the same users, or others
def test_a_simulator_that_does_as_users_do_is_not_told_from_them(prefix):
    p = [
        permutation_p(side(2 * i, EVEN), side(2 * i + 1, EVEN, prefix=prefix), k=K, n_permutations=199)
        for i in range(60)
    ]
    assert 0.3 < np.mean(p) < 0.7
    assert np.mean(np.array(p) <= 0.05) < 0.15


def test_one_that_does_not_is():
    assert permutation_p(side(0, EVEN), side(1, ODD), k=K) == pytest.approx(1 / 1000)


@pytest.mark.parametrize("prefix", ["", "s"])
def test_the_interval_holds_the_planted_gap(prefix):
    truth = jensen_shannon(EVEN, ODD)
    found = [interval(side(2 * i, EVEN), side(2 * i + 1, ODD, prefix=prefix), k=K, n_boot=200) for i in range(60)]
    assert np.mean([one.low <= truth <= one.high for one in found]) > 0.85
    assert np.mean([one.value for one in found]) == pytest.approx(truth, rel=0.15)


def test_nothing_apart_has_an_interval_that_begins_at_nothing():
    found = interval(side(0, EVEN), side(1, EVEN), k=K)
    assert found.low < 0 < found.high < 0.04
    assert found.low <= found.value <= found.high


def test_labels_without_users_are_refused():
    with pytest.raises(ReproError, match="got 2 labels and 1 users"):
        Side(np.array([0, 1]), ["a"])
