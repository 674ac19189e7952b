"""What holds of simulators together: does mixing help, do facets differ, are simulators alike?

What is chosen by looking (the weights of a mixture, the nearest simulator, the facets that differ most) is chosen on
one half of the users and measured on the other, on the side of simulators as well: shares that were looked at once lie
nearer to users than new ones of the same simulator would. The value is the mean over random halves. Its 95% interval is
a normal one, from the variance of replicates in which users are weighed anew (the Bayesian bootstrap; Rubin 1981). How
halves fall adds to that variance, as a replicate takes few of them: its own halves show by how much, and it is taken
off; what remains of it in the value is put on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from statistics import NormalDist

import numpy as np

from ...errors import ReproError
from ...seeds import rng
from ...types import Estimate
from ..stats import LEVEL
from .by_user import ByUser, by_user
from .certainty import Side
from .divergence import Floats, jensen_shannon, js_bias
from .gap import Gaps, with_lost
from .mixtures import optimal_mixture

N_HALVES = 10  # of each replicate. ours: for C2 and C5, how one falls varies ten times as much as the mean over users
WITHIN = 1e-6  # nats; how near to the best mixture is near enough, where thousands are fitted


@dataclass(frozen=True)
class MixtureGain:
    """What mixing gains, and whether there was anything to gain: where one simulator has all the weight, it is 0."""

    gain: Estimate  # how much nearer the best mixture is to users than the nearest simulator, nats
    largest: Estimate  # the weight of the largest member of the mixture
    nearest: Estimate  # how far the nearest simulator is from users, corrected, nats

    def as_numbers(self, name: str) -> dict[str, Estimate]:
        """`gap.<name>.gain`, `largest_weight.<name>.gain`, and `room.<name>.gain`: nobody gains more than `nearest`."""
        beside = {"gap": self.gain, "largest_weight": self.largest, "room": self.nearest}
        return {f"{key}.{name}.gain": number for key, number in beside.items()}


def mixture_gain(gaps: Gaps, *, n_splits: int = 50, n_boot: int = 100, seed: int = 0) -> MixtureGain:
    """How much nearer to users (JS less what small samples put on, nats) the best mixture is than the simulator that is
    nearest, both chosen on one half of the users and measured on the other."""
    found = gain_of_sides(gaps.labels, k=gaps.k, n_splits=n_splits, n_boot=n_boot, seed=seed)
    return MixtureGain(
        *(with_lost(one, sum(gaps.n_lost.values())) for one in (found.gain, found.largest, found.nearest))
    )


def gain_of_sides(
    sides: Mapping[str, Side], *, k: int, n_splits: int = 50, n_boot: int = 100, seed: int = 0
) -> MixtureGain:
    """`mixture_gain` of labels: those of "real" users, and of simulators by name."""
    seen, names = by_user({name: (side, k) for name, side in sides.items()}), [name for name in sides if name != "real"]

    def measure(first: Floats, second: Floats) -> list[float]:
        p, q = seen.shares(first, names)
        weights = dict(zip(names, optimal_mixture(p, q, within=WITHIN).weights, strict=True))
        nearest = names[int(np.argmin([jensen_shannon(p, row) for row in q]))]
        alone = seen.mixture_js(second, {nearest: 1.0})
        return [alone - seen.mixture_js(second, weights), max(weights.values()), alone]

    gain, largest, alone = _over_halves(measure, seen, sides, ("nats", "share", "nats"), n_splits, n_boot, seed)
    return MixtureGain(gain, replace(largest, high=min(1.0, largest.high)), alone)


def facet_spread(
    by_facet: Mapping[str, Gaps], simulator: str, *, n_splits: int = 50, n_boot: int = 100, seed: int = 0
) -> Estimate:
    """By how much (JS corrected, nats) the facet in which a simulator is furthest from users exceeds the nearest."""
    if len(by_facet) < 2 or any(simulator not in gaps.results for gaps in by_facet.values()):
        raise ReproError(f"give two facets or more, each with the gap of '{simulator}'; got {', '.join(by_facet)}")
    sides = ("real", simulator)
    seen = by_user({f"{f}.{name}": (gaps.labels[name], gaps.k) for f, gaps in by_facet.items() for name in sides})

    def far(half: Floats) -> dict[str, float]:
        both = {f: [half @ seen.counts[f"{f}.{name}"] for name in sides] for f in by_facet}
        return {f: _corrected(p, q, by_facet[f].results[simulator].excess) for f, (p, q) in both.items()}

    def spread(first: Floats, second: Floats) -> list[float]:
        chosen, new = far(first), far(second)
        return [new[max(chosen, key=chosen.__getitem__)] - new[min(chosen, key=chosen.__getitem__)]]

    some = next(iter(by_facet.values()))
    labels, n_lost = {name: some.labels[name] for name in sides}, sum(some.n_lost[name] for name in sides)
    return with_lost(_over_halves(spread, seen, labels, ("nats",), n_splits, n_boot, seed)[0], n_lost)


def likeness(gaps: Gaps, names: Sequence[str] | None = None, *, n_boot: int = 100, seed: int = 0) -> Estimate:
    """How much nearer simulators are to each other than to users: the median distance (JS less `js_bias`, nats) of
    those called `names` (all of them by default) from users, less the median between two of them.

    Near-copies count as often as they are named: with enough of them the second median is that between copies.
    """
    chosen = [*dict.fromkeys(names if names is not None else gaps.results)]
    if unknown := [name for name in chosen if name not in gaps.results]:
        raise ReproError(f"no simulator '{unknown[0]}' in these gaps; have {', '.join(gaps.results)}")
    if len(chosen) < 2:
        raise ReproError("one simulator is like no other; give two or more")
    sides = {name: gaps.labels[name] for name in ("real", *chosen)}
    seen = by_user({name: (side, gaps.k) for name, side in sides.items()})

    def nearer(first: Floats, second: Floats) -> list[float]:
        total = {name: (first + second) @ counts for name, counts in seen.counts.items()}
        apart = {(a, b): _corrected(total[a], total[b]) for a, b in combinations(total, 2)}
        from_users = [value for pair, value in apart.items() if "real" in pair]
        return [float(np.median(from_users) - np.median([v for pair, v in apart.items() if "real" not in pair]))]

    found = _over_halves(nearer, seen, sides, ("nats",), 1, n_boot, seed)[0]
    return with_lost(found, sum(gaps.n_lost[name] for name in sides))


def _over_halves(
    measure: Callable[[Floats, Floats], Sequence[float]], seen: ByUser, labels: Mapping[str, Side],
    units: Sequence[str], n_splits: int, n_boot: int, seed: int,
) -> list[Estimate]:  # fmt: skip
    """An estimate for each number that `measure` gives of the weights of users, (users,), in two halves of them."""
    found = np.array([measure(*seen.halves(rng(seed, "halves", i))) for i in range(n_splits)])  # (splits, numbers)
    drawn = np.array([_replicate(measure, seen, min(N_HALVES, n_splits), rng(seed, "drawn", i)) for i in range(n_boot)])
    n, n_users = sum(len(side.labels) for side in labels.values()), len({*labels["real"].users})
    return [
        Estimate(float(found[:, i].mean()), *_interval(found[:, i], drawn[:, :, i]), n, n_clusters=n_users, unit=unit)
        for i, unit in enumerate(units)
    ]


def _replicate(
    measure: Callable[[Floats, Floats], Sequence[float]], seen: ByUser, n_halves: int, draws: np.random.Generator
) -> list[Sequence[float]]:
    """The numbers of some halves of users that are weighed anew."""
    weights = draws.exponential(size=seen.n)
    return [measure(*(weights * half for half in seen.halves(draws))) for _ in range(n_halves)]


def _interval(found: Floats, drawn: Floats) -> tuple[float, float]:
    """About the mean of `found`, (splits,), as wide as `drawn`, (replicates, halves), says."""
    spread = drawn.mean(1).var(ddof=1) - _of_halves(drawn) + _of_halves(found[None])
    half = float(NormalDist().inv_cdf((1 + LEVEL) / 2) * np.sqrt(max(spread, _of_halves(found[None]))))
    return float(found.mean()) - half, float(found.mean()) + half


def _of_halves(rows: Floats) -> float:
    """What how halves fall adds to the variance of the mean of a row, (rows, halves)."""
    return float(rows.var(1, ddof=1).mean()) / rows.shape[1] if rows.shape[1] > 1 else 0.0


def _corrected(p: Floats, q: Floats, excess: float = 1.0) -> float:
    """The divergence of two rows of counts, less what small samples put on."""
    n, m = p.sum(), q.sum()
    return jensen_shannon(p / n, q / m) - excess * float(js_bias(p / n, q / m, n, m))
