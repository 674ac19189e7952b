"""How much of what the user wanted is in the document, and what did it cost them?

The document is the last draft among the assistant's turns (its trailing questions do not count as text; a turn
that only asks is no draft). `RequirementsMet` is the share of hidden requirements it meets. `Reward`, the one
formula for every arm, takes small costs off it:

    reward = met - 0.02 * (user turns - 1) - 0.002 * max(0, words - 60) - 0.1 * truncated

A turn in which the user takes leave costs nothing: thanks are no effort that the assistant asked for.
A dialogue without a draft meets nothing and scores 0 on `met`. A failed dialogue is unscored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..data.acts import draft_of
from ..data.requirements import met
from ..types import Score, Trajectory, Turn


def document_of(trajectory: Trajectory) -> Turn | None:
    """The assistant turn that holds the last draft, its text cut down to the draft; None if there is none."""
    for turn in reversed(trajectory.assistant_turns):
        draft = draft_of(turn.text)
        if draft:
            return Turn("assistant", draft, flags=turn.flags)
    return None


@dataclass(frozen=True)
class RequirementsMet:
    """The share of the task's hidden requirements that the document meets, in [0, 1]."""

    name: str = "requirements_met"

    def __call__(self, trajectories: Sequence[Trajectory]) -> list[Score]:
        return [self._score(trajectory) for trajectory in trajectories]

    def _score(self, trajectory: Trajectory) -> Score:
        if trajectory.error:
            return Score(math.nan, f"the dialogue failed: {trajectory.error}")
        if not trajectory.task.requirements:
            return Score(math.nan, f"task {trajectory.task.id} has no requirements")
        document = document_of(trajectory)
        hits = met(trajectory.task, document.text) if document else [False] * len(trajectory.task.requirements)
        words = document.n_words if document else 0
        truncated = bool(document and "truncated" in document.flags)
        return Score(sum(hits) / len(hits), details={"met": hits, "words": words, "truncated": truncated})


@dataclass(frozen=True)
class Reward:
    """Requirements met, less small costs for the user's effort and for length. The weights are ours."""

    name: str = "reward"
    turn_cost: float = 0.02
    word_cost: float = 0.002
    n_free_words: int = 60
    truncation_cost: float = 0.1

    def __call__(self, trajectories: Sequence[Trajectory]) -> list[Score]:
        scores = RequirementsMet()(trajectories)
        return [self._charged(t, s) for t, s in zip(trajectories, scores, strict=True)]

    def _charged(self, trajectory: Trajectory, score: Score) -> Score:
        if score.unscored:
            return score
        effort = self.turn_cost * max(0, trajectory.n_user_turns - 1)
        length = self.word_cost * max(0, score.details["words"] - self.n_free_words)
        cut = self.truncation_cost * score.details["truncated"]
        return Score(score.value - effort - length - cut, details={**score.details, "requirements_met": score.value})
