"""How sure are we?

A mean, a ratio or another statistic with an interval that counts people and training seeds as what they are, clusters.
NaN is an unscored value: left out and counted, never 0. Tests are in `significance.py`, what is said where nobody
differs in `alike.py`; their names are here too.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np

from repro.evaluation.alike import DIFFERENCE, SHARE, Bounds, alike_interval, are_alike, equal, interval_of
from repro.evaluation.resampling import (
    LEVEL,
    Clusters,
    Codes,
    Floats,
    cluster_weights,
    codes_of,
    percentiles,
    resampled,
    resampled_means,
    scored,
)
from repro.evaluation.significance import (
    Equivalence,
    cluster_means,
    holm,
    minimum_detectable_effect,
    sign_test,
    tost,
    tost_proportion,
)
from repro.evaluation.spread import crossed_spread, several
from repro.types import Estimate

__all__ = [
    "DIFFERENCE",
    "LEVEL",
    "SHARE",
    "Bounds",
    "Clusters",
    "Equivalence",
    "Floats",
    "cluster_bootstrap",
    "cluster_means",
    "estimate",
    "holm",
    "interval_of",
    "minimum_detectable_effect",
    "ratio",
    "resampled_means",
    "sign_test",
    "tost",
    "tost_proportion",
    "wilson",
]
Statistic = Callable[[Floats, Floats], float]  # of the values and of how often each counts


def estimate(
    values: Sequence[float], clusters: Clusters = None, *, within: Bounds | None = SHARE, n_boot: int = 2000,
    seed: int = 0, unit: str = "",
) -> Estimate:  # fmt: skip
    """The mean of `values` with a 95% interval. All NaN, or empty: an `Estimate` of NaN with n = 0.

    `clusters` holds one label per value, or a mapping of several such sequences (`{"participant": ..., "seed": ...}`),
    the one to report in `n_clusters` first. Intervals: percentiles of `resampled_means`; with several kinds of cluster
    those of `crossed_spread`, within the range of the values; Wilson's for 0/1 shares without clusters. A kind of which
    there is one (a single training seed) is left out of it; one cluster alone, whose values differ, has no interval
    (NaN). How often intervals hold: docs/statistics.md.

    `within` says which values there can be: a share by default, `DIFFERENCE` for one of two shares, None for counts and
    whatever else has no bounds. It decides what is said where all values, or all clusters' means, are equal: drawing
    again would claim certainty, so it is `alike_interval`, and NaN without bounds.
    """
    x, labels = scored(values, clusters)
    n_clusters, kinds = len(set(labels[0])) if clusters is not None else None, several(labels)
    mean = float(x.mean()) if x.size else float("nan")
    if x.size == 0:
        low = high = mean
    elif are_alike(x, kinds):
        low, high = alike_interval(mean, n_clusters or x.size, within)
    elif clusters is None and within == SHARE and np.isin(x, (0.0, 1.0)).all():
        low, high = wilson(mean, x.size)
    else:
        low, high = _interval(x, kinds, n_boot, seed)
    return Estimate(mean, low, high, int(x.size), len(values) - int(x.size), n_clusters, unit)


def _interval(x: Floats, kinds: Sequence[Codes], n_boot: int, seed: int) -> tuple[float, float]:
    if len(kinds) < 2:
        codes = kinds[0] if kinds else np.zeros(x.size, dtype=np.int64)
        return percentiles(resampled(x, np.ones_like(x), codes, n_boot, seed), int(codes.max()) + 1)
    half = crossed_spread(x, kinds, n_draws=n_boot, seed=seed).quantile((1 + LEVEL) / 2)
    return max(float(x.mean()) - half, float(x.min())), min(float(x.mean()) + half, float(x.max()))


def ratio(
    numerators: Sequence[float], denominators: Sequence[float], clusters: Sequence[Hashable] | None = None, *,
    within: Bounds | None = SHARE, n_boot: int = 2000, seed: int = 0, unit: str = "",
) -> Estimate:  # fmt: skip
    """A ratio of sums, F1 for one, with a 95% interval that resamples clusters; NaN where the denominators sum to 0.

    ratio* = sum_i c_i numerator_i / sum_i c_i denominator_i,  c as in `resampled_means`. `n` counts the pairs. Where
    the ratio is the same throughout: `alike_interval`, as in `estimate`. Clusters without a denominator tell nothing
    and do not count; where that leaves one, and its items differ: NaN.
    """
    top, (labels,) = scored(numerators, clusters)
    below = np.asarray(denominators, dtype=np.float64)[~np.isnan(np.asarray(numerators, dtype=np.float64))]
    n, n_clusters = int(top.size), len(set(labels)) if clusters is not None else None
    if not below.sum():
        return Estimate(float("nan"), float("nan"), float("nan"), n, len(numerators) - n, n_clusters, unit)
    value, codes = float(top.sum() / below.sum()), codes_of(labels)
    n_known, off = len(set(codes[below != 0])), top - value * below
    if equal(off) or (n_known > 1 and equal(np.bincount(codes, weights=off).astype(np.float64))):
        low, high = alike_interval(value, n_known, within)
    else:
        low, high = percentiles(resampled(top, below, codes, n_boot, seed), n_known)
    return Estimate(value, low, high, n, len(numerators) - n, n_clusters, unit)


def cluster_bootstrap(
    values: Sequence[float], clusters: Clusters = None, *, statistic: Statistic | None = None, n_boot: int = 2000,
    seed: int = 0, unit: str = "",
) -> Estimate:  # fmt: skip
    """`statistic(values, weights)` with an interval that draws clusters again; without one, the mean: `estimate`.

    A weight is how often the value's cluster was drawn. One kind of cluster only; a replicate that is NaN is left out.
    Where all replicates are equal, there is no interval (NaN): nobody knows within which bounds a statistic lies.
    """
    if statistic is None:
        return estimate(values, clusters, n_boot=n_boot, seed=seed, unit=unit)
    x, labels = scored(values, clusters)
    if len(labels) != 1:
        raise ValueError(f"got {len(labels)} kinds of cluster; a statistic of one's own takes one")
    n_clusters, n_unscored = len(set(labels[0])), len(values) - int(x.size)
    weights = cluster_weights(labels[0], n_boot=n_boot, seed=seed)
    value = float(statistic(x, np.ones_like(x))) if x.size else float("nan")
    drawn = np.array([statistic(x, row) for row in weights])
    low, high = interval_of(drawn, value, n_clusters=n_clusters, within=None)
    return Estimate(value, low, high, int(x.size), n_unscored, n_clusters if clusters is not None else None, unit)


def wilson(p: float, n: int) -> tuple[float, float]:
    """Wilson's (1927) score interval of a proportion `p` of `n`:

    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)
    """
    from scipy.stats import binomtest

    interval = binomtest(round(p * n), n).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)
