"""What would a simulator say where a user spoke?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...data.acts import draft_of, mentions, question_of
from ...rollouts.dialogue import BATCH_SIZE
from ...simulators.base import UserSimulator
from ...types import Requirement, Task, Trajectory, Turn
from .parts import Parts


@dataclass(frozen=True)
class Moment:
    """A point of a dialogue at which the user spoke, and what they said; or, with an `error`, a dialogue that failed,
    at which nobody is asked: a measure counts it as one unscored item."""

    task: Task
    dialogue: tuple[Turn, ...]
    said: Turn
    error: str = ""

    @property
    def unsaid(self) -> list[Requirement]:
        """What the user has not given away before."""
        before = "\n".join(turn.text for turn in self.dialogue if turn.role == "user")
        return [r for r in self.task.requirements if not mentions(r, before)]

    @property
    def asked(self) -> bool:
        """Whether the assistant asks and writes nothing yet."""
        heard = self.dialogue[-1].text
        return bool(question_of(heard)) and not draft_of(heard)


def moments_of(trajectories: Sequence[Trajectory]) -> list[Moment]:
    """Every user turn but the first, with what came before it; then one for each dialogue that failed."""
    found = [
        Moment(t.task, t.turns[:i], turn)
        for t in trajectories
        if not t.error
        for i, turn in enumerate(t.turns)
        if i and turn.role == "user"
    ]
    return found + [Moment(t.task, (), Turn("user", ""), t.error) for t in trajectories if t.error]


def in_their_place(user: UserSimulator, moments: Sequence[Moment], *, seed: int) -> list[Turn]:
    """What `user` says at each moment; at a dialogue that failed, a turn without text."""
    asked = [m for m in moments if not m.error]
    turns: list[Turn] = []
    for i in range(0, len(asked), BATCH_SIZE):
        part = asked[i : i + BATCH_SIZE]
        turns += user.reply([m.task for m in part], [m.dialogue for m in part], seed=seed)
    said = iter(turns)
    return [Turn("user", "") if m.error else next(said) for m in moments]


def over_moments(values: Sequence[float], moments: Sequence[Moment]) -> Parts:
    """The mean of one value a moment, by task; of a dialogue that failed there is none (NaN)."""
    known = [float("nan") if m.error else value for value, m in zip(values, moments, strict=True)]
    return Parts.mean(known, [m.task.id for m in moments])
