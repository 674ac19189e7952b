"""How long does the gap of a million conversations take, and how much memory?

Writes vectors of two sides to disk, then reads them memory-mapped through principal components, k-means and the
divergences, as `behavioral_gaps` does once texts are encoded.

    python benchmarks/gap_million.py --rows 1000000 --k 500 --engine sklearn
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from repro.evaluation.gap import divergences, quantize
from repro.evaluation.gap.encode import Vectors

SIZE = 384  # of a MiniLM vector
PART = 50_000  # rows written at a time


def written(path: Path, n: int, shares: np.ndarray, seed: int) -> Vectors:
    """n unit vectors around as many places as there are shares, on disk."""
    draws, places = np.random.default_rng(seed), np.random.default_rng(0).normal(size=(len(shares), SIZE))
    out = np.lib.format.open_memmap(path, "w+", np.float32, (n, SIZE))
    for i in range(0, n, PART):
        kinds = draws.choice(len(shares), min(PART, n - i), p=shares)
        rows = places[kinds] + 0.7 * draws.normal(size=(len(kinds), SIZE))
        out[i : i + PART] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    out.flush()
    return np.load(path, mmap_mode="r")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of both sides together")
    parser.add_argument("--k", type=int, default=500)
    parser.add_argument("--engine", default="sklearn")
    asked = parser.parse_args()
    kinds = np.random.default_rng(1).dirichlet(np.full(200, 2.0), size=2)
    with tempfile.TemporaryDirectory() as folder:
        sides = {
            name: written(Path(folder) / f"{name}.npy", asked.rows // 2, share, i)
            for i, (name, share) in enumerate(zip(("real", "sim"), kinds, strict=True))
        }
        started = time.perf_counter()
        found = quantize(sides, k=asked.k, engine=asked.engine)
        apart = divergences(found.labels["real"], found.labels["sim"], k=asked.k)
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # GiB; on Linux it is in KiB
    print(f"{asked.rows} rows, k = {asked.k}, {asked.engine}: {seconds:.0f} s, at most {peak:.1f} GiB")
    print(f"{found.n_components} components, JS = {apart.js:.3f} nats")
    return 0


if __name__ == "__main__":
    sys.exit(main())
