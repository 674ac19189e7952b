"""Which interval is right over participants and training seeds, where seeds differ and where they do not?

Studies are drawn as in `calibrate_study.py`: every participant votes once on each seed's assistant. Three intervals of
their mean are compared by how often they hold the truth, in percent:

    ours        `repro.evaluation.spread.crossed_spread`: V_p, V_s and V_e, each over its chi-squared distribution
    components  V_p + max(V_s - V_e, 0) from the mean squares of people, seeds and what is left, with Student's t of
                Satterthwaite's degrees of freedom: a seeds' part whose estimate is negative is not counted
    pigeonhole  participants and seeds drawn again, each on its own (Owen 2007, Annals of Applied Statistics 1,
                386-411), K - 1 of K, between quantiles as far out as Student's t asks (what was used here before)

    python scripts/compare_seed_intervals.py --studies 1000
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from repro.evaluation import stats
from repro.evaluation.resampling import percentiles
from repro.seeds import rng

Floats = npt.NDArray[np.float64]
RATE, SPREAD, N_DRAWS = 0.58, 0.2, 999  # the truth; sd between participants; draws of an interval


def drawn(n: int, n_seeds: int, apart: float, draws: np.random.Generator) -> Floats:
    """Votes of a study, 0 or 1: (n, n_seeds). `apart` is the standard deviation between seeds."""
    shares = np.clip(RATE + apart * draws.normal(size=n_seeds), 0.02, 0.98)
    own = draws.normal(0, SPREAD, (n, 1))
    return (draws.random((n, n_seeds)) < np.clip(shares + own, 0, 1)).astype(float)


def parts(x: Floats) -> tuple[float, float, float]:
    """Variances of the mean by people, by seeds, and by what is left: V_p, V_s, V_e."""
    n, k = x.shape
    people, seeds = x.mean(1) - x.mean(), x.mean(0) - x.mean()
    left = x - x.mean() - people[:, None] - seeds
    return (
        float((people**2).sum() / (n * (n - 1))),
        float((seeds**2).sum() / (k * (k - 1))),
        float((left**2).sum() / ((n - 1) * (k - 1)) / (n * k)),
    )


def ours(x: Floats, seed: int) -> tuple[float, float]:
    n, k = x.shape
    clusters = {"participant": np.repeat(np.arange(n), k).tolist(), "seed": np.tile(np.arange(k), n).tolist()}
    found = stats.estimate(x.ravel().tolist(), clusters, n_boot=N_DRAWS, seed=seed)
    return found.low, found.high


def components(x: Floats, seed: int) -> tuple[float, float]:
    (n, k), (v_p, v_s, v_e) = x.shape, parts(x)
    variance, below = v_p, v_p**2 / (n - 1)
    if v_s > v_e:
        variance += v_s - v_e
        below += v_s**2 / (k - 1) + v_e**2 / ((n - 1) * (k - 1))
    half = float(t.ppf(0.975, max(variance**2 / below, 1)) * np.sqrt(variance))
    return float(x.mean()) - half, float(x.mean()) + half


def pigeonhole(x: Floats, seed: int) -> tuple[float, float]:
    draws = rng(seed, "pigeonhole")
    people, seeds = (draws.multinomial(k - 1, np.full(k, 1 / k), N_DRAWS) for k in x.shape)
    means = np.einsum("bi,ij,bj->b", people, x, seeds, optimize=True) / (people.sum(1) * seeds.sum(1))
    return percentiles(means, len(x))


def coverage(n: int, n_seeds: int, apart: float, n_studies: int) -> list[float]:
    """How many of 100 intervals hold the truth, for each kind."""
    studies = [(drawn(n, n_seeds, apart, rng(i, "seeds", n, n_seeds, apart)), i) for i in range(n_studies)]
    held = [
        [low <= RATE <= high for low, high in (kind(x, i) for x, i in studies)]
        for kind in (ours, components, pigeonhole)
    ]
    return [100 * float(np.mean(one)) for one in held]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--participants", type=int, default=283)
    asked = parser.parse_args()
    print("| seeds | sd between them | ours | components | pigeonhole |\n| --- | --- | --- | --- | --- |")
    for n_seeds in (2, 3, 8):
        for apart in (0.0, 0.05, 0.1):
            found = coverage(asked.participants, n_seeds, apart, asked.studies)
            print(f"| {n_seeds} | {apart} | " + " | ".join(f"{value:.1f}" for value in found) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
