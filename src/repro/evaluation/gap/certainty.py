"""How sure are we of a gap?

Users are resampled, never conversations: those of one user are alike. Where a simulator was given the tasks of the real
users, the two conversations of a user are a pair and stay one. Three questions: how far apart are two halves of the
*same* users (the floor, which no published gap states)? could a simulator that does just as users do have come out that
far (a permutation test)? and where does the gap lie (an interval)?
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import ReproError
from ...seeds import rng
from ...types import Estimate
from ..stats import LEVEL
from .divergence import Floats, js_bias, js_rows
from .quantize import Labels


@dataclass(frozen=True)
class Side:
    """The conversations of one side: a label and a user each."""

    labels: Labels
    users: Sequence[Hashable]

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.users):
            raise ReproError(f"got {len(self.labels)} labels and {len(self.users)} users; give one user per label")

    def counts(self, k: int) -> Floats:
        """How many conversations of each kind each user has, (users, k), users in the order they first come."""
        place = {user: i for i, user in enumerate(dict.fromkeys(self.users))}
        out = np.zeros((len(place), k))
        for user, label in zip(self.users, self.labels, strict=True):
            out[place[user], label] += 1
        return out


def floor(real: Side, *, k: int, n_repeats: int = 200, seed: int = 0, corrected: bool = False) -> Estimate:
    """The Jensen-Shannon divergence (nats) between random halves of the real users: mean, and where 95% of halves lie.

    A half has half the users; against a simulator with as many conversations as there are real ones, the floor of the
    whole is about half as high. `corrected` takes off what small samples put on, as for simulators: the mean is then
    about 0. Fewer than two users: NaN.
    """
    counts = real.counts(k)
    n = len(counts)
    if n < 2:
        return Estimate(float("nan"), float("nan"), float("nan"), 0, n_clusters=n)
    draws = rng(seed, "floor")
    first = np.stack([draws.permutation(n) < n // 2 for _ in range(n_repeats)]).astype(float)  # (repeats, users)
    apart = (_corrected if corrected else _apart)(first @ counts, (1 - first) @ counts)
    return Estimate(float(apart.mean()), *_middle(apart), len(real.labels), n_clusters=n)


def permutation_p(real: Side, simulated: Side, *, k: int, n_permutations: int = 999, seed: int = 0) -> float:
    """The share of permutations with a divergence at least as large as the one found, itself among them.

    Pairs swap their sides at random; where users differ between the sides, users are dealt out anew.
    """
    a, b, paired = _matched(real, simulated, k)
    draws = rng(seed, "permutation")
    if paired:
        kept = draws.integers(0, 2, size=(n_permutations, len(a))).astype(float)
        p, q = kept @ a + (1 - kept) @ b, kept @ b + (1 - kept) @ a
    else:
        pooled = np.concatenate([a, b])
        kept = np.stack([draws.permutation(len(pooled)) < len(a) for _ in range(n_permutations)]).astype(float)
        p, q = kept @ pooled, (1 - kept) @ pooled
    found = _apart(a.sum(0, keepdims=True), b.sum(0, keepdims=True))[0]
    return float((1 + (_apart(p, q) >= found - 1e-12).sum()) / (1 + n_permutations))


def interval(real: Side, simulated: Side, *, k: int, n_boot: int = 1000, seed: int = 0) -> Estimate:
    """The corrected Jensen-Shannon divergence (nats) with a 95% interval that resamples users.

    A bootstrap sample stands to the sample as the sample to the population, its own small-sample excess included. So
    each replicate is corrected like the estimate itself, and what the replicates still lie above it on average (the
    excess of the sample that they take for the truth) is taken off: percentiles of JS*_c - (JS - JS_c). Where there is
    no gap, the estimate and its lower end can lie below 0.
    """
    a, b, paired = _matched(real, simulated, k)
    draws = rng(seed, "interval")
    first = _weights(draws, len(a), n_boot)
    second = first if paired else _weights(draws, len(b), n_boot)
    p, q = a.sum(0, keepdims=True), b.sum(0, keepdims=True)
    plain, value = _apart(p, q)[0], _corrected(p, q)[0]
    low, high = _middle(_corrected(first @ a, second @ b) - (plain - value))
    n = len(real.labels) + len(simulated.labels)
    return Estimate(float(value), low, high, n, n_clusters=len(a) if paired else len(a) + len(b))


def _matched(real: Side, simulated: Side, k: int) -> tuple[Floats, Floats, bool]:
    """Counts by user of both sides, in the same order if they are the same users, and whether they are."""
    paired = set(real.users) == set(simulated.users)
    a, b = real.counts(k), simulated.counts(k)
    if not paired:
        return a, b, False
    place = {user: i for i, user in enumerate(dict.fromkeys(simulated.users))}
    return a, b[[place[user] for user in dict.fromkeys(real.users)]], True


def _weights(draws: np.random.Generator, n: int, n_boot: int) -> Floats:
    return draws.multinomial(n, np.full(n, 1 / n), size=n_boot).astype(float)  # (replicates, users)


def _apart(p: Floats, q: Floats) -> Floats:
    """The Jensen-Shannon divergence of each pair of rows of counts."""
    return js_rows(p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True))


def _corrected(p: Floats, q: Floats) -> Floats:
    n, m = p.sum(1, keepdims=True), q.sum(1, keepdims=True)
    return js_rows(p / n, q / m) - js_bias(p / n, q / m, n, m)


def _middle(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
