"""Are the vectors of users and of simulated users drawn from one distribution?

A cross-check that needs no clusters: the maximum mean discrepancy (Gretton et al. 2012) with a Gaussian kernel as wide
as the median distance, tested by permuting users as in `certainty.py`. Its value has no unit that means anything beyond
one set of vectors: read its p, and its order.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import ReproError
from ...seeds import derive, rng
from .certainty import shared
from .gap import Gaps
from .kept_vectors import Vectors

MOST = 2000  # conversations of a side; ours: beyond, a random part of the users stands for all


@dataclass(frozen=True)
class Discrepancy:
    """`mmd2` is the unbiased estimate of the squared discrepancy: about 0, and as often below, if there is none."""

    mmd2: float
    p: float
    n: int  # conversations of both sides that were compared
    paired: bool  # whether the two sides have the same users
    n_unpaired: int  # conversations that were left out, since their user is on one side only


def kernel_check(gaps: Gaps, simulator: str, *, n_permutations: int = 499, seed: int = 0) -> Discrepancy:
    """The discrepancy between real users and one simulator of `gaps`."""
    if simulator not in gaps.results:
        raise ReproError(f"no simulator '{simulator}' in these gaps; have {', '.join(gaps.results)}")
    sides = [_part(gaps.vectors[name], gaps.labels[name].users, seed) for name in ("real", simulator)]
    both = shared(*(users for _, users in sides))
    (x, users_x), (y, users_y) = (_of(*side, both) if both else side for side in sides)
    if min(len({*users_x}), len({*users_y})) < 2:
        raise ReproError("a kernel test takes 2 users or more on each side")
    kernel, paired = _kernel(np.concatenate([x, y])), bool(both)
    n, m = len(x), len(y)
    found = np.r_[np.ones(n, bool), np.zeros(m, bool)][None]
    shuffled = _shuffled([*users_x], [*users_y], paired, n_permutations, seed)
    values = _mmd2(kernel, np.concatenate([found, shuffled]).astype(np.float32))
    p = (1 + (values[1:] >= values[0] - 1e-12).sum()) / (1 + n_permutations)
    left_out = sum(len(users) for _, users in sides) - n - m
    return Discrepancy(float(values[0]), float(p), n + m, paired, left_out)


def _part(vectors: Vectors, users: Sequence[Hashable], seed: int) -> tuple[Vectors, Sequence[Hashable]]:
    """All conversations, or those of as many users, in an order of chance, as make up `MOST`."""
    if len(vectors) <= MOST:
        return vectors, users
    place = {user: derive(seed, "part", user) for user in {*users}}  # of a user, whoever else is on the side
    kept = sorted(range(len(users)), key=lambda i: (place[users[i]], str(users[i])))[:MOST]
    return vectors[kept], [users[i] for i in kept]


def _of(vectors: Vectors, users: Sequence[Hashable], some: set[Hashable]) -> tuple[Vectors, Sequence[Hashable]]:
    """The conversations of some users."""
    kept = [i for i, user in enumerate(users) if user in some]
    return vectors[kept], [users[i] for i in kept]


def _kernel(vectors: Vectors) -> Vectors:
    from scipy.spatial.distance import pdist, squareform

    apart = pdist(vectors, "sqeuclidean")
    return np.asarray(squareform(np.exp(-apart / max(float(np.median(apart)), 1e-12))), dtype=np.float32)  # 0 diagonal


def _shuffled(
    users_x: list[Hashable], users_y: list[Hashable], paired: bool, n: int, seed: int
) -> npt.NDArray[np.bool_]:
    """Who counts as real, (n, conversations): pairs swap, other users are dealt out anew."""
    draws = rng(seed, "kernel")
    place = {user: i for i, user in enumerate(dict.fromkeys([*users_x] if paired else [("x", u) for u in users_x]))}
    if paired:
        swapped = draws.random((n, len(place))) < 0.5
        return np.concatenate([~swapped[:, [place[u] for u in users_x]], swapped[:, [place[u] for u in users_y]]], 1)
    n_real = len(place)
    place |= {user: n_real + i for i, user in enumerate(dict.fromkeys(("y", u) for u in users_y))}
    real = np.stack([draws.permutation(len(place)) < n_real for _ in range(n)])
    return real[:, [place["x", u] for u in users_x] + [place["y", u] for u in users_y]]


def _mmd2(kernel: Vectors, real: Vectors) -> npt.NDArray[np.float64]:
    """The unbiased estimate for each row of `real`, 1 for the first side and 0 for the other."""
    near, other = real @ kernel, 1 - real
    n, m = real.sum(1).astype(float), other.sum(1).astype(float)
    within = (near * real).sum(1) / (n * (n - 1))
    across = (near * other).sum(1) / (n * m)
    beyond = ((other @ kernel) * other).sum(1) / (m * (m - 1))
    return np.asarray(within + beyond - 2 * across, dtype=np.float64)
