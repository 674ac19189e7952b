"""How sure are we of a gap?

Users are resampled, never conversations: those of one user are alike. Where a simulator was given the tasks of the real
users, the two conversations of a user are a pair and stay one; a few users who are on one side only, since a dialogue
failed, are left out and counted. Three questions: how far apart are two halves of the
*same* users (the floor, which no published gap states)? could a simulator that does just as users do have come out that
far (a permutation test)? and where does the gap lie (an interval)?

The interval is a score interval, as Wilson's is for a share: all theta with |JS - theta| <= 1.96 sd(theta), where
var(theta) = v0 + c theta. v0 is the variance among permutations, where there is no gap; c is the variance that leaving
out one user at a time finds (the jackknife; Efron and Stein 1981), per nat of divergence. A bootstrap counts v0
three times where there is no gap (JS is then a degenerate statistic) and is too short in between: `n_boot` gives its
interval as well, and `scripts/validate_gap.py` measures how often each of them holds the true value.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from ...errors import ReproError
from ...seeds import rng
from ...types import Estimate
from ..stats import LEVEL
from .divergence import Floats, js_bias, js_rows
from .quantize import Labels

MOSTLY = 0.9  # of either side's users; ours: so many have to be on both for the others to be left out
_N_BIASES = 12  # permutations whose bias is averaged. ours: it hardly differs between them, and each costs a jackknife


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
        if len(self.labels) and not 0 <= min(self.labels) <= max(self.labels) < k:
            raise ReproError(
                f"labels run from {min(self.labels)} to {max(self.labels)}; they have to lie in 0..{k - 1}"
            )
        place = {user: i for i, user in enumerate(dict.fromkeys(self.users))}
        cells = np.array([place[user] for user in self.users]) * k + self.labels
        return np.bincount(cells, minlength=len(place) * k).reshape(len(place), k).astype(np.float64)


@dataclass(frozen=True)
class Certainty:
    """What two samples of users say about the divergence between their populations."""

    js: Estimate  # nats, less what small samples put on; may be below 0. `n_unscored`: users without a pair
    p: float  # of a permutation test: the share of permutations at least as far apart, the one found among them
    excess: float  # what was taken off, as a multiple of `js_bias`
    paired: bool  # whether the two sides have the same users
    p_is_least: bool  # whether no permutation was as far apart: a test with more of them might have a lower p
    bootstrap: Estimate | None = None

    @property
    def n_unpaired(self) -> int:
        """Conversations that were left out, since their user is on one side only."""
        return self.js.n_unscored


def floor(real: Side, *, k: int, n_repeats: int = 200, seed: int = 0, corrected: bool = False) -> Estimate:
    """The Jensen-Shannon divergence (nats) between random halves of the real users: mean, and where 95% of halves lie.

    A half has half the users; against a simulator with as many conversations as there are real ones, the floor of the
    whole is about half as high. `corrected` takes off what small samples put on, as for simulators: the mean is then
    0. Fewer than two users: NaN.
    """
    counts = real.counts(k)
    n = len(counts)
    if n < 2:
        return Estimate(float("nan"), float("nan"), float("nan"), 0, n_clusters=n)
    draws = rng(seed, "floor")
    first = np.stack([draws.permutation(n) < n // 2 for _ in range(n_repeats)]).astype(float)  # (repeats, users)
    js, bias = _apart(first @ counts, (1 - first) @ counts)
    apart = js - _excess(js, bias) * bias if corrected else js
    return Estimate(float(apart.mean()), *_middle(apart), len(real.labels), n_clusters=n)


def compare(
    real: Side, simulated: Side, *, k: int, n_permutations: int = 999, n_boot: int = 0, seed: int = 0
) -> Certainty:
    """How far a simulator is from real users, with a test and a 95% interval; `n_boot` adds a bootstrap interval.

    What small samples put on is the jackknife's bias times a factor: how far permutations are apart, per nat of theirs.
    So the correction is exact where there is no gap, whatever the size of the samples and however alike the
    conversations of one user are, and holds up where there is a large one and kinds that only one side shows. A side
    with a single user cannot be left without one: the value and its interval are then NaN, and only p is known.
    """
    n_given = len(real.labels) + len(simulated.labels)
    real, simulated, paired = matched(real, simulated)
    a, b = real.counts(k), simulated.counts(k)
    js, bias = _apart(*_permuted(a, b, paired, n_permutations, seed))
    found, above, variance = _left_out(a, b, paired)
    (found_bias,) = _apart(a.sum(0, keepdims=True), b.sum(0, keepdims=True))[1]
    off = above * _excess(js, _biases_without_gap(a, b, paired, seed))
    value, excess = found - off, float(off / found_bias) if found_bias > 0 else 0.0
    null = float((js - _excess(js, bias) * bias).var())
    low, high = _score_interval(value, null, variance / found if found > 0 else 0.0)
    ends = low, min(high, max(value, float(np.log(2))))  # no divergence is larger
    n, clusters = len(real.labels) + len(simulated.labels), len(a) if paired else len(a) + len(b)
    sure = Estimate(value, *ends, n, n_given - n, clusters)
    n_as_far = int((js >= found - 1e-12).sum())
    resampled = _bootstrap(a, b, paired, excess, n_boot, seed) if n_boot else None
    return Certainty(
        sure,
        (1 + n_as_far) / (1 + n_permutations),
        excess,
        paired,
        n_as_far == 0,
        replace(sure, low=resampled[0], high=resampled[1]) if resampled else None,
    )


def shared(one: Iterable[Hashable], other: Iterable[Hashable]) -> set[Hashable]:
    """The users of both sides, if they are nearly all of either (`MOSTLY`); else none: the sides are not paired."""
    here, there = {*one}, {*other}
    both = here & there
    return both if len(both) >= MOSTLY * max(len(here), len(there)) else set()


def matched(real: Side, simulated: Side) -> tuple[Side, Side, bool]:
    """Both sides and whether they are paired: then each has the same users, in the same order."""
    both = shared(real.users, simulated.users)
    if not both:
        return real, simulated, False
    place = {user: i for i, user in enumerate(dict.fromkeys(user for user in real.users if user in both))}
    return _in_order(real, place), _in_order(simulated, place), True


def _in_order(side: Side, place: Mapping[Hashable, int]) -> Side:
    """The conversations of the users of `place`, in their order."""
    rows = sorted((i for i, user in enumerate(side.users) if user in place), key=lambda i: place[side.users[i]])
    return Side(side.labels[rows], [side.users[i] for i in rows])


def _dealt(a: Floats, b: Floats, paired: bool, n: int, draws: np.random.Generator) -> Floats:
    """Who is on the first side, (permutations, users), 1 or 0: pairs swap at random, other users are dealt out anew."""
    if paired:
        return draws.integers(0, 2, size=(n, len(a))).astype(float)
    return np.stack([draws.permutation(len(a) + len(b)) < len(a) for _ in range(n)]).astype(float)


def _permuted(a: Floats, b: Floats, paired: bool, n: int, seed: int) -> tuple[Floats, Floats]:
    """Counts of both sides, (permutations, k)."""
    kept = _dealt(a, b, paired, n, rng(seed, "permutation"))
    if paired:
        return kept @ a + (1 - kept) @ b, kept @ b + (1 - kept) @ a
    pooled = np.concatenate([a, b])
    return kept @ pooled, (1 - kept) @ pooled


def _score_interval(value: float, null: float, slope: float) -> tuple[float, float]:
    """The theta with (value - theta)^2 = z^2 (null + slope max(theta, 0)): the ends of the interval."""
    z = float(NormalDist().inv_cdf((1 + LEVEL) / 2))
    flat = z * np.sqrt(null)
    middle = value + z**2 * slope / 2
    half = z * np.sqrt(max(0.0, null + slope * value + (z * slope) ** 2 / 4))
    low = value - flat if value < flat else middle - half
    high = value + flat if value < -flat else middle + half
    return float(low), float(high)


def _left_out(a: Floats, b: Floats, paired: bool) -> tuple[float, float, float]:
    """The divergence, its bias and its variance from leaving out each user in turn; NaN if a side has but one."""
    first, second = a.sum(0, keepdims=True), b.sum(0, keepdims=True)
    found = float(_apart(first, second)[0][0])
    without = [(first - a, second - b)] if paired else [(first - a, second), (first, second - b)]
    if min(len(a), len(b)) < 2:
        return found, float("nan"), float("nan")
    each = [_apart(*pair)[0] for pair in without]
    bias = sum((len(js) - 1) * (js.mean() - found) for js in each)
    return found, float(bias), float(sum((len(js) - 1) * js.var() for js in each))


def _biases_without_gap(a: Floats, b: Floats, paired: bool, seed: int) -> Floats:
    """The jackknife's bias of a few permutations."""
    found, pooled = [], np.concatenate([a, b])
    for kept in _dealt(a, b, paired, _N_BIASES, rng(seed, "no gap")) == 1:
        if paired:
            sides = np.where(kept[:, None], a, b), np.where(kept[:, None], b, a)
        else:
            sides = pooled[kept], pooled[~kept]
        found.append(_left_out(*sides, paired)[1])
    return np.array(found)


