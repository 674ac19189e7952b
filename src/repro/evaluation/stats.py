"""How sure are we?

A mean with an interval that counts people and training seeds as what they are, clusters, and the four tests a win
rate needs: is it different from one half (exact sign test, Holm), is it *not* different (TOST), and how small a
difference could we have seen (minimum detectable effect). NaN is an unscored value: left out and counted, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from repro.evaluation.resampling import (
    LEVEL,
    Clusters,
    Floats,
    cluster_weights,
    codes_of,
    percentiles,
    resampled,
    resampled_means,
    scored,
)
from repro.types import Estimate

__all__ = [
    "LEVEL",
    "Clusters",
    "Equivalence",
    "Floats",
    "cluster_bootstrap",
    "cluster_means",
    "estimate",
    "holm",
    "minimum_detectable_effect",
    "ratio",
    "resampled_means",
    "sign_test",
    "tost",
    "tost_proportion",
    "wilson",
]
Statistic = Callable[[Floats, Floats], float]  # of the values and of how often each counts


@dataclass(frozen=True)
class Equivalence:
    """Whether a mean lies within `center` +- `bound`: p, and the 90% interval, which has to lie inside for p < 0.05."""

    p: float
    low: float
    high: float
    bound: float


def estimate(
    values: Sequence[float], clusters: Clusters = None, *, n_boot: int = 2000, seed: int = 0, unit: str = ""
) -> Estimate:
    """The mean of `values` with a 95% interval. All NaN, or empty: an `Estimate` of NaN with n = 0.

    `clusters` holds one label per value, or a mapping of several such sequences (`{"participant": ..., "seed": ...}`),
    the one to report in `n_clusters` first. Intervals: percentiles of `resampled_means`; Wilson's for 0/1 values
    without clusters, and, with the number of clusters for n, where all are 0 or all are 1, because a bootstrap of equal
    values would claim certainty. One cluster alone has no interval (NaN). How often they hold: docs/statistics.md.
    """
    x, labels = scored(values, clusters)
    n_clusters = len(set(labels[0])) if clusters is not None else None
    if x.size == 0:
        low = high = mean = float("nan")
    elif np.isin(x, (0.0, 1.0)).all() and (clusters is None or np.ptp(x) == 0):
        mean = float(x.mean())
        low, high = wilson(mean, n_clusters or x.size)
    else:
        mean = float(x.mean())
        low, high = percentiles(resampled_means(values, clusters, n_boot=n_boot, seed=seed), _n_drawn(labels))
    return Estimate(mean, low, high, int(x.size), len(values) - int(x.size), n_clusters, unit)


def ratio(
    numerators: Sequence[float], denominators: Sequence[float], clusters: Clusters = None, *, n_boot: int = 2000,
    seed: int = 0, unit: str = "",
) -> Estimate:  # fmt: skip
    """A ratio of sums, F1 for one, with a 95% interval that resamples clusters; NaN where the denominators sum to 0.

    ratio* = sum_i w_i numerator_i / sum_i w_i denominator_i,  w as in `resampled_means`. `n` counts the pairs.
    Where the ratio is 0 or 1 throughout: Wilson's, as in `estimate`, with the clusters that have a denominator for n.
    """
    top, labels = scored(numerators, clusters)
    below = np.asarray(denominators, dtype=np.float64)[~np.isnan(np.asarray(numerators, dtype=np.float64))]
    n, n_clusters = int(top.size), len(set(labels[0])) if clusters is not None else None
    if not below.sum():
        return Estimate(float("nan"), float("nan"), float("nan"), n, len(numerators) - n, n_clusters, unit)
    value = float(top.sum() / below.sum())
    if not top.any() or np.array_equal(top, below):
        who = labels[0] if clusters is not None else range(n)
        low, high = wilson(value, len({one for one, size in zip(who, below, strict=True) if size}))
    else:
        low, high = percentiles(resampled(top, below, labels, n_boot, seed), _n_drawn(labels))
    return Estimate(value, low, high, n, len(numerators) - n, n_clusters, unit)


def cluster_bootstrap(
    values: Sequence[float], clusters: Clusters = None, *, statistic: Statistic | None = None, n_boot: int = 2000,
    seed: int = 0, unit: str = "",
) -> Estimate:  # fmt: skip
    """`statistic(values, weights)` with an interval that draws clusters again; without one, the mean: `estimate`.

    A weight is how often the value's cluster was drawn. One kind of cluster only; a replicate that is NaN is left out.
    """
    if statistic is None:
        return estimate(values, clusters, n_boot=n_boot, seed=seed, unit=unit)
    x, labels = scored(values, clusters)
    if len(labels) != 1:
        raise ValueError(f"got {len(labels)} kinds of cluster; a statistic of one's own takes one")
    n_clusters, n_unscored = len(set(labels[0])), len(values) - int(x.size)
    weights = cluster_weights(labels[0], n_boot=n_boot, seed=seed)
    low, high = percentiles(np.array([statistic(x, row) for row in weights]), n_clusters)
    value = float(statistic(x, np.ones_like(x))) if x.size else float("nan")
    return Estimate(value, low, high, int(x.size), n_unscored, n_clusters if clusters is not None else None, unit)


def wilson(p: float, n: int) -> tuple[float, float]:
    """Wilson's (1927) score interval of a proportion `p` of `n`:

    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)
    """
    from scipy.stats import binomtest

    interval = binomtest(round(p * n), n).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down adjustment: p_(i) -> max_(j <= i) min(1, (m - j + 1) p_(j)). NaN stays NaN, uncounted."""
    import pingouin

    p = np.asarray(p_values, dtype=np.float64)
    known = ~np.isnan(p)
    if known.any():
        p[known] = pingouin.multicomp(p[known], method="holm")[1]
    return [float(value) for value in p]


