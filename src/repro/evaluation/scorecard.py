"""What is a simulator worth?

Its score card as plain data. Utility is what counts (arXiv 2605.09808): how users like the assistant that was trained
against it. Beside it stand the contract, how it talks and reference users talk, how far what it does is from what they
do (`gap/`), whether what the assistant learned carries over to other users (`transfer.py`), and what it costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..types import Estimate
from .contract import Check

if TYPE_CHECKING:
    import pandas as pd

_KEPT = ("value", "low", "high", "n", "n_unscored")


def card(
    name: str, *, contract: Sequence[Check], realism: pd.DataFrame, utility: Mapping[str, Estimate],
    gap: Mapping[str, Estimate], generalisation: Mapping[str, Estimate], cost: Mapping[str, float],
    made_with: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """`realism` has columns simulator, measure, value, low, ..., with rows of `name` and of `oracle`; `utility` holds
    win rates over the initial assistant by arm; `gap` divergences from reference users (nats) by simulator;
    `generalisation` is what `transfer` gives."""
    sides = [realism[realism.simulator == side].set_index("measure") for side in (name, "oracle")]
    mine, users = ({measure: _of(dict(row)) for measure, row in side.iterrows()} for side in sides)
    return {
        "simulator": name,
        "made_with": dict(made_with),
        "contract": [asdict(check) for check in contract],
        "realism": {m: {"simulator": mine[m], "reference_users": users[m]} for m in mine if m in users},
        "utility": {f"{arm}_vs_initial": e.row for arm, e in utility.items()},
        "gap": {simulator: e.row for simulator, e in gap.items()},
        "generalisation": {key: e.row for key, e in generalisation.items()},
        "cost": dict(cost),
    }


def _of(row: Mapping[str, Any]) -> dict[str, float]:
    return {key: float(row[key]) for key in _KEPT}
