"""Is the mixture the best there is, and does it say how sure of that it is?"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from repro.errors import ReproError
from repro.evaluation.gap import greedy_path, optimal_mixture
from repro.evaluation.gap.divergence import jensen_shannon


def some(seed: int, n: int, k: int = 30, sparse: bool = False):
    draws = np.random.default_rng(seed)
    hists = draws.dirichlet(np.full(k, 0.3), size=n + 1)
    if sparse:
        hists = draws.poisson(3 * hists * k) + np.eye(n + 1, k)
    return hists[0], hists[1:]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.booleans())
def test_it_is_certified_to_the_promised_precision(seed, n, sparse):
    p, q = some(seed, n, sparse=sparse)
    found = optimal_mixture(p, q)
    assert found.certificate < 1e-8
    assert sum(found.weights) == pytest.approx(1)
    assert min(found.weights) >= 0
    assert found.js <= min(optimal_mixture(p, [one]).js for one in q) + 1e-9


def test_no_other_method_finds_a_better_one():
    p, q = some(3, 5)
    p = p / p.sum()
    found = optimal_mixture(p, q)
    simplex = {"type": "eq", "fun": lambda w: w.sum() - 1}
    for start in np.random.default_rng(0).dirichlet(np.ones(5), size=5):
        other = minimize(
            lambda w: jensen_shannon(p, np.maximum(w, 0) @ q), start, bounds=[(0, 1)] * 5, constraints=simplex,
            options={"ftol": 1e-14},
        )  # fmt: skip
        assert found.js <= other.fun + 1e-7


def test_users_that_are_a_mixture_are_found_out():
    _, q = some(5, 4)
    truth = np.array([0.5, 0.0, 0.3, 0.2])
    found = optimal_mixture(truth @ q, q)
    assert found.weights == pytest.approx(truth, abs=1e-3)
    assert found.js < 1e-8


def test_a_simulator_that_does_what_nobody_does_gets_nothing():
    p = np.array([0.5, 0.5, 0.0])
    found = optimal_mixture(p, [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    assert found.weights == (1.0, 0.0)


def test_a_path_gets_no_worse_and_ends_at_the_best_of_all():
    p, q = some(8, 6)
    path = greedy_path(p, q)
    assert [sum(w > 0 for w in one.weights) <= size for size, one in enumerate(path, 1)] == [True] * 6
    assert all(a.js >= b.js - 1e-9 for a, b in pairwise(path))
    assert path[-1].js == pytest.approx(optimal_mixture(p, q).js, abs=1e-8)


def test_bins_that_do_not_fit_and_empty_histograms_are_refused():
    with pytest.raises(ReproError, match="3 bins and the simulated ones 2"):
        optimal_mixture([1, 1, 1], [[1, 1]])
    with pytest.raises(ReproError, match="not all 0"):
        optimal_mixture([0, 0], [[1, 1]])
