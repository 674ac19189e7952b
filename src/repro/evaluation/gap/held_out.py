"""How near does a mixture come to users that it was not fitted to?

Weights are fitted to one random half of the users, with what simulators said in their place, and judged on the other.
All distances are Jensen-Shannon divergences in nats, less what small samples put on (`ByUser.mixture_js`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...seeds import rng
from .by_user import ByUser, by_user
from .divergence import Floats, jensen_shannon
from .gap import Gaps
from .mixtures import Mixture, greedy_path, optimal_mixture

if TYPE_CHECKING:
    import pandas as pd

MOST = 6  # simulators in a mixture that is shown
GAIN = 1e-6  # nats, and weights: what is less is nothing


@dataclass(frozen=True)
class HeldOut:
    """A mixture that was fitted to one half of the users, and how far it and others are from the other half."""

    names: tuple[str, ...]
    mixture: Mixture  # on the half it was fitted to; its `js` is plain
    js: float
    js_of_each: tuple[float, ...]  # of each simulator alone
    js_of_users: float  # between the two halves of the users
    nearest: str  # the simulator that is nearest to the half that the mixture was fitted to

    @property
    def js_of_nearest(self) -> float:
        return self.js_of_each[self.names.index(self.nearest)]


def held_out_mixture(gaps: Gaps, names: Sequence[str] | None = None, *, seed: int = 0) -> HeldOut:
    """The best mixture of the simulators called `names` (all of them by default)."""
    chosen = tuple(names or gaps.results)
    seen, first, second = _halves(gaps, chosen, seed)
    p, q = seen.shares(first, chosen)
    mixture = optimal_mixture(p, q)
    return HeldOut(
        chosen,
        mixture,
        seen.mixture_js(second, dict(zip(chosen, mixture.weights, strict=True))),
        tuple(seen.mixture_js(second, {name: 1.0}) for name in chosen),
        _between(seen.counts["real"], first),
        chosen[int(np.argmin([jensen_shannon(p, row) for row in q]))],
    )


def path_table(gaps: Gaps, *, seed: int = 0) -> pd.DataFrame:
    """The best mixture of 1, 2, ... simulators for as long as another one helps: size, added, js (on the half that it
    was fitted to), js_held_out (on the other half), and a weight.<name> for each."""
    import pandas as pd

    names = [*gaps.results]
    seen, first, second = _halves(gaps, names, seed)
    p, q = seen.shares(first, names)
    path = greedy_path(p, q, n_most=MOST)
    helps = [one for one, before in zip(path, [None, *path], strict=False) if not before or before.js - one.js > GAIN]
    rows, used = [], set[str]()
    for size, one in enumerate(helps, 1):
        weights = dict(zip(names, one.weights, strict=True))
        added = ", ".join(name for name in names if weights[name] > GAIN and name not in used)
        js, js_held_out = (seen.mixture_js(half, weights) for half in (first, second))
        kept = {f"weight.{name}": weight for name, weight in weights.items()}
        rows.append({"size": size, "added": added, "js": js, "js_held_out": js_held_out, **kept})
        used |= {name for name in names if weights[name] > GAIN}
    return pd.DataFrame(rows)


def _halves(gaps: Gaps, names: Sequence[str], seed: int) -> tuple[ByUser, Floats, Floats]:
    """Who had which conversations, and two halves of the users, 1 or 0, (users,)."""
    seen = by_user({name: (gaps.labels[name], gaps.k) for name in ("real", *names)})
    return seen, *seen.halves(rng(seed, "halves"))


def _between(real: Floats, first: Floats) -> float:
    """How far one half of the users is from the other."""
    halves = {"real": first[:, None] * real, "others": (1 - first)[:, None] * real}
    return ByUser(halves).mixture_js(np.ones(len(first)), {"others": 1.0})
