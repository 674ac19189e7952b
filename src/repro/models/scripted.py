"""What would a model say whose words we know in advance?

`ScriptedModel` needs no weights: it reads its lines from a list, or asks a function of the context. It keeps tests
and tutorials offline and exact, and plays either side of a dialogue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..errors import ReproError
from ..types import Role, Turn
from .base import Sampling

Script = Sequence[str | Turn] | Callable[[Sequence[Turn]], str | Turn]


class ScriptedModel:
    """A `ChatModel` with a script. The k-th turn that a role takes in a dialogue is line k of a list, then the last."""

    def __init__(self, replies: Script, *, name: str = "scripted") -> None:
        if not callable(replies) and not replies:
            raise ReproError("a script needs at least one line; got none")
        self.replies = [replies] if isinstance(replies, str) else replies
        self.name = name

    def generate(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], role: Role = "assistant",
        prefixes: Sequence[str] | None = None,
    ) -> list[Turn]:  # fmt: skip
        """One turn per context, same order; `sampling` and `seeds` change nothing."""
        lines = [self._line(context, role) for context in contexts]
        begun = prefixes or [""] * len(lines)
        return [
            turn if turn.text.startswith(prefix) else replace(turn, text=prefix + turn.text)
            for turn, prefix in zip(lines, begun, strict=True)
        ]

    def logps(self, contexts: Sequence[Sequence[Turn]], turns: Sequence[Turn]) -> list[list[float]]:
        """A script has no probabilities: asking for them is an error."""
        raise ReproError(f"{self.name!r} is a script and has no log-probabilities; ask a language model")

    def _line(self, context: Sequence[Turn], role: Role) -> Turn:
        if callable(self.replies):
            line = self.replies(context)
        else:
            n_before = sum(turn.role == role for turn in context)
            line = self.replies[min(n_before, len(self.replies) - 1)]
        return replace(line, role=role) if isinstance(line, Turn) else Turn(role, line)