def _bootstrap(a: Floats, b: Floats, paired: bool, excess: float, n_boot: int, seed: int) -> tuple[float, float]:
    """Percentiles over resampled users, each replicate corrected, less what replicates lie above the sample."""
    draws = rng(seed, "interval")
    first = _weights(draws, len(a), n_boot)
    second = first if paired else _weights(draws, len(b), n_boot)
    js, bias = _apart(first @ a, second @ b)
    _, (above,) = _apart(a.sum(0, keepdims=True), b.sum(0, keepdims=True))
    return _middle(js - excess * (bias + above))


def _weights(draws: np.random.Generator, n: int, n_boot: int) -> Floats:
    return draws.multinomial(n, np.full(n, 1 / n), size=n_boot).astype(float)  # (replicates, users)


def _apart(p: Floats, q: Floats) -> tuple[Floats, Floats]:
    """The Jensen-Shannon divergence of each pair of rows of counts, and its `js_bias`."""
    n, m = p.sum(1, keepdims=True), q.sum(1, keepdims=True)
    return js_rows(p / n, q / m), js_bias(p / n, q / m, n, m)


def _excess(js: Floats, bias: Floats) -> float:
    """How much of a divergence there is per nat of its expected bias, where there is no gap: means of permutations."""
    return float(js.mean() / bias.mean()) if bias.mean() > 0 else 0.0


def _middle(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
