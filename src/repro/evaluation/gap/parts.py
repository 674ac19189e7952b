"""Does the gap differ between parts of the conversations, and can a representation tell known kinds of users apart?

Clusters stay those of all conversations; only some of them are counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import ReproError
from ...seeds import rng
from .certainty import Certainty, Side, compare
from .conversations import Conversation
from .gap import Gaps

Which = Callable[[Conversation], bool]


def part(gaps: Gaps, simulator: str, keep: Which, **how: Any) -> Certainty:
    """The gap of one simulator in the conversations that `keep` keeps; `how` is what `compare` takes."""
    if simulator not in gaps.results:
        raise ReproError(f"no simulator '{simulator}' in these gaps; have {', '.join(gaps.results)}")
    return compare(_of(gaps, "real", keep), _of(gaps, simulator, keep), k=gaps.k, **how)


def between(gaps: Gaps, belongs: Which, *, seed: int = 0, **how: Any) -> Certainty:
    """How far real users of one kind are from the others, with as many users of either kind.

    Where the kinds are known to differ, the representation that finds the most is the best one.
    """
    sides = [_of(gaps, "real", belongs), _of(gaps, "real", lambda one: not belongs(one))]
    n = min(len({*side.users}) for side in sides)
    return compare(*(_some(side, n, seed) for side in sides), k=gaps.k, seed=seed, **how)


def _of(gaps: Gaps, name: str, keep: Which) -> Side:
    side = gaps.labels[name]
    kept = [i for i, one in enumerate(gaps.conversations[name]) if keep(one)]
    if not kept:
        raise ReproError(f"no conversation of '{name}' is in this part; choose a larger one")
    return Side(side.labels[kept], [side.users[i] for i in kept])


def _some(side: Side, n: int, seed: int) -> Side:
    """The conversations of n of the users."""
    users = [*dict.fromkeys(side.users)]
    chosen = {users[i] for i in rng(seed, "some").permutation(len(users))[:n]}
    kept = [i for i, user in enumerate(side.users) if user in chosen]
    return Side(side.labels[kept], [side.users[i] for i in kept])
