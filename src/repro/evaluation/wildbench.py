"""How good are answers to real users' tasks?

WildBench v2 (Lin et al. 2024, arXiv 2406.04770): a task is a conversation whose last turn is the query, with a
checklist and tags. Three ways to sum up what a judge said, as the leaderboard and as arXiv 2605.09808 do it:

    WB-Score   (mean - 5) * 2 of scores from 1 to 10; the task macro is the weighted mean over five groups of tags
    WB-Reward  mean of +1, +1/2, 0, -1/2, -1; a *slight* win of the longer answer by more than K characters is a tie
    checklist  the share of points met; of two answers the one that meets more wins, equal is a tie

Records are in the leaderboard's public format. Intervals draw tasks again. What cannot be read is unscored, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from ..errors import ReproError
from ..types import Estimate
from . import stats
from .preference import NAN, Vote, win_rate
from .resampling import Floats, cluster_weights

Record = Mapping[str, Any]
K = 500  # characters; the leaderboard's usual length rule, which its "K=-1" turns off
SCORE_UNIT, REWARD_UNIT = "WB-Score", "WB-Reward"
GROUPS: Mapping[str, str] = {
    "Creative Writing": "Creative Tasks", "Editing": "Creative Tasks", "Brainstorming": "Creative Tasks",
    "Role playing": "Creative Tasks", "Others": "Creative Tasks",
    "Planning": "Planning & Reasoning", "Reasoning": "Planning & Reasoning",
    "Math": "Math & Data Analysis", "Data Analysis": "Math & Data Analysis",
    "Information seeking": "Information/Advice seeking", "Advice seeking": "Information/Advice seeking",
    "Coding & Debugging": "Coding & Debugging",
}  # fmt: skip
WEIGHTS: Mapping[str, float] = {  # allenai/WildBench, leaderboard/data_dir/_create_tables.py, at 1c8615bb
    "Creative Tasks": 0.5, "Planning & Reasoning": 1.25, "Math & Data Analysis": 1.0,
    "Information/Advice seeking": 0.75, "Coding & Debugging": 1.25,
}  # fmt: skip


def wb_score(records: Sequence[Record], *, n_boot: int = 2000, seed: int = 0) -> Estimate:
    """(mean - 5) * 2 over records with `session_id` and `score`; the leaderboard also shows ten times that."""
    shares = [(_points(r) - 1) / 9 for r in records]  # so that ten tens are as uncertain as ten wins of ten
    found = stats.estimate(shares, _ids(records), n_boot=n_boot, seed=seed, unit=SCORE_UNIT)
    return _scaled(found, 18, -8)  # (1 + 9 share - 5) * 2


def wb_task_macro(
    records: Sequence[Record], tags: Mapping[str, Sequence[str]], *, n_boot: int = 2000, seed: int = 0
) -> Estimate:
    """The mean over groups of (mean - 5) * 2 within each, by `WEIGHTS`. `tags` maps a session to its primary and
    secondary tags.

    A task counts once in each group that one of its tags belongs to, as in `_create_tables.py` of WildBench's
    repository, which makes the leaderboard's tables. Two things differ: the leaderboard leaves answers that are empty
    or cut off out of this number, and lets a group without tasks count as 0. Here every score counts, and groups
    without tasks are left out with their weight.
    """
    import numpy as np

    points = [_points(r) for r in records]
    mine = [{GROUPS[tag] for tag in _tags(r, tags)} for r in records]
    counts = np.array([[group in those for group in WEIGHTS] for those in mine], dtype=float).reshape(-1, len(WEIGHTS))
    known = np.array([p == p for p in points], dtype=bool)
    y, counts = np.array(points)[known], counts[known]
    ids = [i for i, scored in zip(_ids(records), known, strict=True) if scored]
    if not y.size:
        return Estimate(NAN, NAN, NAN, 0, len(records), 0, SCORE_UNIT)
    drawn = _macro(cluster_weights(ids, n_boot=n_boot, seed=seed), y, counts)
    value = float(_macro(np.ones((1, y.size)), y, counts)[0])
    low, high = stats.interval_of(drawn, value, n_clusters=len(set(ids)), within=(-8.0, 10.0))
    return Estimate(value, low, high, int(y.size), len(records) - int(y.size), len(set(ids)), SCORE_UNIT)


def _macro(drawn: Floats, y: Floats, counts: Floats) -> Floats:
    """For each draw (B, n) the weighted mean over groups that have tasks; `counts` (n, G) says who is in which."""
    import numpy as np

    drawn_tasks = drawn @ counts  # (B, G)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.where(drawn_tasks > 0, ((drawn * y) @ counts) / drawn_tasks, 0.0)
        weights = (drawn_tasks > 0) * np.array([*WEIGHTS.values()])
        return np.asarray(((means * weights).sum(axis=1) / weights.sum(axis=1) - 5) * 2)


def wb_reward(records: Sequence[Record], *, ours: str = "", k: int = K, n_boot: int = 2000, seed: int = 0) -> Estimate:
    """The mean reward of the model `ours` (by default `model_test`, else the first of `model_outputs`).

    A record has `session_id`, `winner` (a model, or "tie"), `extent` (2 much, 1 slightly) and `model_outputs`. K < 0
    turns the length rule off. Several records of a session, one for each order say, are one cluster.
    """
    shares = [(reward(r, ours=ours, k=k) + 1) / 2 for r in records]
    found = stats.estimate(shares, _ids(records), n_boot=n_boot, seed=seed, unit=REWARD_UNIT)
    return _scaled(found, 2, -1)


def _scaled(found: Estimate, factor: float, shift: float) -> Estimate:
    return replace(found, **{key: getattr(found, key) * factor + shift for key in ("value", "low", "high")})


def reward(record: Record, *, ours: str = "", k: int = K) -> float:
    """+1, +1/2, 0, -1/2 or -1 for `ours`; NaN where the record has no verdict."""
    outputs = record.get("model_outputs") or {}
    ours = ours or record.get("model_test") or next(iter(outputs), "")
    if ours not in outputs or len(outputs) != 2:
        raise ReproError(f"session {_id(record)} compares {sorted(outputs) or 'nothing'}; give two, one named '{ours}'")
    winner, extent = record.get("winner"), record.get("extent")
    if winner == "tie":
        return 0.0
    if winner not in outputs or extent not in (1, 2, "1", "2"):
        return NAN
    loser = next(name for name in outputs if name != winner)
    sign, much = (1.0 if winner == ours else -1.0), int(extent) == 2
    if not much and 0 <= k < len(outputs[winner]) - len(outputs[loser]):
        return 0.0
    return sign if much else sign / 2


def satisfaction(records: Sequence[Record], *, n_boot: int = 2000, seed: int = 0) -> Estimate:
    """The mean share of points met, over records with `session_id` and `met`, a truth value (or None) for each point.

    One point that is unscored makes the task unscored: half a checklist is another checklist.
    """
    return stats.estimate([_share(r) for r in records], _ids(records), n_boot=n_boot, seed=seed, unit="share of points")


def checklist_votes(a: str, ours: Sequence[Record], b: str, theirs: Sequence[Record]) -> list[Vote]:
    """A vote on each task that both answered: whose answer meets more points. Unscored where either is."""
    other = {_id(r): r for r in theirs}
    both = [(r, other[_id(r)]) for r in ours if _id(r) in other]
    if not both:
        raise ReproError(f"'{a}' and '{b}' answered no task in common; judge both on the same tasks")
    return [Vote("checklist", _id(one), a, b, None, None, _more(one, two)) for one, two in both]


def wins(votes: Sequence[Vote], *, a: str, b: str, seed: int = 0) -> dict[str, Estimate]:
    """`win_rate`: the share that `a` wins outright; `tie_adjusted`: a tie counts half. Tasks are the clusters."""
    outright = [v if v.a == a else v.flipped() for v in votes if {v.a, v.b} == {a, b}]
    won = [NAN if v.outcome != v.outcome else float(v.outcome == 1) for v in outright]
    rate = stats.estimate(won, [v.task for v in outright], seed=seed, unit="share won")
    return {"win_rate": rate, "tie_adjusted": win_rate(votes, a=a, b=b, cluster="task", seed=seed)}


def _share(record: Record) -> float:
    met = record.get("met") or [None]
    return NAN if any(one is None for one in met) else fmean(float(bool(one)) for one in met)


def _more(one: Record, two: Record) -> float:
    first, second = _share(one), _share(two)
    if first != first or second != second:
        return NAN
    if len(one["met"]) != len(two["met"]):
        raise ReproError(f"session {_id(one)} has checklists of {len(one['met'])} and {len(two['met'])} points")
    return 0.5 if math.isclose(first, second) else float(first > second)


def _points(record: Record) -> float:
    """The score of a record; what is no number from 1 to 10 is unscored."""
    try:
        score = float(record.get("score", NAN))
    except (TypeError, ValueError):
        return NAN
    return score if 1 <= score <= 10 else NAN


def _id(record: Record) -> str:
    if "session_id" not in record:
        raise ReproError(f"a record without session_id has {', '.join(sorted(record)) or 'nothing'}; give its session")
    return str(record["session_id"])


def _ids(records: Sequence[Record]) -> list[str]:
    return [_id(record) for record in records]


def _tags(record: Record, tags: Mapping[str, Sequence[str]]) -> Sequence[str]:
    mine = tags.get(_id(record), ())
    if unknown := [tag for tag in mine if tag not in GROUPS] or (["no tag"] if not mine else []):
        raise ReproError(f"session {_id(record)} has '{unknown[0]}'; tags are {', '.join(GROUPS)}")
    return mine
