"""Who compares which pair, about which task, with whom first?

A rotation over pairs, orders and tasks. Let there be m pairs, T tasks and k <= m comparisons a participant. A *block*
is 2m places; place r = i + m h (i < m, h = 0 or 1) compares as its j-th comparison the pair (i + j) mod m, its first
assistant shown first if h + j is even. So in every block each pair meets each j with each of its two assistants first
exactly once: pairs, orders and position in the session are counterbalanced, nobody sees a pair twice, and no
participant always sees the same kind of order. A *round* is T blocks; block t of a round gives place r as its j-th task
number (t + r + j) mod T, so that over a round each of those cells meets each task exactly once, and nobody gets a
task twice. Pairs and tasks are shuffled anew from round to round, so that neighbours change.

People take the lowest free place. Who withdraws or runs out of time frees it, and the next newcomer fills the hole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from repro.errors import ReproError

from ..seeds import rng


@dataclass(frozen=True)
class Assigned:
    """One comparison of a place: `a` and `b` as the study names them, `first` the one that is shown as A."""

    a: str
    b: str
    first: str
    task: str


def assignments(
    place: int, *, pairs: Sequence[tuple[str, str]], tasks: Sequence[str], n_comparisons: int, seed: int
) -> list[Assigned]:
    """The comparisons of a place in the schedule (0, 1, ...), in order."""
    m, n_tasks = len(pairs), len(tasks)
    if place < 0 or not 1 <= n_comparisons <= min(m, n_tasks):
        raise ReproError(f"place {place} with {n_comparisons} comparisons of {m} pairs on {n_tasks} tasks cannot be")
    block, row = divmod(place, 2 * m)
    lap, t = divmod(block, n_tasks)
    of_pairs = rng(seed, "study", "pairs", lap).permutation(m)
    of_tasks = rng(seed, "study", "tasks", lap).permutation(n_tasks)
    half, i = divmod(row, m)
    found = []
    for j in range(n_comparisons):
        a, b = pairs[int(of_pairs[(i + j) % m])]
        task = tasks[int(of_tasks[(t + row + j) % n_tasks])]
        found.append(Assigned(a, b, a if (half + j) % 2 == 0 else b, task))
    return found


def free_place(taken: Sequence[int]) -> int:
    """The lowest place that nobody holds."""
    held = set(taken)
    return next(place for place in range(len(held) + 1) if place not in held)
