"""What is a trajectory worth? A metric when averaged, a reward when trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..types import Score, Trajectory


class Scorer(Protocol):
    """Scores finished dialogues. What cannot be scored is NaN with a reason, never 0."""

    @property
    def name(self) -> str: ...

    def __call__(self, trajectories: Sequence[Trajectory]) -> list[Score]:
        """One score per trajectory, same order."""
        ...
