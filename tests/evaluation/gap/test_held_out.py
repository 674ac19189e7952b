"""Is a mixture judged on users it was not fitted to, and are few conversations no gap?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from repro.evaluation.gap import Side, behavioral_gaps, held_out_mixture, path_table

from .test_gap import TERSE, many

K = 20
HERE, THERE = np.random.default_rng(0).dirichlet(np.full(K, 2.0), size=2)


@pytest.fixture(scope="module")
def gaps():
    sides = {name: many(TERSE, i, n=8) for i, name in enumerate("abc")}
    return behavioral_gaps(many(TERSE, 9, n=8), sides, encoder="features", k=2, n_permutations=1)


def labelled(gaps, seed: int, n: int = 400, **shares):
    draws = np.random.default_rng(seed)
    labels = {name: Side(draws.choice(K, n, p=p), range(n)) for name, p in ({"real": HERE} | shares).items()}
    return replace(gaps, labels=labels, k=K, results={name: gaps.results[name] for name in shares})


def test_what_does_as_users_do_is_at_zero_alone_and_mixed(gaps):
    """Plain, halves of 200 are (K - 1) / 4n = 0.024 apart, and three in equal parts are 0.016 from users."""
    found = [held_out_mixture(labelled(gaps, seed, a=HERE, b=HERE, c=HERE), seed=seed) for seed in range(30)]
    for values in ([one.js for one in found], [one.js_of_nearest for one in found], [one.js_of_users for one in found]):
        assert abs(np.mean(values)) < 0.005
    assert np.mean([one.js_of_each for one in found], axis=0) == pytest.approx([0, 0, 0], abs=0.005)


def test_the_nearest_is_chosen_where_the_mixture_is_fitted(gaps):
    held = held_out_mixture(labelled(gaps, 0, a=THERE, b=HERE))
    assert (held.nearest, held.names) == ("b", ("a", "b"))
    assert held.js_of_nearest == held.js_of_each[1]
    assert held.mixture.weights[1] > 0.8


def test_a_path_shows_how_far_each_mixture_is_from_users_it_has_not_seen(gaps):
    path = path_table(labelled(gaps, 0, n=2000, a=0.5 * HERE + 0.5 * THERE, b=2 * HERE / 3 + THERE / 3, c=THERE))
    assert list(path.columns) == ["size", "added", "js", "js_held_out", "weight.a", "weight.b", "weight.c"]
    assert path.added[0] == "b"
    alone = held_out_mixture(labelled(gaps, 0, n=2000, b=2 * HERE / 3 + THERE / 3))
    assert path.js_held_out[0] == pytest.approx(alone.js, abs=0.01)
    assert path.js.is_monotonic_decreasing