def sign_test(values: Sequence[float], participants: Sequence[Hashable], *, center: float = 0.5) -> float:
    """Two-sided p, from the exact distribution, that a participant is as likely to lie above `center` as below.

    One vote per participant: their values are averaged first (over training seeds), because one person's votes are not
    independent. Averages equal to `center` are ties and are dropped; all ties: 1; no votes: NaN. It speaks of the
    assistants that were trained, not of training again: for that, read the interval, which counts the seeds.

        p = P(|X - n/2| > |wins - n/2|) + P(|X - n/2| = |wins - n/2|) / 2,    X ~ Binomial(n, 1/2)

    Conover (1999), Practical Nonparametric Statistics, 3.4, as a mid-p (Lancaster 1961, JASA 56, 223-234): counting
    what is as extreme in full finds too little where there are few people or many ties (docs/statistics.md).
    """
    from scipy.stats import binom

    means = cluster_means(values, participants)
    n_wins, n_losses = int((means > center + 1e-9).sum()), int((means < center - 1e-9).sum())
    if means.size == 0:
        return float("nan")
    n, fewer = n_wins + n_losses, min(n_wins, n_losses)
    if 2 * fewer == n:
        return 1.0
    return float(2 * binom.cdf(fewer - 1, n, 0.5) + binom.pmf(fewer, n, 0.5))


def tost(
    values: Sequence[float], clusters: Clusters = None, *, bound: float = 0.05, center: float = 0.5,
    n_boot: int = 2000, seed: int = 0,
) -> float:  # fmt: skip
    """Two one-sided tests: a small p shows that the mean lies within `center` +- `bound`.

    p = max(P(T > (mean - center + bound) / se), P(T < (mean - center - bound) / se)),    T ~ t(K - 1)

    with the standard error of `resampled_means` (participants and seeds) and K the first dimension's clusters; with
    one dimension this is the usual TOST on cluster means (Schuirmann 1987; Lakens 2017). Where all values equal
    `center`, nobody preferring either, p is the chance of K ties if ties were as rare as the bound allows:
    (1 - 2 bound)^K for a win rate. NaN below two clusters.
    """
    return tost_proportion(values, clusters, bound=bound, center=center, n_boot=n_boot, seed=seed).p


def tost_proportion(
    outcomes: Sequence[float], clusters: Clusters = None, *, bound: float = 0.05, center: float = 0.5,
    n_boot: int = 2000, seed: int = 0,
) -> Equivalence:  # fmt: skip
    """`tost` of a share or win rate, with the 90% interval that says the same: mean -+ t_{.95, K-1} se."""
    from scipy.stats import t

    mean, error, n_clusters = _mean_and_error(outcomes, clusters, n_boot, seed)
    if n_clusters < 2 or np.isnan(error):
        return Equivalence(float("nan"), float("nan"), float("nan"), bound)
    if error == 0:
        p = float((1 - 2 * bound) ** n_clusters) if mean == center else float(abs(mean - center) >= bound)
        return Equivalence(p, mean, mean, bound)
    shift, half = mean - center, float(t.ppf(0.95, n_clusters - 1)) * error
    tails = t.sf((shift + bound) / error, n_clusters - 1), t.cdf((shift - bound) / error, n_clusters - 1)
    return Equivalence(float(max(tails)), mean - half, mean + half, bound)


def minimum_detectable_effect(
    values: Sequence[float],
    clusters: Clusters = None,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    n_boot: int = 2000,
    seed: int = 0,
) -> float:
    """The smallest distance from the null that a two-sided t test with these data's spread would find with `power`.

    effect = d se sqrt(K), d solving the power of a one-sample t test with K clusters (about (1.96 + 0.84) se);
    Cohen (1988), chapter 2, through statsmodels. Same standard error as `tost`. NaN where there is no spread to go by.
    """
    from statsmodels.stats.power import TTestPower

    _, error, n_clusters = _mean_and_error(values, clusters, n_boot, seed)
    if n_clusters < 3 or np.isnan(error) or error == 0:
        return float("nan")
    d = TTestPower().solve_power(nobs=n_clusters, alpha=alpha, power=power, alternative="two-sided")
    return float(d) * error * float(np.sqrt(n_clusters))


def cluster_means(values: Sequence[float], clusters: Sequence[Hashable]) -> Floats:
    """The mean of each cluster's scored values, in order of first appearance; clusters without any are left out."""
    x, (labels,) = scored(values, clusters)
    codes = codes_of(labels)
    return np.asarray(np.bincount(codes, weights=x) / np.bincount(codes)) if x.size else x


def _n_drawn(labels: Sequence[Sequence[Hashable]]) -> int:
    """The clusters of the first dimension that can be drawn from: what Student's t goes by."""
    return next((n for n in (len(set(one)) for one in labels) if n > 1), 0)


def _mean_and_error(values: Sequence[float], clusters: Clusters, n_boot: int, seed: int) -> tuple[float, float, int]:
    x, labels = scored(values, clusters)
    if x.size == 0:
        return float("nan"), float("nan"), 0
    if np.ptp(x) == 0:  # exactly 0, not rounding noise
        return float(x[0]), 0.0, len(set(labels[0]))
    replicates = resampled_means(values, clusters, n_boot=n_boot, seed=seed)
    replicates = replicates[~np.isnan(replicates)]
    error = float(replicates.std(ddof=1)) if replicates.size > 1 else float("nan")
    return float(x.mean()), error, len(set(labels[0]))
