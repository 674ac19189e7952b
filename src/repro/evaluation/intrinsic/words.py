"""How different are first turns, and how much of the intent does each turn say?"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ...seeds import rng
from ...types import Estimate, Task, Trajectory
from ..stats import DIFFERENCE, SHARE, Bounds, Floats, interval_of
from .parts import Parts

_WORD = re.compile(r"[a-z0-9']+")


def first_turn_diversity(trajectories: Sequence[Trajectory], *, n_boot: int = 1000, seed: int = 0) -> Estimate:
    """Mean pairwise unigram difference of first turns: the mean of 1 - |A & B| / |A | B| over pairs of word sets.

    The interval resamples dialogues, to Student's quantiles; a dialogue drawn twice is not compared with itself. Where
    all pairs differ alike: `alike_interval`, with the n // 2 pairs that share no dialogue. Fewer than two: NaN.
    """
    first = [words for _, words in _first_turns(trajectories)]
    n, n_unscored = len(first), len(trajectories) - len(first)
    if n < 2:
        return Estimate(float("nan"), float("nan"), float("nan"), n, n_unscored, n)
    apart = _differences(first)
    return _found(apart, _means(apart, _draws(n, n_boot, seed)), SHARE, n_unscored)


def diversity_gain(a: Sequence[Trajectory], b: Sequence[Trajectory], *, n_boot: int = 1000, seed: int = 0) -> Estimate:
    """`first_turn_diversity` of `a` less that of `b`, over the tasks that both talked about, drawn anew for both."""
    mine, other = dict(_first_turns(a)), dict(_first_turns(b))
    tasks = [task for task in mine if task in other]
    n, n_unscored = len(tasks), len({t.task.id for t in [*a, *b]}) - len(tasks)
    if n < 2:
        return Estimate(float("nan"), float("nan"), float("nan"), n, n_unscored, n)
    both, drawn = [_differences([side[task] for task in tasks]) for side in (mine, other)], _draws(n, n_boot, seed)
    return _found(both[0] - both[1], _means(both[0], drawn) - _means(both[1], drawn), DIFFERENCE, n_unscored)


def _found(apart: Floats, replicates: Floats, within: Bounds, n_unscored: int) -> Estimate:
    """The mean over pairs of `apart` (n, n), and its interval."""
    n = len(apart)
    value = float(apart.sum() / (n * (n - 1)))
    low, high = interval_of(replicates, value, n_clusters=n, n_alike=n // 2, within=within)
    return Estimate(value, low, high, n, n_unscored, n)


def _first_turns(trajectories: Sequence[Trajectory]) -> list[tuple[str, set[str]]]:
    """Task and words of each first turn."""
    spoken = [t for t in trajectories if t.user_turns and not t.error]
    return [(t.task.id, set(_WORD.findall(t.user_turns[0].text.lower()))) for t in spoken]


def _differences(words: Sequence[set[str]]) -> Floats:
    """(n, n), zeros on the diagonal."""
    apart = np.zeros((len(words), len(words)))
    for i, a in enumerate(words):
        for j, b in enumerate(words[:i]):
            apart[i, j] = apart[j, i] = 1 - len(a & b) / len(a | b) if a | b else 0.0
    return apart


def _draws(n: int, n_boot: int, seed: int) -> Floats:
    return rng(seed, "diversity").multinomial(n, np.full(n, 1 / n), size=n_boot).astype(np.float64)  # (B, n)


def _means(apart: Floats, drawn: Floats) -> Floats:
    pairs = drawn.sum(1) ** 2 - (drawn**2).sum(1)
    with np.errstate(invalid="ignore"):  # a draw of one dialogue alone has no pairs and is no replicate
        return np.asarray(np.einsum("bi,ij,bj->b", drawn, apart, drawn) / pairs)


def overlap(trajectories: Sequence[Trajectory], turn: int | None = None) -> Parts:
    """The share of what is wanted (words of the intent and of each wish) that a user turn says.

    `turn` is its number (1, 2, ...); None: every turn counts. Silent turns are left out; a failed dialogue is one
    unscored item.
    """
    found = [
        (_share(t.task, said.text), t.task.id)
        for t in trajectories
        if not t.error
        for k, said in enumerate(t.user_turns, 1)
        if said.text and turn in (None, k)
    ]
    found += [(float("nan"), t.task.id) for t in trajectories if t.error]
    return Parts.mean([share for share, _ in found], [task for _, task in found])


def intent_overlap(trajectories: Sequence[Trajectory], turn: int | None = None) -> Estimate:
    """Mean unigram overlap of user turns with the intent (arXiv 2510.06552: people reveal little at a time).

    The wishes belong to the intent here. Tasks are the clusters; see `overlap`.
    """
    return overlap(trajectories, turn).found


def _share(task: Task, text: str) -> float:
    wanted = set(
        _WORD.findall(" ".join([task.intent.partition(" help ")[2], *(r.value for r in task.requirements)]).lower())
    )
    return len(wanted & set(_WORD.findall(text.lower()))) / max(1, len(wanted))
