"""Do the divergences equal their formulas, and does the correction take off what small samples put on?"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import distance
from scipy.stats import entropy

from repro.errors import ReproError
from repro.evaluation.gap import divergences, histogram

LABELS = st.lists(st.integers(0, 6), min_size=1, max_size=60)


@given(LABELS, LABELS)
def test_they_equal_the_formulas(real, sim):
    k = 7
    found = divergences(real, sim, k=k)
    p, q = (np.bincount(x, minlength=k) / len(x) for x in (real, sim))
    smooth_p, smooth_q = ((x + 1 / k) / 2 for x in (p, q))  # shares, plus 1/k each: they sum to 2
    assert found.kl_forward == pytest.approx(entropy(smooth_p, smooth_q), abs=1e-12)
    assert found.kl_backward == pytest.approx(entropy(smooth_q, smooth_p), abs=1e-12)
    assert found.js == pytest.approx(distance.jensenshannon(p, q) ** 2, abs=1e-12)
    assert found.hellinger == pytest.approx(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / math.sqrt(2), abs=1e-7)
    assert 0 <= found.tv <= 1
    assert -1e-12 <= found.js <= math.log(2) + 1e-12


def test_the_same_is_nothing_apart_and_strangers_are_as_far_apart_as_can_be():
    same = divergences([0, 1, 1], [1, 0, 1], k=2)
    assert (same.kl_forward, same.js, same.tv, same.hellinger) == pytest.approx((0, 0, 0, 0), abs=1e-12)
    strangers = divergences([0, 0], [1, 1], k=2)
    assert (strangers.js, strangers.tv, strangers.hellinger) == pytest.approx((math.log(2), 1, 1))


def test_mauve_is_one_for_the_same_none_for_strangers_and_knows_no_order():
    assert divergences([0, 1, 1], [1, 0, 1], k=2).mauve == pytest.approx(1, abs=1e-9)
    assert divergences([0, 0], [1, 1], k=2).mauve < 0.01
    there, back = divergences([0, 0, 0, 1], [0, 1, 1, 2], k=3), divergences([0, 1, 1, 2], [0, 0, 0, 1], k=3)
    assert there.mauve == pytest.approx(back.mauve, abs=1e-9)
    assert 0.01 < there.mauve < 0.99


def test_mauve_falls_as_two_histograms_part():
    found = [divergences([0] * 50 + [1] * 50, [0] * (50 - n) + [1] * (50 + n), k=2).mauve for n in (0, 10, 20, 40)]
    assert found == sorted(found, reverse=True)
    assert len({round(one, 3) for one in found}) == 4


def test_the_base_is_that_of_the_logarithms_and_nothing_else():
    nats, bits = divergences([0, 1, 1], [0, 0, 1], k=3), divergences([0, 1, 1], [0, 0, 1], k=3, base=2)
    assert bits.js == pytest.approx(nats.js / math.log(2))
    assert bits.kl_forward == pytest.approx(nats.kl_forward / math.log(2))
    assert (bits.tv, bits.base) == (nats.tv, 2)


@pytest.mark.parametrize(("n", "m"), [(200, 200), (400, 150)])
def test_two_samples_of_one_population_are_apart_and_the_corrected_value_is_not(n, m):
    draws, k = np.random.default_rng(0), 20
    shares = draws.dirichlet(np.full(k, 3.0))
    found = [
        divergences(draws.choice(k, n, p=shares), draws.choice(k, m, p=shares), k=k) for _ in range(300)
    ]  # fmt: skip
    plain, corrected = np.array([[one.js, one.js_corrected] for one in found]).T
    assert plain.mean() > 0.01
    assert abs(corrected.mean()) < 3 * corrected.std() / math.sqrt(300) + 0.05 * plain.mean()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([], "there are no real conversations"),
        ([0, 5], "the real labels run from 0 to 5; give whole numbers from 0 to 4"),
        ([-1, 2], "run from -1 to 2"),
        ([0.5, 1.0], "give whole numbers"),
    ],
)
def test_a_mistake_gets_one_sentence(labels, words):
    with pytest.raises(ReproError, match=words):
        divergences(labels, [0, 1], k=5)


def test_a_histogram_counts():
    assert histogram([0, 2, 2], k=4).tolist() == [1, 0, 2, 0]
