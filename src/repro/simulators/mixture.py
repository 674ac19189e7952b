"""What would the user say next, if users are not all of one kind?

Each dialogue is held, from its first turn to its last, by one of several simulators, drawn by weight from the seed and
the task. arXiv 2605.07847 finds that mixtures of two simulators lie closer to real users than either alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from ..errors import ReproError
from ..seeds import derive
from ..types import Task, Turn
from .base import UserSimulator

_SEEDS = 2.0**63  # `derive` gives whole numbers below it


@dataclass(frozen=True)
class Mixture:
    """Simulators with their weights, which need not sum to one."""

    parts: tuple[tuple[UserSimulator, float], ...]
    name: str = "mixture"

    def __post_init__(self) -> None:
        if not self.parts or any(not 0 < weight < float("inf") for _, weight in self.parts):
            raise ReproError(f"a mixture needs simulators with weights above 0; got {[w for _, w in self.parts]}")

    def reply(self, tasks: Sequence[Task], dialogues: Sequence[Sequence[Turn]], *, seed: int) -> list[Turn]:
        """The next user turn of each dialogue; each simulator is asked once, for all of its dialogues."""
        whom = [self.speaker(task, seed) for task in tasks]
        turns: dict[int, Turn] = {}
        for k, (user, _) in enumerate(self.parts):
            mine = [i for i, speaker in enumerate(whom) if speaker == k]
            if mine:
                said = user.reply([tasks[i] for i in mine], [dialogues[i] for i in mine], seed=seed)
                if len(said) != len(mine):
                    raise ReproError(f"asked {user.name} for {len(mine)} turns, got {len(said)}; it returns one each")
                turns |= dict(zip(mine, said, strict=True))
        return [turns[i] for i in range(len(tasks))]

    def speaker(self, task: Task, seed: int) -> int:
        """Which simulator holds the dialogue about `task`."""
        bounds = list(accumulate(weight for _, weight in self.parts))
        point = derive(seed, task.id, "mixture") / _SEEDS * bounds[-1]
        return next((k for k, bound in enumerate(bounds) if point < bound), len(bounds) - 1)
