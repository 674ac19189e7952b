"""Which kind of behaviour is each conversation?

As in arXiv 2605.07847: vectors of all sides are stacked, their principal components are kept until 90% of the variance
is explained, and k-means finds k kinds in all of them together. Departures: where there are more than 5,000 rows and
100 kinds, k-means starts once and not five times; beyond 200,000 rows the components are those of a random part, and
k-means sees the rows in small batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ReproError
from ...seeds import rng
from .kept_vectors import Vectors

K, N_INIT, MAX_ITER, SEED, VARIANCE = 500, 5, 500, 42, 0.9  # arXiv 2605.07847
MANY = 200_000  # rows; ours: whole passes take minutes from here on
SOME = 5_000  # rows; ours: with more, and many kinds, the best of five starts is not 1% better (benchmarks/gap.py)
MANY_KINDS = 100  # ours: with few, one start may miss one
BLOCK = 50_000  # rows read at a time

Labels = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Quantized:
    """`labels` by side, each in 0..k-1, rows in the order given."""

    labels: Mapping[str, Labels]
    k: int
    n_components: int
    inertia: float


def quantize(
    sides: Mapping[str, Vectors], *, k: int = K, variance: float = VARIANCE, n_init: int | None = None,
    max_iter: int = MAX_ITER, seed: int = SEED, engine: str = "sklearn",
) -> Quantized:  # fmt: skip
    """Clusters of all sides together. `variance` of 1 keeps every component; `engine` is sklearn or faiss.

    k-means starts `n_init` times, by default as often as rows and kinds ask for.

    Vectors may be memory-mapped: they are read in blocks, and only the components that are kept are held as a whole.
    """
    if engine not in ENGINES:
        raise ReproError(f"no engine '{engine}'; have {', '.join(ENGINES)}")
    _check(sides, k)
    once = sum(map(len, sides.values())) > SOME and k > MANY_KINDS
    n_init = n_init or (1 if once else N_INIT)
    reduced = np.concatenate([*sides.values()]) if variance >= 1 else _principal(sides, variance, seed)
    found, inertia = ENGINES[engine](reduced, k, n_init, max_iter, seed)
    ends = np.cumsum([len(vectors) for vectors in sides.values()])[:-1]
    labels = dict(zip(sides, np.split(found.astype(np.intp), ends), strict=True))
    return Quantized(labels, k, int(reduced.shape[1]), inertia)


def _check(sides: Mapping[str, Vectors], k: int) -> None:
    for name, vectors in sides.items():
        if not len(vectors):
            raise ReproError(f"there are no conversations of '{name}' to cluster")
        if bad := sum(int((~np.isfinite(block).all(axis=1)).sum()) for block in _blocks(vectors)):
            raise ReproError(f"{bad} of the {len(vectors)} vectors of '{name}' are not numbers; encode them again")
    n = sum(len(vectors) for vectors in sides.values())
    if k > n:
        raise ReproError(f"{k} clusters of {n} conversations cannot be; give a smaller k, or more of them")


def _blocks(vectors: Vectors) -> Iterator[Vectors]:
    return (vectors[i : i + BLOCK] for i in range(0, len(vectors), BLOCK))


def _principal(sides: Mapping[str, Vectors], variance: float, seed: int) -> Vectors:
    """Principal components of all sides, fitted to at most `MANY` rows of them."""
    from sklearn.decomposition import PCA

    n = sum(len(vectors) for vectors in sides.values())
    shares = {name: min(len(vectors), round(MANY * len(vectors) / n)) for name, vectors in sides.items()}
    draws = rng(seed, "components")
    seen = [
        vectors if n <= MANY else vectors[np.sort(draws.choice(len(vectors), shares[name], replace=False))]
        for name, vectors in sides.items()
    ]
    fitted = PCA(n_components=variance).fit(np.concatenate(seen))
    return np.concatenate([fitted.transform(block) for vectors in sides.values() for block in _blocks(vectors)])


def _sklearn(vectors: Vectors, k: int, n_init: int, max_iter: int, seed: int) -> tuple[Labels, float]:
    from sklearn.cluster import KMeans, MiniBatchKMeans

    how: dict[str, Any] = {"n_init": n_init, "max_iter": max_iter, "random_state": seed}
    model = KMeans(k, **how) if len(vectors) <= MANY else MiniBatchKMeans(k, batch_size=10_000, **how)
    found = model.fit(vectors)
    return found.labels_, float(found.inertia_)


def _faiss(vectors: Vectors, k: int, n_init: int, max_iter: int, seed: int) -> tuple[Labels, float]:
    try:
        import faiss
    except ModuleNotFoundError as error:
        raise ReproError("the engine faiss is not installed; pip install -e '.[gap]', or take sklearn") from error
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    model = faiss.Kmeans(
        rows.shape[1], k, niter=max_iter, nredo=n_init, seed=seed, max_points_per_centroid=len(rows),
        min_points_per_centroid=1,
    )  # fmt: skip
    model.train(rows)
    far, nearest = model.index.search(rows, 1)
    return nearest[:, 0], float(far.sum())


ENGINES: dict[str, Callable[[Vectors, int, int, int, int], tuple[Labels, float]]] = {
    "sklearn": _sklearn,
    "faiss": _faiss,
}
