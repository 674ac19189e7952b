"""What was measured of each simulator, in one table?

Tidy: simulator, measure, value, low, high, n, n_unscored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...types import Estimate, Trajectory, Turn
from ..stats import SHARE
from .endings import reactions
from .moments import Moment
from .parts import Parts, gain
from .words import diversity_gain, first_turn_diversity, intent_overlap

if TYPE_CHECKING:
    import pandas as pd

Measured = Mapping[str, Mapping[str, Parts]]  # by measure, then by simulator
_LESS_IS_MORE = ("surprise", "intent_overlap", "role_change")  # what users have less of than role-play


def realism_table(
    spoken: Mapping[str, Sequence[Trajectory]], reacted: Mapping[str, Sequence[Turn]], moments: Sequence[Moment]
) -> pd.DataFrame:
    """How different first turns are, what each turn gives away, and what is said where users spoke."""
    import pandas as pd

    rows = []
    for name, trajectories in spoken.items():
        found = {"first_turn_diversity": first_turn_diversity(trajectories)}
        found |= {f"overlap_turn_{k}": intent_overlap(trajectories, k) for k in (1, 2, 3)}
        found |= reactions(reacted[name], moments) if name in reacted else {}
        rows += [{"simulator": name, "measure": measure, **e.row} for measure, e in found.items()]
    return pd.DataFrame(rows)


def intrinsic_table(spoken: Mapping[str, Sequence[Trajectory]], measured: Measured) -> pd.DataFrame:
    """The paper's measures: first turns' diversity from `spoken`, perplexity as exp(surprise), the rest as they are."""
    import pandas as pd

    found = {("first_turn_diversity", name): first_turn_diversity(held) for name, held in spoken.items()}
    for measure, by_simulator in measured.items():
        for name, parts in by_simulator.items():
            found[measure, name] = parts.found
    rows = []
    for (measure, name), e in found.items():
        row = e.row
        if measure == "surprise":
            measure, row = "perplexity", row | {key: float(np.exp(row[key])) for key in ("value", "low", "high")}
        rows.append({"simulator": name, "measure": measure, **row})
    return pd.DataFrame(rows)


def intrinsic_gains(
    spoken: Mapping[str, Sequence[Trajectory]], measured: Measured, *, of: str, over: str
) -> dict[str, Estimate]:
    """`intrinsic_gain.<measure>`: how much more like users the simulator `of` is than `over`, paired by task.

    Perplexity is compared as its log (nats). Of `_LESS_IS_MORE` users have less: there the sign is turned.
    """
    found = {"intrinsic_gain.first_turn_diversity": diversity_gain(spoken[of], spoken[over])}
    for measure, by_simulator in measured.items():
        pair = (by_simulator[of], by_simulator[over])
        named = "perplexity" if measure == "surprise" else measure
        found[f"intrinsic_gain.{named}"] = gain(*(pair[::-1] if measure in _LESS_IS_MORE else pair))
    return found


def rooms(measured: Measured, *, over: str) -> dict[str, Estimate]:
    """`room.<measure>`: the most by which any simulator could exceed `over`, in shares that users have more of."""
    has = {measure: by[over] for measure, by in measured.items() if measure not in _LESS_IS_MORE}
    found = {f"room.{measure}": parts.found for measure, parts in has.items() if parts.within == SHARE}
    return {key: replace(e, value=1 - e.value, low=1 - e.high, high=1 - e.low) for key, e in found.items()}
