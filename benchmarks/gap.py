"""How many conversations a second are put into clusters, beside the published procedure?

That is arXiv 2605.07847's, from vectors on: principal components by a full singular value decomposition, 90% of the
variance, then k-means with k = 500, 5 restarts and up to 500 iterations. Ours must find clusters as good: the sums of
squared distances (inertia) are compared. Vectors are of length 1, 384 numbers each, around 300 places.

    python benchmarks/gap.py --rows 10000
"""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
from side_by_side import arguments, middle, ratio, recorded, take_turns

from repro.evaluation.gap import quantize
from repro.evaluation.gap.encode import Vectors
from repro.evaluation.gap.quantize import MAX_ITER, N_INIT, SEED, VARIANCE, K

Sides = dict[str, Vectors]
N_KINDS, SIZE = 300, 384


def sides(n: int) -> Sides:
    """Two sides of n rows together: a few kinds are common and most rare; rows lie near the middle of theirs or far."""
    draws = np.random.default_rng(0)
    shares = 1 / np.arange(1, N_KINDS + 1)
    fading = np.exp(-np.arange(SIZE) / 60)  # as the variance of sentence vectors fades over their components
    places = draws.normal(size=(N_KINDS, SIZE)) * fading
    rows = places[draws.choice(N_KINDS, n, p=shares / shares.sum())].astype(np.float32)
    rows += draws.choice([0.1, 0.5, 1.0], n)[:, None] * draws.normal(size=(n, SIZE)) * fading
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return {"real": rows[: n // 2], "sim": rows[n // 2 :]}


def ours(rows: Sides, k: int, turn: int) -> dict[str, float]:
    found = quantize(rows, k=k, seed=SEED + turn)
    return {"rows": sum(map(len, rows.values())), "inertia": found.inertia}


def published(rows: Sides, k: int, turn: int) -> dict[str, float]:
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    stacked = np.concatenate([*rows.values()])
    reduced = PCA(VARIANCE, svd_solver="full").fit_transform(stacked)
    found = KMeans(k, n_init=N_INIT, max_iter=MAX_ITER, random_state=SEED + turn).fit(reduced)
    return {"rows": len(stacked), "inertia": found.inertia_}


def main() -> int:
    asked = arguments(__doc__, rows=10_000, k=K)
    with recorded(f"gap_{asked.rows}", asked) as (run, kept):
        rows = sides(asked.rows)
        contestants = {"ours": partial(ours, rows, asked.k), "published": partial(published, rows, asked.k)}
        turns = take_turns(contestants, asked.turns, kept, busy=asked.busy)
        speed = {name: turns.rate(name, "rows") for name in contestants}
        for name, rates in speed.items():
            run.number(f"gap.{name}.rows_per_s_{asked.rows}", middle(rates, "rows/s"))
        run.number(f"gap.vs_published_{asked.rows}", ratio(speed["ours"], speed["published"]))
        inertia = ratio(turns.of("ours", "inertia"), turns.of("published", "inertia"))
        run.number(f"gap.inertia_{asked.rows}", inertia)
    return 0


if __name__ == "__main__":
    sys.exit(main())
