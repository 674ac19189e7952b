"""Is there a difference, is there none, and how small a difference could we have seen?

The tests a win rate needs: the exact sign test with Holm's adjustment, two one-sided tests for equivalence, and the
minimum detectable effect. NaN is an unscored value: left out and counted, never 0.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from repro.evaluation.alike import SHARE, are_alike, chance, reach
from repro.evaluation.resampling import Clusters, Floats, codes_of, scored
from repro.evaluation.spread import Spread, error_of, several


@dataclass(frozen=True)
class Equivalence:
    """Whether a mean lies within `center` +- `bound`: p, and the 90% interval, which has to lie inside for p < 0.05."""

    p: float
    low: float
    high: float
    bound: float


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

    p = max(P(E > mean - center + bound), P(E < mean - center - bound)),    E / se ~ t(K - 1)

    with the bootstrap's standard error over K clusters: the usual TOST on cluster means (Schuirmann 1987; Lakens 2017).
    Over participants and training seeds, E is the error of `crossed_spread`. Where all values, or all clusters' means,
    are equal, p is the `chance` of K such clusters if they were as rare as the bound allows: where nobody prefers
    either, (1 - 2 bound)^K for a win rate. NaN below two clusters, and for equal values that are no shares.
    """
    return tost_proportion(values, clusters, bound=bound, center=center, n_boot=n_boot, seed=seed).p


def tost_proportion(
    outcomes: Sequence[float], clusters: Clusters = None, *, bound: float = 0.05, center: float = 0.5,
    n_boot: int = 2000, seed: int = 0,
) -> Equivalence:  # fmt: skip
    """`tost` of a share or win rate, with the 90% interval that says the same: mean -+ the .95 quantile of E.

    Of K equal clusters: as far as a share of 1 - .05^(1/K) others would move it.
    """
    x, labels = scored(outcomes, clusters)
    mean, n_clusters = float(x.mean()) if x.size else float("nan"), len(set(labels[0]))
    if n_clusters < 2:
        return Equivalence(float("nan"), float("nan"), float("nan"), bound)
    if are_alike(x, several(labels)):
        p = chance(mean, n_clusters, (center - bound, center + bound))
        return Equivalence(p, *reach(mean, 1 - 0.05 ** (1 / n_clusters), SHARE), bound)
    error, shift = error_of(x, labels, n_boot=n_boot, seed=seed), mean - center
    half = error.quantile(0.95)
    p = max(error.below(-shift - bound), error.below(shift - bound))  # symmetric: P(E > e) = P(E < -e)
    return Equivalence(p, mean - half, mean + half, bound)


def minimum_detectable_effect(
    values: Sequence[float],
    clusters: Clusters = None,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    n_boot: int = 2000,
    seed: int = 0,
) -> float:
    """The smallest distance from the null that a two-sided test with these data's spread would find with `power`.

    With K participants: effect = d se sqrt(K), d solving the power of a one-sample t test (about (1.96 + 0.84) se);
    Cohen (1988), chapter 2, through statsmodels. With training seeds as well: the sum of the two quantiles of the error
    of `crossed_spread`. NaN where there is no spread to go by (all values, or all participants' means, are equal), and
    below three participants.
    """
    from statsmodels.stats.power import TTestPower

    x, labels = scored(values, clusters)
    n_clusters = len(set(labels[0]))
    if n_clusters < 3 or are_alike(x, several(labels)):
        return float("nan")
    error = error_of(x, labels, n_boot=n_boot, seed=seed)
    if isinstance(error, Spread):
        return error.quantile(1 - alpha / 2) + error.quantile(power)
    d = TTestPower().solve_power(nobs=n_clusters, alpha=alpha, power=power, alternative="two-sided")
    return float(d) * error.se * float(np.sqrt(n_clusters))


def cluster_means(values: Sequence[float], clusters: Sequence[Hashable]) -> Floats:
    """The mean of each cluster's scored values, in order of first appearance; clusters without any are left out."""
    x, (labels,) = scored(values, clusters)
    codes = codes_of(labels)
    return np.asarray(np.bincount(codes, weights=x) / np.bincount(codes)) if x.size else x
