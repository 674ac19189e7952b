"""How good is each assistant, on one scale, from all pairs at once?

Bradley and Terry's model with ties, as Newman (2023, JMLR 24, 1-25) fits it, through evalica:

    P(i beats j) = s_i / (s_i + s_j + 2 v sqrt(s_i s_j)),    P(tie) = 2 v sqrt(s_i s_j) / (the same)

Strengths are log s, less that of a reference arm. Intervals fit again with participants drawn anew as clusters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..errors import ReproError
from ..types import Estimate
from .preference import NAN, Vote
from .resampling import Floats, cluster_weights, percentiles

Cell = tuple[str, str, float]  # a, b, outcome
UNIT = "log strength"


def strengths(
    votes: Sequence[Vote], *, reference: str = "initial", n_boot: int = 500, seed: int = 0
) -> dict[str, Estimate]:
    """Each arm's log strength less that of `reference`, and under "ties" log v; NaN where an arm never or always won.

    `n` counts the votes on the arm. Training seeds are not resampled: it speaks of the assistants that were compared.
    """
    import numpy as np

    scored = [vote for vote in votes if vote.outcome == vote.outcome]
    arms = [*dict.fromkeys(name for vote in scored for name in (vote.a, vote.b))]
    if reference not in arms:
        raise ReproError(f"no votes on the reference '{reference}'; have {', '.join(arms) or 'none'}")
    cells = [*dict.fromkeys((vote.a, vote.b, vote.outcome) for vote in scored)]
    place = {cell: i for i, cell in enumerate(cells)}
    rows = np.zeros((len(scored), len(cells)))
    rows[range(len(scored)), [place[vote.a, vote.b, vote.outcome] for vote in scored]] = 1
    people = [vote.participant for vote in scored]
    fitted = _fit(cells, rows.sum(axis=0), reference)
    drawn = [_fit(cells, w, reference) for w in cluster_weights(people, n_boot=n_boot, seed=seed) @ rows]
    found = {}
    for name in (*(arm for arm in arms if arm != reference), "ties"):
        low, high = percentiles(np.array([one.get(name, NAN) for one in drawn]), len(set(people)))
        about = [vote for vote in votes if name in (vote.a, vote.b, "ties")]
        n = sum(vote.outcome == vote.outcome for vote in about)
        value = fitted.get(name, NAN)
        low, high = (low, high) if value == value else (NAN, NAN)
        found[name] = Estimate(value, low, high, n, len(about) - n, len(set(people)), UNIT)
    return found


def _fit(cells: Sequence[Cell], counts: Floats, reference: str) -> Mapping[str, float]:
    """Log strengths for these counts; an arm that took nothing, or all, has none."""
    import evalica
    import pandas as pd

    winner = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    used = [(cell, float(n)) for cell, n in zip(cells, counts, strict=True) if n]
    names = {name for (a, b, _), _ in used for name in (a, b)}
    taken = {arm: _taken(used, arm) for arm in names}
    if reference not in names or any(not 0 < won < of for won, of in taken.values()):
        names = {arm for arm, (won, of) in taken.items() if 0 < won < of}
    if reference not in names:
        return {}
    place = {name: i for i, name in enumerate(sorted(names | set(taken)))}
    xs, ys = [place[a] for (a, _, _), _ in used], [place[b] for (_, b, _), _ in used]  # names cost most of the time
    outcomes, weights = [winner[cell[2]] for cell, _ in used], [n for _, n in used]
    found = evalica.newman(xs, ys, outcomes, index=pd.RangeIndex(len(place)), weights=weights, limit=2000)
    scores = dict(zip(found.scores.index, found.scores.to_numpy(), strict=True))
    logs = {arm: math.log(scores[place[arm]] / scores[place[reference]]) for arm in names}
    return {**logs, "ties": math.log(found.v)} if found.v > 0 else logs


def _taken(used: Sequence[tuple[Cell, float]], arm: str) -> tuple[float, float]:
    """The points that `arm` won, a tie half, and how many there were."""
    won = sum(n * (x if a == arm else 1 - x) for (a, b, x), n in used if arm in (a, b))
    return won, sum(n for (a, b, _), n in used if arm in (a, b))
