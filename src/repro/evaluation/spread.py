"""How far off can a mean be, over participants, or over participants *and* training seeds?

Participants are drawn again (`resampling.py`). Two or three seeds are too few for that, so with seeds the error is
worked out: the variances of the mean by participants, by seeds and by what is left, each as uncertain as its number of
clusters makes it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from repro.evaluation.resampling import Codes, Floats, codes_of, resampled
from repro.seeds import rng

TINY = 1e-24  # a variance of 0 has no distribution


@dataclass(frozen=True)
class Spread:
    """The error of a mean, as a mixture of normal distributions around 0: their standard deviations, (n_draws,)."""

    sds: Floats

    def below(self, error: float) -> float:
        """P(the error is less than `error`)."""
        from scipy.stats import norm

        return float(norm.cdf(error / self.sds).mean())

    def quantile(self, share: float) -> float:
        """The error below which `share` of the distribution lies."""
        from scipy.optimize import brentq

        reach = float(NormalDist().inv_cdf(share)) * self.sds  # each part's own quantile: ours is among them
        low, high = float(reach.min()), float(reach.max())
        return low if high - low < 1e-12 else float(brentq(lambda error: self.below(error) - share, low, high))


@dataclass(frozen=True)
class Students:
    """The error of a mean over one kind of cluster: `se` times Student's t."""

    se: float
    freedom: int

    def below(self, error: float) -> float:
        from scipy.stats import t

        return float(t.cdf(error / self.se, self.freedom))

    def quantile(self, share: float) -> float:
        from scipy.stats import t

        return float(t.ppf(share, self.freedom)) * self.se


def error_of(
    x: Floats, labels: Sequence[Sequence[Hashable]], *, n_boot: int = 2000, seed: int = 0
) -> Spread | Students:
    """The error of the mean of `x` over one kind of cluster (bootstrap), or several (`crossed_spread`)."""
    kinds = several(labels)
    if len(kinds) > 1:
        return crossed_spread(x, kinds, n_draws=n_boot, seed=seed)
    replicates = resampled(x, np.ones_like(x), kinds[0], n_boot, seed)
    return Students(float(np.nanstd(replicates, ddof=1)), int(kinds[0].max()))


def several(labels: Sequence[Sequence[Hashable]]) -> list[Codes]:
    """The kinds of cluster of which there are several."""
    return [codes for codes in map(codes_of, labels) if codes.size and codes.max() > 0]


def crossed_spread(x: Floats, labels: Sequence[Codes], *, n_draws: int = 2000, seed: int = 0) -> Spread:
    """The error of the mean of `x` (n,), whose values belong to a participant (`labels[0]`) and to seeds (the others).

        V_d = K_d / (K_d - 1) sum_k (sum_{i in k} (x_i - mean) / n)^2        by the K_d clusters of kind d
        V_e = sum_i e_i^2 / (f_e n),   f_e = n - 1 - sum_d (K_d - 1)         by what an additive fit leaves
        V_s = sum_{d > 0} V_d,         f_s = V_s^2 / sum_{d > 0} V_d^2 / (K_d - 1)
        sd*^2 = V_0* + max(V_s* - S V_e*, 0),   V* = V f / chi2_f,   S kinds of seeds

    The generalised pivotal quantity (Weerahandi 1993, JASA 88, 899-905) of a mean under crossed random effects; in
    balanced data n V are the usual mean squares. V_s holds the noise that V_0 has counted, hence V_e. Seeds of two arms
    are taken together, with Satterthwaite's (1946, Biometrics Bulletin 2, 110-114) degrees of freedom. Where seeds met
    different participants it is an approximation, on the wide side, as it is where a participant likes one seed better
    than another does. docs/statistics.md says how often it holds.
    """
    freedom, n = [int(codes.max()) for codes in labels], x.size
    people, *seeds = [_part(x - x.mean(), codes) for codes in labels]
    left, f_left, draws = _left(x, labels), n - 1 - sum(freedom), rng(seed, "crossed")
    noise = len(seeds) * float(left @ left) / f_left / n if f_left > 0 else 0.0
    f_seeds = sum(seeds) ** 2 / sum(v**2 / f for v, f in zip(seeds, freedom[1:], strict=True)) if any(seeds) else 1
    known = ((people, freedom[0]), (sum(seeds), f_seeds), (noise, max(f_left, 1)))
    first, retrained, again = (_scaled(variance, f, n_draws, draws) for variance, f in known)
    return Spread(np.sqrt(np.maximum(first + np.maximum(retrained - again, 0), TINY)))


def _part(centred: Floats, codes: Codes) -> float:
    sums = np.bincount(codes, weights=centred) / centred.size
    return float(sums @ sums) * len(sums) / (len(sums) - 1)


def _left(x: Floats, labels: Sequence[Codes]) -> Floats:
    """What a sum of one effect a cluster, fitted by least squares, leaves of `x`."""
    from scipy.sparse import csr_matrix, hstack
    from scipy.sparse.linalg import lsqr

    rows = np.arange(x.size)
    design = hstack([csr_matrix((np.ones(x.size), (rows, codes))) for codes in labels]).tocsr()
    return np.asarray(x - design @ lsqr(design, x, atol=1e-10, btol=1e-10)[0])


def _scaled(variance: float, freedom: float, n_draws: int, draws: np.random.Generator) -> Floats:
    """`variance` f / chi2_f, as `n_draws` equally likely values, shuffled: its quantiles, so that tails are even."""
    from scipy.stats import chi2

    return np.asarray(variance * freedom / chi2.ppf((draws.permutation(n_draws) + 0.5) / n_draws, freedom))
