"""What is a simulator worth?

Utility is what counts (arXiv 2605.09808): how users like the assistant that was trained against it. Beside it is how
far what that assistant learned carries to other users: its gain over the initial assistant with each simulator,

    gain(s) = met(trained, s) - met(initial, s),    generalisation gap = gain(own) - mean of gain(other)

paired by task. The gain, not what is met, is compared, because some users make it easy for any assistant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ..errors import ReproError
from ..scoring.rules import RequirementsMet
from ..types import Estimate, Trajectory
from .contract import Check
from .stats import estimate

if TYPE_CHECKING:
    import pandas as pd

Held = Mapping[str, Sequence[Trajectory]]  # by simulator, the same tasks in the same order


def gains(before: Held, after: Held) -> dict[str, list[float]]:
    """Per simulator and task: what the trained assistant meets more than the initial one. NaN: one of them failed."""
    met = RequirementsMet()
    return {
        user: [b.value - a.value for a, b in zip(met(before[user]), met(after[user]), strict=True)] for user in after
    }


def gain_table(before: Held, after: Held) -> pd.DataFrame:
    """A row per simulator: columns simulator, measure ("gain"), value, low, high, n, n_unscored."""
    import pandas as pd

    found = {user: estimate(gain, range(len(gain))) for user, gain in gains(before, after).items()}
    return pd.DataFrame([{"simulator": user, "measure": "gain", **_plain(e)} for user, e in found.items()])


def generalisation_gap(before: Held, after: Held, *, own: str) -> Estimate:
    """Own gain minus the mean gain with all others; above 0: what was learned is about this user in particular."""
    found = gains(before, after)
    others = [gain for user, gain in found.items() if user != own]
    if own not in found or not others:
        raise ReproError(f"a gap takes '{own}' and another simulator; have {', '.join(found)}")
    rest = [fmean(values) for values in zip(*others, strict=True)]
    differences = [mine - other for mine, other in zip(found[own], rest, strict=True)]
    return estimate(differences, range(len(differences)), unit="share of requirements")


def card(
    name: str, *, contract: Sequence[Check], realism: pd.DataFrame, utility: Mapping[str, Estimate],
    gains: pd.DataFrame, gap: Estimate, cost: Mapping[str, float], made_with: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """The score card as plain data. `realism` has rows of `name` and of `oracle`; `gains` is `gain_table`'s."""
    sides = {side: realism[realism.simulator == side].set_index("measure") for side in (name, "oracle")}
    mine, users = sides[name], sides["oracle"]
    return {
        "simulator": name,
        "made_with": dict(made_with),
        "contract": [asdict(check) for check in contract],
        "realism": {
            measure: {"simulator": _of(mine.loc[measure]), "reference_users": _of(users.loc[measure])}
            for measure in mine.index
            if measure in users.index
        },
        "utility": {f"{arm}_vs_initial": _plain(e) for arm, e in utility.items()},
        "generalisation": {f"gain_with_{user}": _of(row) for user, row in gains.set_index("simulator").iterrows()}
        | {"gap": _plain(gap)},
        "cost": dict(cost),
    }


def _plain(e: Estimate) -> dict[str, float]:
    return {"value": e.value, "low": e.low, "high": e.high, "n": e.n, "n_unscored": e.n_unscored}


def _of(row: Any) -> dict[str, float]:
    return {key: float(row[key]) for key in ("value", "low", "high", "n", "n_unscored")}
