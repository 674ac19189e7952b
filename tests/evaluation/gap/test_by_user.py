"""Are users kept whole on all sides, and is what small samples put on taken off, of mixtures as of one simulator?"""

from __future__ import annotations

import numpy as np
import pytest

from repro.errors import ReproError
from repro.evaluation.gap import Side
from repro.evaluation.gap.by_user import by_user
from repro.evaluation.gap.divergence import jensen_shannon

K = 20


def sides(seed: int, n: int = 100, each: int = 1, s: int = 4, prefix: str = "u"):
    """Real users and s simulators that do as they do; users have `each` conversations, all of one kind."""
    draws = np.random.default_rng(seed)
    names = ["real", *(f"s{i}" for i in range(s))]
    users = {name: [f"{prefix if name != 'real' else 'u'}{i}" for i in range(n) for _ in range(each)] for name in names}
    return {name: (Side(np.repeat(draws.integers(K, size=n), each), users[name]), K) for name in names}


def test_a_half_has_half_of_the_users_of_every_side():
    some = sides(0, n=11) | {"few": (Side(np.array([0, 1, 2, 3, 3]), ["u0", "u1", "x", "y", "y"]), K)}
    seen = by_user(some)
    assert seen.n == 13  # u0 to u10, x and y
    first, second = seen.halves(np.random.default_rng(0))
    assert sorted({*first, *second}) == [0, 1]
    assert (first + second == 1).all()
    for half in (first, second):
        assert 5 <= (half @ seen.counts["real"]).sum() <= 6
        assert 1 <= half[[0, 1, 11, 12]].sum() <= 3
    assert len({tuple(seen.halves(np.random.default_rng(i))[0]) for i in range(20)}) == 20


@pytest.mark.parametrize("each", [1, 5])
@pytest.mark.parametrize("prefix", ["u", "s"])  # the same users, or others
def test_nothing_apart_is_about_zero_for_one_simulator_and_for_a_mixture(each, prefix):
    """Plain, one simulator is (K - 1) / 4n = 0.019 from users, four in equal parts (K - 1) (1 + 1/4) / 8n = 0.012."""
    one, four, plain = [], [], []
    for seed in range(60):
        seen = by_user(sides(seed, n=250, each=each, prefix=prefix))
        users = np.ones(seen.n)
        one.append(seen.mixture_js(users, {"s0": 1.0}))
        four.append(seen.mixture_js(users, {f"s{i}": 0.25 for i in range(4)}))
        p, q = seen.shares(users, [f"s{i}" for i in range(4)])
        plain.append((jensen_shannon(p, q[0]), jensen_shannon(p, q.mean(0))))
    assert np.mean(plain, axis=0) == pytest.approx((0.019, 0.012), rel=0.1)
    assert abs(np.mean(one)) < 0.004
    assert abs(np.mean(four)) < 0.003


def test_a_simulator_without_weight_has_no_part_in_it():
    seen = by_user(sides(0))
    users = np.random.default_rng(0).exponential(size=seen.n)
    assert seen.mixture_js(users, {"s0": 1.0}) == seen.mixture_js(users, {"s0": 1.0, "s1": 0.0})


def test_too_few_users_are_an_error():
    with pytest.raises(ReproError, match=r"halves of 3 users \(s1\) are too small; give 4 users or more"):
        by_user(sides(0) | {"s1": (Side(np.array([0, 1, 2, 2]), ["u0", "u1", "u2", "u2"]), K)})
