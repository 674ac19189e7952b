"""How sure are we where everybody is alike?

Drawing again from values that do not differ gives the same mean each time, and an interval without width. What n alike
clusters leave open is that a share of others is not alike: at most q = z^2 / (n + z^2), the upper end of Wilson's
interval of 0 of n (1927). A mean of values that lie between `lowest` and `highest` is then within

    [mean - q (mean - lowest), mean + q (highest - mean)].

Of values that are all 0, or all 1, this is Wilson's interval; around a difference of 0 it is -+ q. Where values know no
bounds, as counts do not, nobody can say: NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from repro.evaluation.resampling import LEVEL, Codes, Floats, percentiles

Bounds = tuple[float, float]
SHARE: Bounds = (0.0, 1.0)
DIFFERENCE: Bounds = (-1.0, 1.0)  # of two shares
TINY = 1e-9  # what sums of a few thousand numbers are off by, and more
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


def are_alike(x: Floats, kinds: Sequence[Codes]) -> bool:
    """Whether all of `x` (n,) are equal, or the means of all clusters, of every kind of which there are several."""
    return equal(x) or (bool(kinds) and all(equal(np.bincount(k, weights=x) / np.bincount(k)) for k in kinds))


def equal(values: Floats) -> bool:
    """Whether `values` (n,) differ by rounding at most; none do not differ."""
    return values.size == 0 or bool(np.ptp(values) <= TINY * max(1.0, float(np.abs(values).max())))


def alike_interval(mean: float, n: int, within: Bounds | None) -> tuple[float, float]:
    """The 95% interval of the mean of `n` alike clusters; NaN without bounds, or where the mean lies beyond them."""
    return reach(mean, Z**2 / (n + Z**2), within)


def reach(mean: float, others: float, within: Bounds | None) -> tuple[float, float]:
    """How far a mean moves, down and up, if a share of `others` lies at one bound or the other."""
    if within is None or not within[0] - TINY <= mean <= within[1] + TINY:
        return float("nan"), float("nan")
    return mean - others * (mean - within[0]), mean + others * (within[1] - mean)


def chance(mean: float, n: int, region: Bounds, within: Bounds = SHARE) -> float:
    """The most that `n` clusters are likely to be alike at `mean` if the true mean lies outside of `region`: (1 - q)^n.

    q is the share of others that moves the mean to the nearer end of `region`. NaN where `mean` is beyond `within`.
    """
    if not within[0] - TINY <= mean <= within[1] + TINY:
        return float("nan")
    rooms = ((mean - region[0], mean - within[0]), (region[1] - mean, within[1] - mean))
    others = min(room / most if 0 < room < most else float(room > 0) for room, most in rooms)
    return float((1 - others) ** n)


def interval_of(
    replicates: Floats, value: float, *, n_clusters: int, n_alike: int = 0, within: Bounds | None
) -> tuple[float, float]:
    """`percentiles` of bootstrap values (B,) over `n_clusters`; where all are one, `alike_interval`.

    `n_alike` counts what is alike, if that is not the clusters themselves but pairs of them, say.
    """
    known = replicates[~np.isnan(replicates)]
    if known.size and equal(known) and n_clusters > 1:
        return alike_interval(value, n_alike or n_clusters, within)
    return percentiles(known, n_clusters)
