"""Which assistant would the reference users choose?

Each held-out reference user has one held-out task, talks about it to every assistant in a balanced order, and prefers
by an own utility. The utility is not the training reward: users weigh their requirements differently and mind effort
differently, and both are the user's own traits (ours, drawn by user id):

    utility = sum(w_i met_i) / sum(w_i) - c * (user turns - 1),   w_i in {1, 2, 3},   c = 0.08 / patience

Two assistants whose utilities differ by less than `MARGIN` are a tie. Reference users are no people: what they prefer
is what they were written to want.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..data.population import traits_of
from ..scoring.base import Scorer
from ..scoring.rules import RequirementsMet
from ..seeds import derive
from ..simulators.roleplay import out_of_role
from ..training.curves import measures
from ..types import Estimate, Score, Trajectory
from .preference import Utility, Vote, votes_from
from .stats import SHARE, Clusters, estimate

if TYPE_CHECKING:
    import pandas as pd

MARGIN = 0.05  # ours: a fifth of one requirement of four
Trained = tuple[str, int | None]  # arm and training seed; None: not trained
MEASURES = ("asks_first", "revealed", "met", "assistant_turns", "words", "user_words", "ends_asking", "truncated")
USER_MEASURES = ("first_turn_words", "revealed_first", "revealed", "words_per_turn", "ends", "out_of_role", "redrawn")
COUNTS = ("assistant_turns", "words", "user_words", "first_turn_words", "words_per_turn")  # the others are shares


def utility(trajectory: Trajectory) -> Score:
    """What the dialogue was worth to its user; NaN if it failed."""
    score = RequirementsMet()([trajectory])[0]
    if score.unscored:
        return score
    task = trajectory.task
    weights = [1 + derive(0, "weight", task.user_id, r.key) % 3 for r in task.requirements]
    gain = sum(w * hit for w, hit in zip(weights, score.details["met"], strict=True)) / sum(weights)
    return Score(gain - 0.08 / traits_of(task.user_id).patience * max(0, trajectory.n_user_turns - 1))


def utilities(held: Mapping[Trained, Sequence[Trajectory]]) -> list[Utility]:
    """One per user and assistant. `place` is when the user met it: rotated over pairs of users, the second of a pair
    in reverse, so that each assistant is met at each place, and before each other one, as often as not."""
    out = []
    order = list(held)
    for k, trained in enumerate(order):
        for i, trajectory in enumerate(held[trained]):
            turned = (k + i // 2) % len(order)
            place = 1 + (len(order) - 1 - turned if i % 2 else turned)
            task = trajectory.task
            out.append(Utility(task.user_id, task.id, trained[0], trained[1], utility(trajectory).value, place))
    return out


def scorer_votes(scorer: Scorer, held: Mapping[Trained, Sequence[Trajectory]], *, margin: float = 0.0) -> list[Vote]:
    """The votes that a scorer casts, as a judge would, on the comparisons that participants can make."""
    worth = [
        Utility(scorer.name, trajectory.task.id, arm, training_seed, score.value)
        for (arm, training_seed), trajectories in held.items()
        for trajectory, score in zip(trajectories, scorer(trajectories), strict=True)
    ]
    return votes_from(worth, margin=margin)


def answer_words(held: Mapping[Trained, Sequence[Trajectory]]) -> dict[tuple[str, str], int]:
    """How much each assistant wrote on each task, in words: by (task, arm)."""
    return {
        (trajectory.task.id, arm): sum(turn.n_words for turn in trajectory.assistant_turns)
        for (arm, _), trajectories in held.items()
        for trajectory in trajectories
    }


def behaviour_table(held: Mapping[Trained, Sequence[Trajectory]]) -> pd.DataFrame:
    """What each arm's assistants do: columns arm, measure, value, low, high, n, n_unscored. Users and training seeds
    are the clusters."""
    import pandas as pd

    arms = dict.fromkeys(arm for arm, _ in held)
    rows = []
    for arm in arms:
        both = [(t, seed) for (a, seed), ts in held.items() if a == arm for t in ts]
        per_dialogue = [_measured(t) for t, _ in both]
        users, seeds = [t.task.user_id for t, _ in both], [seed for _, seed in both]
        clusters: dict[str, Sequence[Hashable]] = {"participant": users, "seed": seeds}
        for measure in MEASURES:
            e = _mean(measure, per_dialogue, clusters)
            rows.append({"arm": arm, "measure": measure, **e.row})
    return pd.DataFrame(rows)


def _mean(measure: str, rows: Sequence[Mapping[str, float]], clusters: Clusters) -> Estimate:
    return estimate([row[measure] for row in rows], clusters, within=None if measure in COUNTS else SHARE)


def _measured(trajectory: Trajectory) -> dict[str, float]:
    if trajectory.error:
        return dict.fromkeys(MEASURES, math.nan)
    return measures(trajectory) | {"met": RequirementsMet()([trajectory])[0].value}


def user_table(held: Mapping[str, Sequence[Trajectory]]) -> pd.DataFrame:
    """What each simulator does: columns simulator, measure, value, low, high, n, n_unscored. Tasks are the clusters.

    `out_of_role` is the role-player's own detector, applied to every simulator alike: what it reports of reference
    users is its rate of false alarms.
    """
    import pandas as pd

    rows = []
    for name, trajectories in held.items():
        per_dialogue = [_user_measured(t) for t in trajectories]
        for measure in USER_MEASURES:
            e = _mean(measure, per_dialogue, [t.task.id for t in trajectories])
            rows.append({"simulator": name, "measure": measure, **e.row})
    return pd.DataFrame(rows)


def _user_measured(trajectory: Trajectory) -> dict[str, float]:
    from ..data.acts import mentions

    if trajectory.error:
        return dict.fromkeys(USER_MEASURES, math.nan)
    turns = trajectory.user_turns
    spoken = [turn for turn in turns if turn.text or not turn.ends]  # a silent leave is no turn
    first, wants = (turns[0].text if turns else ""), trajectory.task.requirements
    strayed = [out_of_role(t.text, trajectory.turns[:i]) for i, t in enumerate(trajectory.turns) if t in spoken]
    return {
        "first_turn_words": float(len(first.split())),
        "revealed_first": sum(mentions(r, first) for r in wants) / max(1, len(wants)),
        "revealed": measures(trajectory)["revealed"],
        "words_per_turn": sum(t.n_words for t in spoken) / max(1, len(spoken)),
        "ends": float(trajectory.stop == "user_ended"),
        "out_of_role": sum(strayed) / max(1, len(spoken)),
        "redrawn": sum("resampled" in t.flags for t in turns) / max(1, len(turns)),
    }
