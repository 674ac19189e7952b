"""Which mixture of simulators is nearest to real users?

    minimise  f(w) = JS(p, sum_i w_i q_i)  over  w_i >= 0, sum_i w_i = 1

f is convex in w, so that there is one lowest value, and how far a w may be from it is known without knowing it: the
Frank-Wolfe gap max_i <f'(w), w - e_i> bounds f(w) - min f (Jaggi 2013). It is the certificate of every result here.
Weights fitted and judged on the same users flatter the mixture: fit on one half of the users, report on the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ReproError
from .divergence import Floats, jensen_shannon

GAP = 1e-9  # nats; ours: far below what can be measured


@dataclass(frozen=True)
class Mixture:
    """Weights by simulator, in the order given; `js` (nats) is at most `certificate` above the lowest there is."""

    weights: tuple[float, ...]
    js: float
    certificate: float


def optimal_mixture(
    real_hist: Sequence[float] | Floats, sim_hists: Sequence[Sequence[float]] | Floats, *, within: float = GAP
) -> Mixture:
    """The weights that minimise the Jensen-Shannon divergence from real users; histograms are scaled to sum to 1.

    A barrier method: Newton's steps on f(w) - mu sum_i ln w_i for ever smaller mu, until the certificate is at most
    `within` (nats); then idle weights are set to 0.
    """
    p, q = _shares(real_hist), np.stack([_shares(hist) for hist in sim_hists])  # (k,), (s, k)
    if p.size != q.shape[1]:
        raise ReproError(f"the real histogram has {p.size} bins and the simulated ones {q.shape[1]}; use the same bins")
    w = np.full(len(q), 1 / len(q))
    mu = 0.1
    while gap(p, q, w) > within and mu > 1e-15:
        w, mu = _centred(p, q, w, mu), mu / 5
    w = min((w, _without_idle(p, q, w)), key=lambda v: gap(p, q, v))
    return Mixture(tuple(float(x) for x in w), jensen_shannon(p, w @ q), gap(p, q, w))


def gap(p: Floats, q: Floats, w: Floats) -> float:
    """How far f(w) can be above the lowest value, in nats."""
    slope = _slope(p, q, w)
    return float(max(0.0, slope @ w - slope.min())) if np.isfinite(slope).all() else math.inf


def greedy_path(
    real_hist: Sequence[float] | Floats, sim_hists: Sequence[Sequence[float]] | Floats, *, n_most: int | None = None
) -> list[Mixture]:
    """The best mixture of 1, 2, 3, ... (up to `n_most`) simulators, each keeping the members before it."""
    n, members, path = len(sim_hists), list[int](), list[Mixture]()
    for _ in range(min(n, n_most or n)):
        tried = {i: _of(real_hist, sim_hists, [*members, i]) for i in range(n) if i not in members}
        best = min(tried, key=lambda i: tried[i].js)
        members.append(best)
        path.append(tried[best])
    return path


def _of(real_hist: Sequence[float] | Floats, sim_hists: Sequence[Sequence[float]] | Floats, part: list[int]) -> Mixture:
    """The best mixture of some of them, as weights of all."""
    found = optimal_mixture(real_hist, [sim_hists[i] for i in part])
    weights = np.zeros(len(sim_hists))
    weights[part] = found.weights
    return Mixture(tuple(float(x) for x in weights), found.js, found.certificate)


def _shares(hist: Sequence[float] | Floats) -> Floats:
    counts = np.asarray(hist, dtype=np.float64)
    if counts.ndim != 1 or not np.isfinite(counts).all() or (counts < 0).any() or not counts.sum():
        raise ReproError("a histogram has to be a row of counts or shares that are not all 0")
    return np.asarray(counts / counts.sum())


def _slope(p: Floats, q: Floats, w: Floats) -> Floats:
    """df/dw_i = sum_b q_ib ln(2 mix_b / (p_b + mix_b)) / 2."""
    mix = w @ q
    logs = np.log(np.where(mix > 0, 2 * mix / np.where(mix > 0, p + mix, 1), 1))
    logs[(mix == 0) & (p > 0)] = -np.inf  # some weight is 0 that has to be more
    return np.asarray(np.multiply(q, logs, where=q > 0, out=np.zeros_like(q)).sum(1) / 2)


def _centred(p: Floats, q: Floats, w: Floats, mu: float, *, n_steps: int = 50) -> Floats:
    """Newton's method on the barrier problem, from w, within the simplex."""
    for _ in range(n_steps):
        mix = w @ q
        curve = np.where(mix > 0, p / np.where(mix > 0, mix * (p + mix), 1), 0) / 2  # f'' along each bin
        hessian = (q * curve) @ q.T + np.diag(mu / w**2)
        slope = _slope(p, q, w) - mu / w
        solved = np.linalg.solve(hessian, np.stack([slope, np.ones_like(w)], axis=1))
        step = -(solved[:, 0] - solved[:, 1] * solved[:, 0].sum() / solved[:, 1].sum())  # stays on sum w = 1
        shrink = _line_search(p, q, w, step, mu, slope @ step)
        w = w + shrink * step
        w = w / w.sum()
        if -(slope @ step) < 1e-3 * mu or not shrink:
            break
    return w


def _line_search(p: Floats, q: Floats, w: Floats, step: Floats, mu: float, descent: float) -> float:
    """The largest of 1, 1/2, 1/4, ... that keeps weights above 0 and lowers the barrier problem enough."""

    def height(v: Floats) -> float:
        return jensen_shannon(p, v @ q) - mu * float(np.log(v).sum())

    start, size = height(w), 1.0
    while size > 1e-12:
        there = w + size * step
        if (there > 0).all() and height(there) <= start + 0.01 * size * descent + 1e-16:
            return size
        size /= 2
    return 0.0


def _without_idle(p: Floats, q: Floats, w: Floats) -> Floats:
    """The weights of simulators that only cost something, set to 0."""
    slope = _slope(p, q, w)
    kept = np.where((w < 1e-6) & (slope > slope.min() + 1e-9), 0.0, w)
    return np.asarray(kept / kept.sum())
