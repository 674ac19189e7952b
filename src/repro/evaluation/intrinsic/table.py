"""All measures of each simulator, as a tidy table?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...types import Trajectory, Turn
from .endings import reactions
from .moments import Moment
from .words import first_turn_diversity, intent_overlap

if TYPE_CHECKING:
    import pandas as pd


def realism_table(
    spoken: Mapping[str, Sequence[Trajectory]], reacted: Mapping[str, Sequence[Turn]], moments: Sequence[Moment]
) -> pd.DataFrame:
    """Columns simulator, measure, value, low, high, n, n_unscored."""
    import pandas as pd

    rows = []
    for name, trajectories in spoken.items():
        found = {"first_turn_diversity": first_turn_diversity(trajectories)}
        found |= {f"overlap_turn_{k}": intent_overlap(trajectories, k) for k in (1, 2, 3)}
        found |= reactions(reacted[name], moments) if name in reacted else {}
        rows += [{"simulator": name, "measure": measure, **e.row} for measure, e in found.items()]
    return pd.DataFrame(rows)
