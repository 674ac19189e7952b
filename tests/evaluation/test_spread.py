"""Are the parts of an error those of an analysis of variance, and do few seeds count as few?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from repro.evaluation.spread import Spread, crossed_spread
from repro.evaluation.stats import estimate, minimum_detectable_effect, tost_proportion


def table(n: int, k: int, sd_seed: float = 0.0, seed: int = 0) -> tuple[np.ndarray, list[np.ndarray]]:
    random = np.random.default_rng(seed)
    people, seeds = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    x = random.normal(size=n)[people] + sd_seed * random.normal(size=k)[seeds] + random.normal(size=n * k)
    return x, [people, seeds]


def test_a_spread_of_one_normal_has_its_quantiles() -> None:
    found = Spread(np.full(10, 2.0))
    assert found.quantile(0.975) == pytest.approx(2 * 1.959964, rel=1e-6)
    assert found.below(-2.0) == pytest.approx(0.158655, rel=1e-5)


def test_a_spread_of_several_turns_quantile_and_share_into_each_other() -> None:
    found = Spread(np.array([0.5, 1.0, 4.0]))
    assert found.below(found.quantile(0.9)) == pytest.approx(0.9)


def test_parts_are_the_mean_squares_of_an_analysis_of_variance() -> None:
    # Balanced: sd^2 = MS_people / nk + max(MS_seeds - MS_left, 0) / nk, where every part is known well.
    x, labels = table(400, 300, sd_seed=0.5)
    grid = x.reshape(400, 300)
    rows, columns = grid.mean(1) - grid.mean(), grid.mean(0) - grid.mean()
    left = grid - grid.mean() - rows[:, None] - columns
    seeds = (columns**2).sum() / 299 / 300 - (left**2).sum() / (399 * 299) / grid.size
    expected = (rows**2).sum() / 399 / 400 + seeds
    assert np.mean(crossed_spread(x, labels).sds ** 2) == pytest.approx(expected, rel=0.03)


def test_two_seeds_far_apart_leave_a_t_of_one_degree_of_freedom() -> None:
    # 300 people who agree; seeds at 0.2 and 0.8: se = 0.6 / 2 = 0.3, half-width t(.975, 1) se
    x, labels = np.tile([0.2, 0.8], 300), [np.repeat(np.arange(300), 2), np.tile([0, 1], 300)]
    half = crossed_spread(x, labels, n_draws=4000).quantile(0.975)
    assert half == pytest.approx(t.ppf(0.975, 1) * 0.3, rel=0.05)
    found = estimate(x.tolist(), {"participant": labels[0].tolist(), "seed": labels[1].tolist()})
    assert (found.low, found.high) == (0.2, 0.8)  # a mean lies among the values


def test_missing_votes_change_little() -> None:
    x, labels = table(200, 3, sd_seed=0.3)
    kept = np.random.default_rng(1).random(x.size) < 0.9
    whole, part = crossed_spread(x, labels), crossed_spread(x[kept], [codes[kept] for codes in labels])
    assert part.quantile(0.975) == pytest.approx(whole.quantile(0.975), rel=0.2)


def test_two_arms_with_seeds_each_count_both() -> None:
    random = np.random.default_rng(0)
    people, a, b = (grid.ravel() for grid in np.indices((100, 3, 3)))
    x = random.normal(size=people.size) + 0.5 * np.array([-1, 0, 1])[a]
    one, both = x, x + 0.5 * np.array([-1, 0, 1])[b]
    assert crossed_spread(both, [people, a, b]).quantile(0.8) > 1.2 * crossed_spread(one, [people, a, b]).quantile(0.8)


def test_equivalence_and_smallest_effect_go_by_the_same_error_as_the_interval() -> None:
    x, (people, seeds) = table(200, 3, sd_seed=0.2)
    clusters = {"participant": people.tolist(), "seed": seeds.tolist()}
    found, alike = estimate(x.tolist(), clusters), tost_proportion(x.tolist(), clusters, center=0.0, bound=1.0)
    spread = crossed_spread(x, [people, seeds])
    assert (found.high - found.low) / 2 == pytest.approx(spread.quantile(0.975))
    assert alike.high - alike.low == pytest.approx(2 * spread.quantile(0.95))
    assert (alike.p < 0.05) == (alike.low > -1 and alike.high < 1)
    effect = minimum_detectable_effect(x.tolist(), clusters)
    assert effect == pytest.approx(spread.quantile(0.975) + spread.quantile(0.8))
