"""How do we get text and log-probabilities, whoever provides the model?

`ChatModel` is all that the rest of the package knows about models: contexts in, turns out, batched. A context
is the list of turns so far, system turn first; `role` says who speaks next, so that a user is played under the
user's own header.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ..errors import ReproError
from ..types import Role, Turn
from .usage import Meter


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn. `temperature=0` is greedy; the cuts apply in the order min_p, top_p."""

    temperature: float = 1.0
    top_p: float = 1.0
    min_p: float = 0.0
    max_tokens: int = 128
    suppress_first: tuple[str, ...] = ()  # a turn may not begin with the first token of any of these
    may_end: bool = True  # whether the end-of-conversation token may be drawn

    def __post_init__(self) -> None:
        if self.temperature < 0 or not 0 < self.top_p <= 1 or not 0 <= self.min_p <= 1 or self.max_tokens < 1:
            raise ReproError(f"need temperature >= 0, 0 < top_p <= 1, 0 <= min_p <= 1, max_tokens >= 1; got {self}")


class ChatModel(Protocol):
    """A language model that takes part in dialogues."""

    @property
    def name(self) -> str: ...

    def generate(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], role: Role = "assistant",
        prefixes: Sequence[str] | None = None,
    ) -> list[Turn]:  # fmt: skip
        """One turn per context, same order. The text depends on (context, seed), not on the batch.

        That is exact in float32; in bfloat16, sums rounded in another order may now and then tip a token.

        `prefixes` are words put into the speaker's mouth: each turn begins with its own. Such turns have no logps.
        """
        ...

    def logps(self, contexts: Sequence[Sequence[Turn]], turns: Sequence[Turn]) -> list[list[float]]:
        """Log-probability (nats) of each token of each turn, end token included, given its context."""
        ...


OnText = Callable[[int, str], None]  # told (index of the context, piece of text) while turns are being made


@runtime_checkable
class StreamingModel(Protocol):
    """A `ChatModel` that can also be listened to while it speaks."""

    def stream(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], on_text: OnText
    ) -> list[Turn]:
        """The assistant's turns, as `generate` makes them. The pieces of each, put together, are its text."""
        ...


@runtime_checkable
class MeteredModel(ChatModel, Protocol):
    """A `ChatModel` that says which one it is and what it used, and whose answers can be held to a schema."""

    @property
    def identity(self) -> str:
        """What tells its answers from those of any other model, as a name for people does not."""
        ...

    @property
    def meter(self) -> Meter:
        """Calls and tokens so far, of this model and of those held to a schema."""
        ...

    def held_to(self, schema: Mapping[str, Any]) -> ChatModel:
        """The same model, whose text is JSON of this schema where that can be had."""
        ...


def identity_of(model: ChatModel) -> str:
    """What tells a model's answers from those of any other, for keys of what is kept; its name if it has only that."""
    return str(getattr(model, "identity", model.name))
