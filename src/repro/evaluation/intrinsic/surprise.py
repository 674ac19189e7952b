"""How surprised is a simulator by what users said?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from ...models.base import ChatModel
from ...types import Estimate, Task, Trajectory, Turn
from .parts import Parts


class SpeaksWithModel(Protocol):
    """A simulator that is a model which was told something: role-play, or a user language model."""

    @property
    def model(self) -> ChatModel: ...

    def told(self, task: Task, seed: int) -> Turn:
        """The system turn."""
        ...


def surprise(user: SpeaksWithModel, trajectories: Sequence[Trajectory], *, seed: int) -> Parts:
    """Negative log-probability (nats) over tokens, of what users said; its ratio is the log of the perplexity.

    An item is a turn with text; a failed dialogue is one unscored item.
    """
    spoken = [
        (t.task, t.turns[:i], Turn("user", turn.text))
        for t in trajectories
        if not t.error
        for i, turn in enumerate(t.turns)
        if turn.role == "user" and turn.text
    ]
    contexts = [[user.told(task, seed), *before] for task, before, _ in spoken]
    logps = [row[:-1] for row in user.model.logps(contexts, [turn for *_, turn in spoken])]  # the last is the end mark
    nats, tokens, tasks = [-sum(row) for row in logps], [float(len(row)) for row in logps], [t.id for t, *_ in spoken]
    failed = [t.task.id for t in trajectories if t.error]
    nothing = [float("nan")] * len(failed)
    return Parts((*nats, *nothing), (*tokens, *nothing), (*tasks, *failed), within=None)


def perplexity(user: SpeaksWithModel, trajectories: Sequence[Trajectory], *, seed: int) -> Estimate:
    """exp of the mean negative log-probability of a token of what users said. Tasks are the clusters.

    After arXiv 2510.06552: conditioned on what the simulator is told and on the dialogue so far. First turns count;
    marks of the end do not, because simulators take leave in different ways.
    """
    found = surprise(user, trajectories, seed=seed).found
    value, low, high = np.exp([found.value, found.low, found.high])
    return replace(found, value=float(value), low=float(low), high=float(high), unit="perplexity")
