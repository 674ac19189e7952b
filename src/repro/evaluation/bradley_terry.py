"""How good is each assistant, on one scale, from all pairs at once?

Bradley and Terry's model with ties, as Newman (2023, JMLR 24, 1-25) fits it, through evalica:

    P(i beats j) = s_i / (s_i + s_j + 2 v sqrt(s_i s_j)),    P(tie) = 2 v sqrt(s_i s_j) / (the same)

Strengths are log s, less that of a reference arm. They exist within a group of arms each of which took points from each
other, directly or through others (Ford 1957, American Mathematical Monthly 64, 28-33). Without ties v is 0, and the
model Bradley and Terry's own. Intervals fit again with participants drawn anew as clusters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..errors import ReproError
from ..types import Estimate
from .alike import interval_of
from .preference import NAN, Vote
from .resampling import Floats, cluster_weights

Cell = tuple[str, str, float]  # a, b, outcome
UNIT = "log strength"
LIMIT = 20_000  # steps of a fit; with one tie in a thousand votes it takes about that many


def strengths(
    votes: Sequence[Vote], *, reference: str = "initial", n_boot: int = 500, seed: int = 0
) -> dict[str, Estimate]:
    """Each arm's log strength less that of `reference`, and under "ties" log v.

    NaN outside of the reference's group: for an arm that no votes link to it, or only votes that all went one way, as
    for one that always won. Where each draw gives the same strength it has no interval (NaN). `n` counts the votes on
    the arm. Training seeds are not resampled: it speaks of the assistants that were compared.
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
        value, again = fitted.get(name, NAN), np.array([one.get(name, NAN) for one in drawn])
        low, high = interval_of(again, value, n_clusters=len(set(people)), within=None)
        about = [vote for vote in votes if name in (vote.a, vote.b, "ties")]
        n = sum(vote.outcome == vote.outcome for vote in about)
        low, high = (low, high) if value == value else (NAN, NAN)
        found[name] = Estimate(value, low, high, n, len(about) - n, len(set(people)), UNIT)
    return found


def _fit(cells: Sequence[Cell], counts: Floats, reference: str) -> Mapping[str, float]:
    """Log strengths for these counts, of the arms in the group of `reference`; none if it is alone in it."""
    import evalica
    import pandas as pd

    cast = [(cell, float(n)) for cell, n in zip(cells, counts, strict=True) if n]
    arms = _group([cell for cell, _ in cast], reference)
    used = [((a, b, x), n) for (a, b, x), n in cast if a in arms and b in arms]
    if not used:
        return {}
    winner = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    place = {name: i for i, name in enumerate(sorted(arms))}
    xs, ys = [place[a] for (a, _, _), _ in used], [place[b] for (_, b, _), _ in used]  # names cost most of the time
    outcomes, weights = [winner[cell[2]] for cell, _ in used], [n for _, n in used]
    tied = any(cell[2] == 0.5 for cell, _ in used)
    fit = evalica.newman if tied else evalica.bradley_terry  # without ties Newman's goes round in circles
    found = fit(xs, ys, outcomes, index=pd.RangeIndex(len(place)), weights=weights, limit=LIMIT)
    if found.iterations >= LIMIT:
        return {}
    scores = dict(zip(found.scores.index, found.scores.to_numpy(), strict=True))
    logs = {arm: math.log(scores[place[arm]] / scores[place[reference]]) for arm in arms}
    return {**logs, "ties": math.log(found.v)} if tied else logs


def _group(cells: Sequence[Cell], reference: str) -> set[str]:
    """The arms that took points from `reference` and lost points to it, directly or through others."""
    took = {(a, b) for a, b, x in cells if x > 0} | {(b, a) for a, b, x in cells if x < 1}
    return _reached(reference, took) & _reached(reference, {(b, a) for a, b in took})


def _reached(start: str, steps: set[tuple[str, str]]) -> set[str]:
    found = {start}
    while more := {b for a, b in steps if a in found} - found:
        found |= more
    return found
