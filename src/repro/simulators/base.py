"""What would the user say next?

`UserSimulator` is the one argument that varies between arms. It sees the task (intent and hidden requirements)
and the dialogue so far, never the assistant's system prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..types import Task, Turn


class UserSimulator(Protocol):
    """Plays the user. Its end mark is `Turn.ends` and never reaches the assistant."""

    @property
    def name(self) -> str: ...

    def reply(self, tasks: Sequence[Task], dialogues: Sequence[Sequence[Turn]], *, seed: int) -> list[Turn]:
        """The next user turn of each dialogue, same order. An empty dialogue asks for the first turn."""
        ...
