"""How far apart are two histograms of behaviour?

p is the histogram of real users over k kinds of behaviour, q that of simulated ones. As arXiv 2605.07847 has it:
KL(p || q) and KL(q || p) on histograms to each of whose bins alpha = 1/k is added before they are scaled to sum to 1,
and the Jensen-Shannon divergence on the raw ones, which is at most ln 2. Total variation, Hellinger's distance and
MAUVE are cross-checks.

A finite sample has a floor: two samples of one population do not reach 0. With k = 500 bins and 500 conversations a
side, most bins hold one conversation or none, and two samples of the same users come out about as far apart as two
kinds of users would; read no value without the floor beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...errors import ReproError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Divergences:
    """All distances of one pair of histograms, in units of `base` (e: nats) where they are logarithms."""

    kl_forward: float  # KL(p || q): what the simulator misses
    kl_backward: float  # KL(q || p): what it makes up
    js: float
    js_corrected: float  # less the bias of small samples, see `js_bias`; may be below 0
    tv: float  # total variation, in [0, 1]
    hellinger: float  # in [0, 1]
    mauve: float  # in (0, 1], 1: the same
    k: int
    n_real: int
    n_simulated: int
    base: float = math.e


def divergences(
    real_labels: Sequence[int] | npt.NDArray[np.intp], sim_labels: Sequence[int] | npt.NDArray[np.intp], *, k: int,
    base: float = math.e,
) -> Divergences:  # fmt: skip
    """The distances between two samples of cluster labels, each in 0..k-1."""
    real, sim = histogram(real_labels, k=k, of="real"), histogram(sim_labels, k=k, of="simulated")
    n, m = len(real_labels), len(sim_labels)
    p, q, unit = real / n, sim / m, math.log(base)
    smooth_p, smooth_q = smoothed(real), smoothed(sim)
    return Divergences(
        kl_forward=float(kl(smooth_p, smooth_q)) / unit,
        kl_backward=float(kl(smooth_q, smooth_p)) / unit,
        js=jensen_shannon(p, q) / unit,
        js_corrected=(jensen_shannon(p, q) - float(js_bias(p, q, n, m))) / unit,
        tv=float(np.abs(p - q).sum() / 2),
        hellinger=float(np.sqrt(max(0.0, 1 - np.sqrt(p * q).sum()))),
        mauve=mauve(p, q),
        k=k,
        n_real=n,
        n_simulated=m,
        base=base,
    )


def histogram(labels: Sequence[int] | npt.NDArray[np.intp], *, k: int, of: str = "given") -> Floats:
    """How many labels fall into each of k bins, (k,)."""
    found = np.asarray(labels)
    if found.size == 0:
        raise ReproError(f"there are no {of} conversations; a divergence needs some on both sides")
    if not np.issubdtype(found.dtype, np.integer) or found.min() < 0 or found.max() >= k:
        raise ReproError(
            f"the {of} labels run from {found.min()} to {found.max()}; give whole numbers from 0 to {k - 1}"
        )
    return np.bincount(found, minlength=k).astype(np.float64)


def smoothed(counts: Floats) -> Floats:
    """Laplace: alpha = 1/k onto the shares of every bin, then scaled to sum to 1."""
    shares = counts / counts.sum() + 1 / counts.size
    return np.asarray(shares / shares.sum())


def kl(p: Floats, q: Floats) -> Floats:
    """sum_b p_b ln(p_b / q_b) in nats over the last axis, where 0 ln 0 = 0; infinite where q lacks what p has."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0).sum(-1))


def js_rows(p: Floats, q: Floats) -> Floats:
    """(KL(p || m) + KL(q || m)) / 2 with m = (p + q) / 2, in nats over the last axis: 0 to ln 2."""
    m = (p + q) / 2
    return (kl(p, m) + kl(q, m)) / 2


def jensen_shannon(p: Floats, q: Floats) -> float:
    """`js_rows` of two histograms."""
    return float(js_rows(p, q))


def mauve(p: Floats, q: Floats, *, scale: float = 5.0, n_points: int = 200) -> float:
    """The area under the divergence frontier of two histograms (Pillutla et al. 2021): 1 if they are the same.

    The frontier is (exp(-scale KL(q || r)), exp(-scale KL(p || r))) for all r = lambda p + (1 - lambda) q. Its area is
    taken once over each axis and averaged, so that p and q may change places.
    """
    shares = np.linspace(0, 1, n_points + 2)[1:-1, None]
    r = shares * p + (1 - shares) * q  # (points, k), from nearly q to nearly p
    x = np.concatenate([[1.0], np.exp(-scale * kl(np.broadcast_to(q, r.shape), r)), [0.0]])  # falls
    y = np.concatenate([[0.0], np.exp(-scale * kl(np.broadcast_to(p, r.shape), r)), [1.0]])  # rises
    return float(np.trapezoid(y[::-1], x[::-1]) + np.trapezoid(x, y)) / 2


def js_bias(p: Floats, q: Floats, n: Floats | int, m: Floats | int) -> Floats:
    """How much the Jensen-Shannon divergence of samples of n and m exceeds the true one, to first order, in nats.

    JS = H(mean) - H(p) / 2 - H(q) / 2, and the entropy of a histogram is too low by about sum_b var_b / (2 share_b):
    Miller and Madow's correction (Miller 1955) for p and q, the same expansion for their mean. It assumes independent
    conversations and more of them than bins in use; with fewer it takes off too little.
    """
    var_p, var_q = p * (1 - p) / n, q * (1 - q) / m
    return (_too_low(p, var_p) + _too_low(q, var_q)) / 2 - _too_low((p + q) / 2, (var_p + var_q) / 4)


def _too_low(shares: Floats, variances: Floats) -> Floats:
    """By how much the entropy of a sample falls short."""
    return np.asarray(np.where(shares > 0, variances / np.where(shares > 0, 2 * shares, 1), 0.0).sum(-1))
