"""Which conversations did each user have, on every side?

A user is one row on all sides, with no conversations where they took no part. Halves and weights are those of rows, so
that the conversations of one user stay together, and with them what simulators said in that user's place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...errors import ReproError
from .certainty import Side
from .divergence import Floats, jensen_shannon, js_rows
from .quantize import Labels

FEWEST = 4  # users of a side: two in each half, of whom one can be left out


@dataclass(frozen=True)
class ByUser:
    """How many conversations of each kind each user had: (users, k) by side, the same users in each."""

    counts: Mapping[str, Floats]

    @property
    def n(self) -> int:
        """Users on any side."""
        return len(next(iter(self.counts.values())))

    def halves(self, draws: np.random.Generator) -> tuple[Floats, Floats]:
        """A random half of the users and the others, 1 or 0, (users,): half of those with the same sides each."""
        first = np.zeros(self.n)
        first[np.lexsort((draws.random(self.n), self._kinds))[draws.integers(2) :: 2]] = 1
        return first, 1 - first

    @cached_property
    def _kinds(self) -> Labels:
        """A number for each user, the same for those who are on the same sides, (users,)."""
        there = np.stack([each.any(1) for each in self.counts.values()], axis=1)
        return np.unique(there, axis=0, return_inverse=True)[1].reshape(-1)

    def shares(self, users: Floats, names: Sequence[str]) -> tuple[Floats, Floats]:
        """Of each kind, (k,), of real users who count as much as `users` says, (users,), and of simulators, (s, k)."""
        return _shares(users @ self.counts["real"]), np.stack([_shares(users @ self.counts[name]) for name in names])

    def mixture_js(self, users: Floats, weights: Mapping[str, float]) -> float:
        """The Jensen-Shannon divergence (nats) of a mixture from real users, less what small samples put on.

        `users` says how much each user counts, (users,); `weights` are those of simulators. The excess is what leaving
        out one user at a time finds, on all sides at once (the jackknife; Efron and Stein 1981): a mixture of several
        simulators rests on more conversations than one of them, and has less of it.
        """
        seen, n = users > 0, np.count_nonzero(users)

        def without(name: str) -> tuple[Floats, Floats]:
            """Shares of all users, (k,), and without each of them, (users seen, k)."""
            rows = users[seen, None] * self.counts[name][seen]
            return _shares(rows.sum(0)), _shares(rows.sum(0) - rows)

        p, p_without = without("real")
        q, q_without = np.zeros_like(p), np.zeros_like(p_without)
        for name, weight in weights.items():
            if weight > 0:
                both = without(name)
                q, q_without = q + weight * both[0], q_without + weight * both[1]
        found = jensen_shannon(p, q)
        return found - (n - 1) * (float(js_rows(p_without, q_without).mean()) - found)


def by_user(sides: Mapping[str, tuple[Side, int]]) -> ByUser:
    """From the sides by name, each with its number of kinds; fewer than `FEWEST` users of a side raise."""
    users = {user: i for i, user in enumerate(dict.fromkeys(u for side, _ in sides.values() for u in side.users))}
    counts = {}
    for name, (side, k) in sides.items():
        here = [users[user] for user in dict.fromkeys(side.users)]
        if len(here) < FEWEST:
            raise ReproError(f"halves of {len(here)} users ({name}) are too small; give {FEWEST} users or more")
        counts[name] = np.zeros((len(users), k))
        counts[name][here] = side.counts(k)
    return ByUser(counts)


def _shares(counts: Floats) -> Floats:
    """Scaled to sum to 1 over the last axis."""
    return np.asarray(counts / counts.sum(-1, keepdims=True))
