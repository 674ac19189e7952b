"""Does what an assistant learned with one user carry over to others?

Assistants by simulators, all about the same tasks. Users differ in how easy they make it for any assistant, so what is
compared is the gain over the initial assistant with the same user, paired by task:

    gain(a, s) = met(a, s) - met(initial, s),    generalisation gap of a = gain(a, own) - mean over others of gain(a, s)

With some users anybody gains more, and then a gap says nothing of what was learned there. `beyond` is the gap of a,
less the mean gap that the assistants which were trained elsewhere show at that same user.

arXiv 2605.09808 finds that assistants trained against role-play do well with it and not with others, and that those
trained against a fine-tuned user do well with all.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from ..errors import ReproError
from ..scoring.rules import RequirementsMet
from ..types import Estimate, Trajectory
from .simulated_study import Trained
from .stats import DIFFERENCE, Bounds, Clusters, estimate, minimum_detectable_effect

if TYPE_CHECKING:
    import pandas as pd

Held = Mapping[str, Sequence[Trajectory]]  # by simulator, the same tasks in the same order
Gains = Mapping[str, Sequence[float]]  # by simulator, a value for each task
Grid = Mapping[Trained, Held]  # by assistant: arm and training seed
UNIT = "share of requirements"


def gains(before: Held, after: Held) -> dict[str, list[float]]:
    """Per simulator and task: what one assistant meets more than another. NaN: one of the dialogues failed."""
    met = RequirementsMet()
    return {
        user: [b.value - a.value for a, b in zip(met(before[user]), met(after[user]), strict=True)] for user in after
    }


def transfer(before: Held, after: Held | Sequence[Held], *, own: str) -> dict[str, Estimate]:
    """`gain.<simulator>` for each, `others` (the mean over all but `own`) and `gap` (own less others).

    `after` holds an assistant's dialogues, or one such mapping for each training seed; tasks and seeds are clusters.
    """
    runs = [gains(before, held) for held in ([after] if isinstance(after, Mapping) else after)]
    found = _found(runs, own)
    return {key: estimate(*each, within=_within(key), unit=UNIT) for key, each in found.items()}


def _within(key: str) -> Bounds:
    """A gain is a difference of two shares, a gap one of two gains, and what is beyond one of two gaps."""
    return {"gap": (-2.0, 2.0), "beyond": (-4.0, 4.0)}.get(key, DIFFERENCE)


def _found(runs: Sequence[Gains], own: str) -> dict[str, tuple[list[float], Clusters]]:
    users = list(runs[0]) if runs else []
    if own not in users or len(users) < 2:
        raise ReproError(f"a gap takes '{own}' and another simulator; have {', '.join(users) or 'none'}")
    by_user = {f"gain.{user}": _over([run[user] for run in runs]) for user in users}
    others, gaps = ([of(run, own) for run in runs] for of in (_others, _gaps))
    return by_user | {"others": _over(others), "gap": _over(gaps)}


def _others(run: Gains, own: str) -> list[float]:
    """By task, the mean gain with all simulators but `own`."""
    return [fmean(v) for v in zip(*(run[user] for user in run if user != own), strict=True)]


def _gaps(run: Gains, own: str) -> list[float]:
    """By task, the gain with `own` less the mean gain with the others."""
    return [a - b for a, b in zip(run[own], _others(run, own), strict=True)]


def _beyond(runs: Sequence[Gains], own: str, elsewhere: Sequence[Sequence[Gains]]) -> tuple[list[float], Clusters]:
    """The gaps of all runs less the mean gap at `own` of the arms `elsewhere`, each the mean of its training seeds."""
    theirs = [[fmean(v) for v in zip(*(_gaps(run, own) for run in arm), strict=True)] for arm in elsewhere]
    usual = [fmean(v) for v in zip(*theirs, strict=True)]
    return _over([[a - b for a, b in zip(_gaps(run, own), usual, strict=True)] for run in runs])


def _over(runs: Sequence[Sequence[float]]) -> tuple[list[float], Clusters]:
    """The values of all runs (training seeds), and what they belong to: tasks and runs."""
    tasks: list[Hashable] = [i for run in runs for i in range(len(run))]
    seeds: list[Hashable] = [k for k, run in enumerate(runs) for _ in run]
    return [value for run in runs for value in run], {"task": tasks, "seed": seeds}


def grid_table(grid: Grid) -> pd.DataFrame:
    """What is met in each cell: columns arm, simulator, own, measure ("met"), value, low, high, n, n_unscored."""
    import pandas as pd

    met, rows = RequirementsMet(), []
    for arm in dict.fromkeys(arm for arm, _ in grid):
        runs = [held for (a, _), held in grid.items() if a == arm]
        for user in runs[0]:
            found = estimate(*_over([[score.value for score in met(held[user])] for held in runs]))
            rows.append({"arm": arm, "simulator": user, "own": arm == user, "measure": "met", **found.row})
    return pd.DataFrame(rows)


def transfer_table(grid: Grid) -> pd.DataFrame:
    """`transfer` of every trained arm, and `beyond`: arm, measure, value, low, high, n, n_unscored, mde, n_seeds."""
    import pandas as pd

    rows, by_arm = [], _by_arm(grid)
    for arm, runs in by_arm.items():
        elsewhere = [by_arm[other] for other in by_arm if other != arm]
        beyond = {"beyond": _beyond(runs, arm, elsewhere)} if elsewhere else {}
        for key, (values, clusters) in (_found(runs, arm) | beyond).items():
            found = estimate(values, clusters, within=_within(key), unit=UNIT)
            mde = minimum_detectable_effect(values, clusters)
            rows.append({"arm": arm, "measure": key, **found.row, "mde": mde, "n_seeds": len(runs)})
    return pd.DataFrame(rows)


def transfer_numbers(table: pd.DataFrame) -> dict[str, Estimate]:
    """`transfer_table` for numbers.json: `transfer.<arm>.<what>`, with `mde` and `n_seeds`, which a verdict reads."""
    numbers = {}
    for r in table.to_dict("records"):
        about, counts = f"{r['arm']}.{r['measure']}", (r["n"], r["n_unscored"])
        numbers[f"transfer.{about}"] = Estimate(r["value"], r["low"], r["high"], *counts, unit=UNIT)
        numbers[f"mde.{about}"] = Estimate(r["mde"], math.nan, math.nan, *counts, unit=UNIT)
        numbers[f"n_seeds.{about}"] = Estimate(r["n_seeds"], math.nan, math.nan, *counts, unit="seeds")
    return numbers


def _by_arm(grid: Grid) -> dict[str, list[dict[str, list[float]]]]:
    """The trained arms, each with the gains of its training seeds."""
    arms = dict.fromkeys(arm for arm, seed in grid if seed is not None)
    before = grid["initial", None]
    return {arm: [gains(before, held) for (a, _), held in grid.items() if a == arm] for arm in arms}
