"""Which kind of behaviour is each conversation?

As in arXiv 2605.07847: vectors of all sides are stacked, their principal components are kept until 90% of the variance
is explained, and k-means finds k kinds in all of them together. Beyond 200,000 rows k-means sees them in small batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ReproError
from .encode import Vectors

K, N_INIT, MAX_ITER, SEED, VARIANCE = 500, 5, 500, 42, 0.9  # arXiv 2605.07847
MANY = 200_000  # rows; ours: whole passes take minutes from here on

Labels = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Quantized:
    """`labels` by side, each in 0..k-1, rows in the order given."""

    labels: Mapping[str, Labels]
    k: int
    n_components: int
    inertia: float


def quantize(
    sides: Mapping[str, Vectors], *, k: int = K, variance: float = VARIANCE, n_init: int = N_INIT,
    max_iter: int = MAX_ITER, seed: int = SEED,
) -> Quantized:  # fmt: skip
    """Clusters of all sides together. `variance` of 1 keeps every component."""
    stacked = _stacked(sides, k)
    reduced = stacked if variance >= 1 else _principal(stacked, variance)
    found = _clusters(reduced, k, n_init, max_iter, seed)
    ends = np.cumsum([len(vectors) for vectors in sides.values()])[:-1]
    labels = dict(zip(sides, np.split(found.labels_.astype(np.intp), ends), strict=True))
    return Quantized(labels, k, int(reduced.shape[1]), float(found.inertia_))


def _stacked(sides: Mapping[str, Vectors], k: int) -> Vectors:
    for name, vectors in sides.items():
        if not len(vectors):
            raise ReproError(f"there are no conversations of '{name}' to cluster")
        if not np.isfinite(vectors).all():
            bad = int((~np.isfinite(vectors).all(axis=1)).sum())
            raise ReproError(f"{bad} of the {len(vectors)} vectors of '{name}' are not numbers; encode them again")
    stacked = np.concatenate(list(sides.values()))
    if k > len(stacked):
        raise ReproError(f"{k} clusters of {len(stacked)} conversations cannot be; give a smaller k, or more of them")
    return stacked


def _principal(vectors: Vectors, variance: float) -> Vectors:
    from sklearn.decomposition import PCA

    reduced: Vectors = PCA(n_components=variance, svd_solver="full").fit_transform(vectors)
    return reduced


def _clusters(vectors: Vectors, k: int, n_init: int, max_iter: int, seed: int) -> Any:
    from sklearn.cluster import KMeans, MiniBatchKMeans

    if len(vectors) <= MANY:
        return KMeans(k, n_init=n_init, max_iter=max_iter, random_state=seed).fit(vectors)
    return MiniBatchKMeans(k, n_init=n_init, max_iter=max_iter, batch_size=10_000, random_state=seed).fit(vectors)
