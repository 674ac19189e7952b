"""Who wins once it is taken into account what came first, and does it matter what came first?

A linear model of the outcome with a working correlation among one participant's votes (generalised estimating
equations, Liang and Zeger 1986), for votes in which orders did not come out balanced:

    outcome - 1/2 = preference + first * (1/2 if a came first, -1/2 if b did)

Standard errors are those of Mancl and DeRouen (2001), Biometrics 57, 126-134, made for few clusters, with Student's t
and as many degrees of freedom as participants less coefficients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..types import Estimate
from .alike import TINY
from .preference import NAN, Vote

UNKNOWN = Estimate(NAN, NAN, NAN, 0)


@dataclass(frozen=True)
class Adjusted:
    """The win rate at balanced orders, and how much coming first adds to it (0: nothing), each with its p."""

    win_rate: Estimate
    p: float
    first: Estimate
    p_first: float


def adjusted_win_rate(votes: Sequence[Vote], *, a: str, b: str) -> Adjusted:
    """`a` against `b`. Votes without an outcome or a position are left out and counted; without any spread: NaN.

    Where all participants are alike, the regression has no error to go by, and the win rate no interval (NaN).
    """
    import numpy as np

    mine = [vote if vote.a == a else vote.flipped() for vote in votes if {vote.a, vote.b} == {a, b}]
    used = [vote for vote in mine if vote.outcome == vote.outcome and vote.position != "unknown"]
    people = [vote.participant for vote in used]
    y = np.array([vote.outcome for vote in used]) - 0.5
    first = np.array([0.5 if vote.position == "a_first" else -0.5 for vote in used])
    n_people, left = len(set(people)), len(mine) - len(used)
    if n_people < 4 or not np.ptp(y) or not np.ptp(first):
        return Adjusted(UNKNOWN, NAN, UNKNOWN, NAN)
    fitted = _fitted(y, np.column_stack([np.ones_like(y), first]), people)
    rate, p = _estimate(fitted, 0, 0.5, (len(used), left, n_people), "win rate")
    effect, p_first = _estimate(fitted, 1, 0.0, (len(used), left, n_people), "win rate, first less second")
    return Adjusted(rate, p, effect, p_first)


def _fitted(y: Any, x: Any, people: Sequence[str]) -> Any:
    import warnings

    import statsmodels.api as sm

    order = sorted(range(len(y)), key=lambda i: people[i])
    groups = [people[i] for i in order]
    alone = len(set(groups)) == len(groups)
    working = sm.cov_struct.Independence() if alone else sm.cov_struct.Exchangeable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of iterations; a fit that fails is NaN and counted
        return sm.GEE(y[order], x[order], groups=groups, cov_struct=working).fit(cov_type="bias_reduced")


def _estimate(fitted: Any, which: int, null: float, counts: tuple[int, int, int], unit: str) -> tuple[Estimate, float]:
    from scipy.stats import t

    value, error, n_people = float(fitted.params[which]), float(fitted.bse[which]), counts[2]
    if error < TINY:  # all participants are alike
        return Estimate(value + null, NAN, NAN, *counts, unit), NAN
    half, p = float(t.ppf(0.975, n_people - 2)) * error, float(2 * t.sf(abs(value / error), n_people - 2))
    return Estimate(value + null, value + null - half, value + null + half, *counts, unit), p
