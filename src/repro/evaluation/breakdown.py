"""Does a preference hold everywhere, and how large is it?

Win rates by task or by domain, with Holm's adjustment over the parts of a pair, so that the one part out of twelve that
stands out by chance is not taken for a finding; and effect sizes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from . import stats
from .preference import NAN, Vote, win_rate

Row = dict[str, object]


def breakdown(
    votes: Sequence[Vote], parts: Mapping[str, str | Sequence[str]], *, a: str, b: str, seed: int = 0
) -> list[Row]:
    """One row for each part that has votes: part, value, low, high, n, n_unscored, p, p_holm.

    `parts` maps a task to its domain, or to all its tags; tasks that it does not name are left out.
    """
    groups: dict[str, list[Vote]] = {}
    for vote in votes:
        mine = parts.get(vote.task, ()) if {vote.a, vote.b} == {a, b} else ()
        for part in dict.fromkeys([mine] if isinstance(mine, str) else mine):
            groups.setdefault(part, []).append(vote if vote.a == a else vote.flipped())
    people = {part: [v.participant for v in mine] for part, mine in groups.items()}
    ps = [stats.sign_test([v.outcome for v in mine], people[part]) for part, mine in groups.items()]
    return [
        {"part": part, **win_rate(mine, a=a, b=b, seed=seed).row, "p": p, "p_holm": adjusted}
        for (part, mine), p, adjusted in zip(groups.items(), ps, stats.holm(ps), strict=True)
    ]


def effect_sizes(votes: Sequence[Vote], *, a: str, b: str) -> Row:
    """Cohen's h of the win rate and d of participants' means against one half, the odds of winning, and the intraclass
    correlation (one-way, of votes within participants), which a planner needs. NaN where there is no spread."""
    from statsmodels.stats.proportion import proportion_effectsize

    mine = [v if v.a == a else v.flipped() for v in votes if {v.a, v.b} == {a, b} and v.outcome == v.outcome]
    means = stats.cluster_means([v.outcome for v in mine], [v.participant for v in mine])
    rate = sum(v.outcome for v in mine) / len(mine) if mine else NAN
    spread = float(means.std(ddof=1)) if len(means) > 1 else 0.0
    n_won, n_lost = (sum(v.outcome == x for v in mine) for x in (1.0, 0.0))
    return {
        "pair": f"{a}_vs_{b}",
        "h": float(proportion_effectsize(rate, 0.5)) if mine else NAN,
        "d": float((means.mean() - 0.5) / spread) if spread else NAN,
        "odds": n_won / n_lost if n_lost else NAN,
        "ties": sum(v.outcome == 0.5 for v in mine) / len(mine) if mine else NAN,
        "icc": intraclass([v.outcome for v in mine], [v.participant for v in mine]),
        "n": len(mine),
    }


def intraclass(values: Sequence[float], people: Sequence[str]) -> float:
    """How alike votes of one person are: (MSB - MSW) / (MSB + (m0 - 1) MSW), the one-way analysis of variance.

    m0 = (N - sum m_i^2 / N) / (K - 1) stands for the votes each, where they differ (Donner 1986). One vote each: NaN.
    """
    groups: dict[str, list[float]] = {}
    for value, person in zip(values, people, strict=True):
        groups.setdefault(person, []).append(value)
    n, k = len(values), len(groups)
    if k < 2 or n == k:
        return NAN
    mean = sum(values) / n
    between = sum(len(g) * (sum(g) / len(g) - mean) ** 2 for g in groups.values()) / (k - 1)
    within = sum((x - sum(g) / len(g)) ** 2 for g in groups.values() for x in g) / (n - k)
    each = (n - sum(len(g) ** 2 for g in groups.values()) / n) / (k - 1)
    total = between + (each - 1) * within
    return (between - within) / total if total and not math.isclose(total, 0) else NAN
