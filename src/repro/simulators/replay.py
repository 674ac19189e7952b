"""What would the user say next, if they said again what a person said?

Replays the user turns of `Task.human`, in order, whatever the assistant says, and leaves when they are used up.
The most faithful words and the least responsive user: a control for both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ReproError
from ..types import Task, Turn


@dataclass(frozen=True)
class Replay:
    """A user who reads from a log."""

    name: str = "replay"

    def reply(self, tasks: Sequence[Task], dialogues: Sequence[Sequence[Turn]], *, seed: int) -> list[Turn]:
        """The logged user turn that comes next; a silent end once they are used up."""
        return [self._next(task, dialogue) for task, dialogue in zip(tasks, dialogues, strict=True)]

    def _next(self, task: Task, dialogue: Sequence[Turn]) -> Turn:
        if not task.human:
            raise ReproError(f"task {task.id} has no logged dialogue to replay; set Task.human, or use another user")
        lines = [turn for turn in task.human if turn.role == "user"]
        n_said = sum(turn.role == "user" for turn in dialogue)
        return lines[n_said] if n_said < len(lines) else Turn("user", "", ends=True)
