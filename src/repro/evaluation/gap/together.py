"""What holds of simulators together: does mixing help, do facets differ, are simulators alike?

What is chosen by looking (the weights of a mixture, the nearest simulator, the facets that differ most) is chosen on
one half of the users and measured on the other. The value is the mean over random halves. Its 95% interval is that of
replicates in which users are drawn anew within their halves, moved so that their mean is the value; simulators that had
the tasks of the real users are drawn with them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from itertools import combinations

import numpy as np

from ...errors import ReproError
from ...seeds import rng
from ...types import Estimate
from ..stats import LEVEL
from .certainty import Side
from .divergence import Floats, jensen_shannon, js_bias
from .gap import Gaps
from .mixtures import optimal_mixture

Users = Mapping[str, list[Hashable]]  # by side: who takes part, each as often as drawn


class _Counted:
    """The conversations of each user of a side, by kind."""

    def __init__(self, side: Side, k: int) -> None:
        self.counts = side.counts(k)
        self.place = {user: i for i, user in enumerate(dict.fromkeys(side.users))}

    def of(self, users: list[Hashable]) -> Floats:
        """How many conversations of each kind these users had, (k,); those who are not here had none."""
        return np.asarray(self.counts[[self.place[user] for user in users if user in self.place]].sum(0))


def mixture_gain(gaps: Gaps, *, n_splits: int = 50, n_boot: int = 200, seed: int = 0) -> Estimate:
    """How much nearer (JS, nats) the best mixture is to users it was not fitted to than the simulator that is nearest
    to those it was fitted to."""
    counted = {name: _Counted(side, gaps.k) for name, side in gaps.labels.items()}

    def gain(first: Users, second: Users) -> float:
        p_fit, p_other = (counted["real"].of(half["real"]) for half in (first, second))
        q = np.stack([_shares(counted[name].of(first[name] + second[name])) for name in gaps.results])
        mixed = np.asarray(optimal_mixture(p_fit, q).weights) @ q
        nearest = min(q, key=lambda row: jensen_shannon(_shares(p_fit), row))
        return jensen_shannon(_shares(p_other), nearest) - jensen_shannon(_shares(p_other), mixed)

    return _over_halves(gain, gaps.labels, n_splits, n_boot, seed)


def facet_spread(
    by_facet: Mapping[str, Gaps], simulator: str, *, n_splits: int = 50, n_boot: int = 200, seed: int = 0
) -> Estimate:
    """By how much (JS corrected, nats) the facet in which a simulator is furthest from users exceeds the nearest."""
    if len(by_facet) < 2 or any(simulator not in gaps.results for gaps in by_facet.values()):
        raise ReproError(f"give two facets or more, each with the gap of '{simulator}'; got {', '.join(by_facet)}")
    sides = {"real", simulator}
    counted = {f: {name: _Counted(gaps.labels[name], gaps.k) for name in sides} for f, gaps in by_facet.items()}

    def far(half: Users) -> dict[str, float]:
        both = {f: [each[name].of(half[name]) for name in ("real", simulator)] for f, each in counted.items()}
        return {f: _corrected(p, q, by_facet[f].results[simulator].excess) for f, (p, q) in both.items()}

    def spread(first: Users, second: Users) -> float:
        seen, new = far(first), far(second)
        return new[max(seen, key=seen.__getitem__)] - new[min(seen, key=seen.__getitem__)]

    some = next(iter(by_facet.values()))
    return _over_halves(spread, {name: some.labels[name] for name in sides}, n_splits, n_boot, seed)


def likeness(gaps: Gaps, *, n_boot: int = 200, seed: int = 0) -> Estimate:
    """How much nearer simulators are to each other than to users: the median distance (JS less `js_bias`, nats) of
    simulators from users, less the median between two of them."""
    if len(gaps.results) < 2:
        raise ReproError("one simulator is like no other; give two or more")
    counted = {name: _Counted(side, gaps.k) for name, side in gaps.labels.items()}

    def nearer(first: Users, second: Users) -> float:
        found = {name: one.of(first[name] + second[name]) for name, one in counted.items()}
        apart = {(a, b): _corrected(found[a], found[b]) for a, b in combinations(found, 2)}
        from_users = [value for pair, value in apart.items() if "real" in pair]
        return float(np.median(from_users) - np.median([v for pair, v in apart.items() if "real" not in pair]))

    return _over_halves(nearer, gaps.labels, 1, n_boot, seed)


def _over_halves(
    measure: Callable[[Users, Users], float], labels: Mapping[str, Side], n_splits: int, n_boot: int, seed: int
) -> Estimate:
    users = {name: [*dict.fromkeys(side.users)] for name, side in labels.items()}
    if len(users["real"]) < 4:
        raise ReproError(f"halves of {len(users['real'])} users are too small; give 4 users or more")
    found = [measure(*_halves(users, rng(seed, "halves", i))) for i in range(n_splits)]
    drawn = []
    for i in range(n_boot):
        draws = rng(seed, "drawn", i)
        first, second = _halves(users, draws)
        drawn.append(measure(_drawn(first, draws), _drawn(second, draws)))
    value, n = float(np.mean(found)), sum(len(side.labels) for side in labels.values())
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) - np.mean(drawn) + value
    return Estimate(value, float(low), float(high), n, n_clusters=len(users["real"]), unit="nats")


def _halves(users: Users, draws: np.random.Generator) -> tuple[Users, Users]:
    """All users of all sides in two halves; a user is in the same half on every side."""
    everyone = sorted({user for side in users.values() for user in side}, key=str)
    first = {everyone[i] for i in draws.permutation(len(everyone))[: len(everyone) // 2]}
    kept = [{name: [u for u in side if (u in first) == here] for name, side in users.items()} for here in (True, False)]
    return kept[0], kept[1]


def _drawn(users: Users, draws: np.random.Generator) -> Users:
    """As many users, with replacement; sides that have the same users get the same ones."""
    seen: dict[frozenset[Hashable], list[Hashable]] = {}
    for side in users.values():
        if frozenset(side) not in seen:
            seen[frozenset(side)] = [side[i] for i in draws.integers(0, max(1, len(side)), size=len(side))]
    return {name: seen[frozenset(side)] for name, side in users.items()}


def _corrected(p: Floats, q: Floats, excess: float = 1.0) -> float:
    """The divergence of two rows of counts, less what small samples put on."""
    n, m = p.sum(), q.sum()
    return jensen_shannon(p / n, q / m) - excess * float(js_bias(p / n, q / m, n, m))


def _shares(counts: Floats) -> Floats:
    return np.asarray(counts / counts.sum())
