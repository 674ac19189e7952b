"""Is no gap reported between users and users, and is a planted one found with an interval that holds it?"""

from __future__ import annotations

import math

import numpy as np
import pytest

from repro.errors import ReproError
from repro.evaluation.gap import Side, compare, floor
from repro.evaluation.gap.certainty import _score_interval
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
    p = [compare(side(2 * i, EVEN), side(2 * i + 1, EVEN, prefix=prefix), k=K, n_permutations=199).p for i in range(60)]
    assert 0.3 < np.mean(p) < 0.7
    assert np.mean(np.array(p) <= 0.05) < 0.15


def test_one_that_does_not_is():
    found = compare(side(0, EVEN), side(1, ODD), k=K)
    assert found.p == pytest.approx(1 / 1000)
    assert found.p_is_least
    assert not compare(side(0, EVEN), side(1, EVEN), k=K).p_is_least


@pytest.mark.parametrize("prefix", ["", "s"])
@pytest.mark.parametrize("there", [EVEN, ODD], ids=["no gap", "a gap"])
def test_the_interval_holds_the_planted_gap(prefix, there):
    truth = jensen_shannon(EVEN, there)
    found = [
        compare(side(2 * i, EVEN), side(2 * i + 1, there, prefix=prefix), k=K, n_permutations=199).js
        for i in range(150)
    ]
    held = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.90 < held < 0.99  # 150 intervals of 95%: 0.95 +- 0.036
    assert np.mean([one.value for one in found]) == pytest.approx(truth, abs=0.002)


def test_samples_in_balance_are_nearer_than_random_ones_unless_like_are_put_beside_like():
    """Ten sorts of task, as many of each on both sides; three conversations in four show what their sort asks for.
    Dealing users out anew loses the balance, so too much is taken off; swapping two of a sort keeps it."""
    sorts, strangers, pairs = np.arange(200) % 10, [], []
    for i in range(40):
        draws = np.random.default_rng(i)
        one, other = (np.where(draws.random(200) < 0.75, sorts, draws.integers(10, size=200)) for _ in range(2))
        for found, prefix in ((strangers, "s"), (pairs, "")):
            sides = Side(one, [*map(str, range(200))]), Side(other, [f"{prefix}{user}" for user in range(200)])
            found.append(compare(*sides, k=10, n_permutations=99).js.value)
    assert np.mean(strangers) < -0.004  # of (10 - 1) / (4 * 200) = 0.011 about half
    assert abs(np.mean(pairs)) < 0.001


def without(one: Side, *users: str) -> Side:
    kept = [i for i, user in enumerate(one.users) if user not in users]
    return Side(one.labels[kept], [one.users[i] for i in kept])


def test_a_few_users_on_one_side_only_leave_the_others_paired():
    a, b = side(0, EVEN), side(1, ODD)
    found = compare(without(a, "3"), without(b, "7", "8"), k=K)
    both = compare(without(a, "3", "7", "8"), without(b, "3", "7", "8"), k=K)
    assert (found.paired, found.n_unpaired, found.js.n, found.js.n_clusters) == (True, 3, 394, 197)
    assert (found.js.value, found.p) == (both.js.value, both.p)
    assert both.n_unpaired == 0
    shifted = Side(b.labels, [str(int(user) + 40) for user in b.users])  # four users in five are shared
    apart = compare(a, shifted, k=K, n_permutations=9)
    assert (apart.paired, apart.n_unpaired, apart.js.n, apart.js.n_clusters) == (False, 0, 400, 400)


def test_users_with_many_conversations_count_as_one():
    """Conversations of a user that are all alike: the correction and the interval are those of the users alone."""
    once, other = side(0, EVEN, n=80), side(1, ODD, n=80)
    often = [Side(np.repeat(one.labels, 5), [user for user in one.users for _ in range(5)]) for one in (once, other)]
    single, repeated = compare(once, other, k=K), compare(*often, k=K)
    assert repeated.p == single.p
    assert (repeated.js.low, repeated.js.value, repeated.js.high) == pytest.approx(
        (single.js.low, single.js.value, single.js.high)
    )
    assert (repeated.js.n, repeated.js.n_clusters) == (800, 80)


def test_nothing_apart_has_an_interval_that_holds_nothing():
    found = compare(side(0, EVEN), side(1, EVEN), k=K, n_boot=200)
    assert found.js.low < 0 < found.js.high < 0.04
    assert found.js.low <= found.js.value <= found.js.high
    assert found.bootstrap is not None
    assert found.bootstrap.low < found.js.low  # it counts the noise more than once


@pytest.mark.parametrize("value", [-0.05, -0.0197, -0.0195, 0.0, 0.0195, 0.0197, 0.3])
def test_an_interval_lies_around_what_was_found_and_moves_with_it(value):
    null, slope = 1e-4, 2e-3  # z sd of no gap: 0.0196
    low, high = _score_interval(value, null, slope)
    assert low < value < high
    for end in (low, high):
        assert (value - end) ** 2 == pytest.approx(1.95996**2 * (null + slope * max(end, 0)), rel=1e-3)


def test_no_interval_reaches_beyond_the_largest_divergence():
    few, shares = 12, np.eye(K)[0] * 0.9 + 0.1 / K
    found = compare(side(0, shares, few), side(1, shares[::-1], few, "s"), k=K).js
    assert found.value < found.high == pytest.approx(math.log(2))


def test_a_side_of_one_user_has_a_test_but_no_value():
    one = Side(np.array([0, 1, 1]), ["u"] * 3)
    found = compare(side(0, EVEN, 20), one, k=K)
    assert all(math.isnan(x) for x in (found.js.value, found.js.low, found.js.high))
    assert 0 < found.p <= 1


def test_strangers_are_as_far_apart_as_can_be():
    here, there = (Side(np.full(50, kind), [f"u{i}" for i in range(50)]) for kind in (0, 1))
    found = compare(here, there, k=2).js
    assert found.value == pytest.approx(math.log(2), abs=1e-6)
    assert found.low <= found.value <= found.high


def test_labels_without_users_or_beyond_k_are_refused():
    with pytest.raises(ReproError, match=r"labels run from 0 to 3; they have to lie in 0..2"):
        Side(np.array([0, 3]), ["a", "b"]).counts(3)
    with pytest.raises(ReproError, match="got 2 labels and 1 users"):
        Side(np.array([0, 1]), ["a"])
