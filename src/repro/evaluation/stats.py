"""How sure are we?

A mean with an interval that counts people and training seeds as what they are, clusters, and the four tests a win
rate needs: is it different from one half (exact sign test, Holm), is it *not* different (TOST), and how small a
difference could we have seen (minimum detectable effect). NaN is an unscored value: left out and counted, never 0.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.seeds import rng
from repro.types import Estimate

Floats = npt.NDArray[np.float64]
Clusters = Sequence[Hashable] | Mapping[str, Sequence[Hashable]] | None

LEVEL = 0.95
BLOCK = 4_000_000  # draws held in memory at a time


def estimate(
    values: Sequence[float], clusters: Clusters = None, *, n_boot: int = 2000, seed: int = 0, unit: str = ""
) -> Estimate:
    """The mean of `values` with a 95% interval. All NaN, or empty: an `Estimate` of NaN with n = 0.

    `clusters` holds one label per value, or a mapping of several such sequences (`{"participant": ..., "seed": ...}`),
    the one to report in `n_clusters` first. Intervals: percentiles of `resampled_means`; Wilson's for 0/1 values
    without clusters, and, with the number of clusters for n, where all are 0 or all are 1, because a bootstrap of equal
    values would claim certainty. One cluster alone has no interval (NaN).
    """
    x, labels = _scored(values, clusters)
    n_clusters = len(set(labels[0])) if clusters is not None else None
    if x.size == 0:
        low = high = mean = float("nan")
    elif np.isin(x, (0.0, 1.0)).all() and (clusters is None or np.ptp(x) == 0):
        mean = float(x.mean())
        low, high = wilson(mean, n_clusters or x.size)
    else:
        mean = float(x.mean())
        low, high = _percentiles(resampled_means(values, clusters, n_boot=n_boot, seed=seed))
    return Estimate(mean, low, high, int(x.size), len(values) - int(x.size), n_clusters, unit)


def ratio(
    numerators: Sequence[float], denominators: Sequence[float], clusters: Clusters = None, *, n_boot: int = 2000,
    seed: int = 0, unit: str = "",
) -> Estimate:  # fmt: skip
    """A ratio of sums, F1 for one, with a 95% interval that resamples clusters; NaN where the denominators sum to 0.

    ratio* = sum_i w_i numerator_i / sum_i w_i denominator_i,  w as in `resampled_means`. `n` counts the pairs.
    """
    top, labels = _scored(numerators, clusters)
    below = np.asarray(denominators, dtype=np.float64)[~np.isnan(np.asarray(numerators, dtype=np.float64))]
    n, n_clusters = int(top.size), len(set(labels[0])) if clusters is not None else None
    if not below.sum():
        return Estimate(float("nan"), float("nan"), float("nan"), n, len(numerators) - n, n_clusters, unit)
    low, high = _percentiles(_resampled(top, below, labels, n_boot, seed))
    return Estimate(float(top.sum() / below.sum()), low, high, n, len(numerators) - n, n_clusters, unit)


def resampled_means(values: Sequence[float], clusters: Clusters = None, *, n_boot: int = 2000, seed: int = 0) -> Floats:
    """`n_boot` bootstrap means. Each dimension of `clusters` is resampled on its own: the pigeonhole bootstrap.

        mean* = sum_i w_i x_i / sum_i w_i,  w_i = prod_d count_d(cluster_d(i)),  count_d ~ Multinomial(K_d - 1, 1/K_d)

    Source: Owen (2007), Annals of Applied Statistics 1, 386-411, who shows that it errs on the wide side for crossed
    effects (in our simulations up to 1.8 times too wide where seeds do not matter, about right where they do). Drawing
    K_d - 1 of K_d clusters makes the variance of a mean unbiased, s^2 / K, however few clusters there are (McCarthy and
    Snowden 1985); with two seeds each replicate sees one of them. A dimension with one cluster (a single training
    seed) cannot be resampled, and the interval then says nothing about it. With two or three seeds the seeds' part of
    an interval is itself uncertain and the interval often too narrow: print the number of seeds beside it.
    """
    x, labels = _scored(values, clusters)
    return _resampled(x, np.ones_like(x), labels, n_boot, seed)


def _resampled(x: Floats, below: Floats, labels: Sequence[Sequence[Hashable]], n_boot: int, seed: int) -> Floats:
    dimensions = [codes for codes in map(_codes, labels) if codes.size and codes.max() > 0]
    if not dimensions:
        return np.full(n_boot, np.nan)
    sizes = [int(codes.max()) + 1 for codes in dimensions]
    cells = np.zeros((*sizes, 2))  # (K_1, ..., K_D, sum and count, or the two sums of a ratio)
    np.add.at(cells, tuple(dimensions), np.stack([x, below], axis=1))
    generator = rng(seed, "bootstrap")
    block = max(1, BLOCK // max(sizes))
    blocks = [min(block, n_boot - start) for start in range(0, n_boot, block)]
    return np.concatenate([_draw(cells, n, generator) for n in blocks])


def _draw(cells: Floats, n_boot: int, generator: np.random.Generator) -> Floats:
    totals = cells.reshape(1, -1)
    for size in cells.shape[:-1]:
        weights = _counts(size, n_boot, generator)  # (B, K)
        if len(totals) == 1:
            totals = weights @ totals.reshape(size, -1)  # (B, what is left)
        else:
            totals = np.einsum("bk,bkr->br", weights, totals.reshape(n_boot, size, -1))
    with np.errstate(invalid="ignore"):  # a draw of cells without values is no replicate
        return np.asarray(totals[:, 0] / totals[:, 1])


def _counts(size: int, n_boot: int, generator: np.random.Generator) -> Floats:
    """How often each of `size` clusters is drawn in `size - 1` draws, in every replicate."""
    draws = generator.integers(0, size, (n_boot, size - 1)) + size * np.arange(n_boot)[:, None]
    return np.bincount(draws.ravel(), minlength=n_boot * size).reshape(n_boot, size).astype(np.float64)


def wilson(p: float, n: int) -> tuple[float, float]:
    """Wilson's (1927) score interval of a proportion `p` of `n`:

    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)
    """
    from scipy.stats import binomtest

    interval = binomtest(round(p * n), n).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) step-down adjustment: p_(i) -> max_(j <= i) min(1, (m - j + 1) p_(j)). NaN stays NaN, uncounted."""
    from statsmodels.stats.multitest import multipletests

    p = np.asarray(p_values, dtype=np.float64)
    known = ~np.isnan(p)
    if known.any():
        p[known] = multipletests(p[known], method="holm")[1]
    return [float(value) for value in p]


