"""How much do two simulators differ in a measure?

Most measures are ratios of two sums, with an addend for each turn or dialogue: a mean, an F1, a log-perplexity. Kept
apart, the addends of two simulators can be resampled together, task by task, since both talked about the same tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...seeds import rng
from ...types import Estimate
from ..stats import SHARE, Bounds, Floats, estimate, interval_of, ratio


@dataclass(frozen=True)
class Parts:
    """sum(tops) / sum(belows); a NaN among the tops is an unscored item. `tasks` says what is drawn again: the task of
    each, or its user. The ratio is a share, or (`within` None) has no bounds."""

    tops: tuple[float, ...]
    belows: tuple[float, ...]
    tasks: tuple[str, ...]
    within: Bounds | None = SHARE

    @classmethod
    def mean(cls, values: Sequence[float], tasks: Sequence[str]) -> Parts:
        return cls(tuple(values), (1.0,) * len(values), tuple(tasks))

    @property
    def found(self) -> Estimate:
        """The ratio with an interval that resamples tasks."""
        if set(self.belows) == {1.0}:
            return estimate(self.tops, self.tasks, within=self.within)
        return ratio(self.tops, self.belows, self.tasks, within=self.within)

    def sums(self, tasks: Sequence[str]) -> Floats:
        """Both sums by task, (2, n_tasks), unscored items left out."""
        place, out = {task: i for i, task in enumerate(tasks)}, np.zeros((2, len(tasks)))
        for top, below, task in zip(self.tops, self.belows, self.tasks, strict=True):
            if top == top:
                out[:, place[task]] += top, below
        return out


def gain(a: Parts, b: Parts, *, n_boot: int = 2000, seed: int = 0) -> Estimate:
    """The measure of `a` less that of `b`. Its interval draws tasks anew, the same for both; n counts items of both.

    value* = sum(w a.tops) / sum(w a.belows) - sum(w b.tops) / sum(w b.belows),  w ~ Multinomial(K - 1, 1/K), K tasks

    The interval is that of `stats.estimate`: Student's quantiles, and where the difference is the same in all tasks
    `alike_interval`, with the tasks that both have for n. Fewer than two: NaN.
    """
    tasks = [*dict.fromkeys([*a.tasks, *b.tasks])]
    n_all = len(a.tops) + len(b.tops)
    n = sum(top == top for top in [*a.tops, *b.tops])
    if len(tasks) < 2:
        return Estimate(float("nan"), float("nan"), float("nan"), n, n_all - n, len(tasks))
    sums = np.stack([a.sums(tasks), b.sums(tasks)])  # (2 simulators, 2 sums, K)
    weights = rng(seed, "gain").multinomial(len(tasks) - 1, np.full(len(tasks), 1 / len(tasks)), size=n_boot)
    value = float(_difference(sums, np.ones((1, len(tasks))))[0])
    drawn, n_known = _difference(sums, weights.astype(np.float64)), int((sums[:, 1] > 0).sum(axis=1).min())
    low, high = interval_of(drawn, value, n_clusters=n_known, within=_bounds(a, b))
    return Estimate(value, low, high, n, n_all - n, len(tasks))


def _bounds(a: Parts, b: Parts) -> Bounds | None:
    """How far apart two ratios can be; without bounds of both, that is not known."""
    return (a.within[0] - b.within[1], a.within[1] - b.within[0]) if a.within and b.within else None


def _difference(sums: Floats, weights: Floats) -> Floats:
    totals = np.einsum("sik,bk->bsi", sums, weights)
    with np.errstate(invalid="ignore", divide="ignore"):  # a draw without any item is no replicate
        shares = totals[..., 0] / totals[..., 1]
    return np.asarray(shares[:, 0] - shares[:, 1])
