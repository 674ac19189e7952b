"""What if other people had taken part?

The bootstrap that intervals here are made of: participants are drawn again as whole clusters, because votes of one
person are not independent. Where training seeds are a second kind of cluster, see `spread.py`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from repro.seeds import rng

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Clusters = Sequence[Hashable] | Mapping[str, Sequence[Hashable]] | None

LEVEL = 0.95
BLOCK = 4_000_000  # draws held in memory at a time


def resampled_means(
    values: Sequence[float], clusters: Sequence[Hashable] | None = None, *, n_boot: int = 2000, seed: int = 0
) -> Floats:
    """`n_boot` bootstrap means: mean* = sum_k c_k sum_{i in k} x_i / sum_k c_k n_k,  c ~ Multinomial(K - 1, 1/K).

    Drawing K - 1 of K clusters makes the variance of a mean unbiased, s^2 / K, however few clusters there are (McCarthy
    and Snowden 1985, Vital and Health Statistics 2.95). One cluster alone cannot be drawn again: NaN.
    """
    x, (labels,) = scored(values, clusters)
    return resampled(x, np.ones_like(x), codes_of(labels), n_boot, seed)


def resampled(x: Floats, below: Floats, codes: Codes, n_boot: int, seed: int) -> Floats:
    """Bootstrap values of sum(x) / sum(below), drawing clusters."""
    if not codes.size or not codes.max():
        return np.full(n_boot, np.nan)
    size, generator = int(codes.max()) + 1, rng(seed, "bootstrap")
    sums = np.stack([np.bincount(codes, weights=one, minlength=size) for one in (x, below)], axis=1)  # (K, 2)
    block = max(1, BLOCK // size)
    blocks = [min(block, n_boot - start) for start in range(0, n_boot, block)]
    totals = np.concatenate([_counts(size, n, generator) @ sums for n in blocks])  # (B, 2)
    with np.errstate(invalid="ignore"):  # a draw of clusters without values is no replicate
        return np.asarray(totals[:, 0] / totals[:, 1])


def _counts(size: int, n_boot: int, generator: np.random.Generator) -> Floats:
    """How often each of `size` clusters is drawn in `size - 1` draws, in every replicate."""
    draws = generator.integers(0, size, (n_boot, size - 1)) + size * np.arange(n_boot)[:, None]
    return np.bincount(draws.ravel(), minlength=n_boot * size).reshape(n_boot, size).astype(np.float64)


def cluster_weights(clusters: Sequence[Hashable], *, n_boot: int = 2000, seed: int = 0) -> Floats:
    """How often each row's cluster is drawn, in each replicate: (B, rows). For statistics that are no means."""
    codes = codes_of(clusters)
    return _counts(int(codes.max()) + 1, n_boot, rng(seed, "bootstrap"))[:, codes] if codes.size else np.zeros((0, 0))


def scored(values: Sequence[float], clusters: Clusters) -> tuple[Floats, list[list[Any]]]:
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


def codes_of(labels: Sequence[Hashable]) -> Codes:
    """0, 1, 2, ... in order of first appearance."""
    index: dict[Hashable, int] = {}
    return np.array([index.setdefault(label, len(index)) for label in labels], dtype=np.int64)


def percentiles(replicates: Floats, n_clusters: int) -> tuple[float, float]:
    """The interval between quantiles of the replicates, as far out as Student's t asks with so few clusters.

    The quantiles are Phi(-+ t_{.975, K-1}) instead of .025 and .975: the expanded percentile interval of Hesterberg
    (2015), The American Statistician 69, 371-386. (His other factor, sqrt(K / (K - 1)), is in the K - 1 draws.)
    """
    from scipy.stats import norm, t

    known = replicates[~np.isnan(replicates)]
    if known.size == 0 or n_clusters < 2:
        return float("nan"), float("nan")
    tail = norm.cdf(t.ppf((1 - LEVEL) / 2, n_clusters - 1))
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)