def sign_test(values: Sequence[float], participants: Sequence[Hashable], *, center: float = 0.5) -> float:
    """Exact two-sided p that a participant is as likely to lie above `center` as below.

    One vote per participant: their values are averaged first (over training seeds), because one person's votes are not
    independent. Averages equal to `center` are ties and are dropped; all ties: 1; no votes: NaN. It speaks of the
    assistants that were trained, not of training again: for that, read the interval, which counts the seeds.
    p = P(|Binomial(n, 1/2) - n/2| >= |wins - n/2|); Conover (1999), Practical Nonparametric Statistics, 3.4.
    """
    from scipy.stats import binomtest

    means = cluster_means(values, participants)
    n_wins, n_losses = int((means > center + 1e-9).sum()), int((means < center - 1e-9).sum())
    if means.size == 0:
        return float("nan")
    return float(binomtest(n_wins, n_wins + n_losses).pvalue) if n_wins + n_losses else 1.0


def tost(
    values: Sequence[float],
    clusters: Clusters = None,
    *,
    bound: float = 0.05,
    center: float = 0.5,
    n_boot: int = 2000,
    seed: int = 0,
) -> float:
    """Two one-sided tests: a small p shows that the mean lies within `center` +- `bound`.

    p = max(P(T > (mean - center + bound) / se), P(T < (mean - center - bound) / se)),    T ~ t(K - 1)

    with the standard error of `resampled_means` (participants and seeds) and K the first dimension's clusters; with
    one dimension this is the usual TOST on cluster means (Schuirmann 1987; Lakens 2017). Where all values equal
    `center`, nobody preferring either, p is the chance of K ties if ties were as rare as the bound allows:
    (1 - 2 bound)^K for a win rate. NaN below two clusters.
    """
    from scipy.stats import t

    mean, error, n_clusters = _mean_and_error(values, clusters, n_boot, seed)
    if n_clusters < 2 or np.isnan(error):
        return float("nan")
    if error == 0:
        return float((1 - 2 * bound) ** n_clusters) if mean == center else float(abs(mean - center) >= bound)
    shift = mean - center
    tails = t.sf((shift + bound) / error, n_clusters - 1), t.cdf((shift - bound) / error, n_clusters - 1)
    return float(max(tails))


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
    x, (labels,) = _scored(values, clusters)
    codes = _codes(labels)
    return np.asarray(np.bincount(codes, weights=x) / np.bincount(codes)) if x.size else x


def _mean_and_error(values: Sequence[float], clusters: Clusters, n_boot: int, seed: int) -> tuple[float, float, int]:
    x, labels = _scored(values, clusters)
    if x.size == 0:
        return float("nan"), float("nan"), 0
    if np.ptp(x) == 0:  # exactly 0, not rounding noise
        return float(x[0]), 0.0, len(set(labels[0]))
    replicates = resampled_means(values, clusters, n_boot=n_boot, seed=seed)
    replicates = replicates[~np.isnan(replicates)]
    error = float(replicates.std(ddof=1)) if replicates.size > 1 else float("nan")
    return float(x.mean()), error, len(set(labels[0]))


def _scored(values: Sequence[float], clusters: Clusters) -> tuple[Floats, list[list[Any]]]:
    """The values that are not NaN, and their labels in each dimension (each value its own where there are none)."""
    x = np.asarray(values, dtype=np.float64)
    if clusters is None:
        clusters = range(len(x))
    dimensions = list(clusters.values()) if isinstance(clusters, Mapping) else [clusters]
    for labels in dimensions:
        if len(labels) != len(x):
            raise ValueError(f"got {len(x)} values and {len(labels)} cluster labels; give one label per value")
    keep = ~np.isnan(x)
    return x[keep], [[label for label, kept in zip(labels, keep, strict=True) if kept] for labels in dimensions]


def _codes(labels: Sequence[Hashable]) -> npt.NDArray[np.int64]:
    index: dict[Hashable, int] = {}
    return np.array([index.setdefault(label, len(index)) for label in labels], dtype=np.int64)


def _percentiles(replicates: Floats) -> tuple[float, float]:
    known = replicates[~np.isnan(replicates)]
    if known.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
