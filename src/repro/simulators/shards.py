"""What would a user say who reads an instruction out, whole or piece by piece?

Scripted, without traits: the conditions of arXiv 2505.06120 that need no language model. `full` says the instruction in
one turn as it was written, `concat` says its shards in one turn, `sharded` says one shard a turn whatever the assistant
answers. Each leaves when it has said everything. And what role-play needs for such tasks: a prompt of their own, and an
agenda that begins with the question and goes on with one detail a turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..types import Task, Turn
from .roleplay import RolePlay, system_turn

PROMPT = "roleplay_shards.txt"


class _ReadsOut:
    """Says `lines(task)`, one a turn, and leaves without a word."""

    def lines(self, task: Task) -> Sequence[str]:
        raise NotImplementedError

    def reply(self, tasks: Sequence[Task], dialogues: Sequence[Sequence[Turn]], *, seed: int) -> list[Turn]:
        """The next line of each dialogue."""
        return [self._next(task, dialogue) for task, dialogue in zip(tasks, dialogues, strict=True)]

    def _next(self, task: Task, dialogue: Sequence[Turn]) -> Turn:
        n_said, lines = sum(turn.role == "user" for turn in dialogue), self.lines(task)
        return Turn("user", lines[n_said]) if n_said < len(lines) else Turn("user", "", ends=True)


@dataclass(frozen=True)
class Full(_ReadsOut):
    """The whole instruction in one turn. `texts` holds it by the task's id."""

    texts: Mapping[str, str]
    name: str = "full"

    def lines(self, task: Task) -> Sequence[str]:
        return [self.texts[task.id]]


@dataclass(frozen=True)
class Concat(_ReadsOut):
    """All shards in one turn, a line each."""

    name: str = "concat"

    def lines(self, task: Task) -> Sequence[str]:
        return ["\n".join(f"- {r.value}" for r in task.requirements)]


@dataclass(frozen=True)
class OneByOne(_ReadsOut):
    """One shard a turn, in order."""

    name: str = "sharded"

    def lines(self, task: Task) -> Sequence[str]:
        return [r.value for r in task.requirements]


@dataclass(frozen=True)
class ShardRolePlay(RolePlay):
    """Role-play for sharded tasks."""

    def told(self, task: Task, seed: int) -> Turn:
        """The system turn: the intent, the pieces, and a prompt for those who want something solved."""
        return system_turn(task, prompt=PROMPT)

    def begin(self, task: Task, dialogue: Sequence[Turn]) -> str:
        """The question, then the details by number, last thanks."""
        n_said = sum(turn.role == "user" for turn in dialogue)
        if n_said == 0:
            return task.requirements[0].value
        if n_said < len(task.requirements):
            label = task.requirements[n_said].label
            return f"{label[:1].upper()}{label[1:]}:"
        return "Thanks,"
