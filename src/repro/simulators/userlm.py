"""What would the user say next, if a language model had learned it from users?

A model fine-tuned on flipped dialogues (arXiv 2605.09808, 2510.06552): the system turn is the intent, the loss was on
the user's turns and on the end of the conversation, and the next user turn is sampled under the user's header.
Departure: the papers condition on the intent alone; here the hidden requirements stand in the system turn as well,
because the reward is about them and a user who makes them up cannot be served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..data.flip import flipped as flipped  # what it learned from; callers find it here too
from ..data.flip import system_turn as system_turn
from ..models.base import ChatModel, Sampling
from ..seeds import derive
from ..types import Task, Turn
from .guardrails import Guardrails

# arXiv 2510.06552: temperature 1, top_p 0.8; some first tokens and ending at once are forbidden
SAMPLING = Sampling(temperature=1.0, top_p=0.8, max_tokens=40, suppress_first=("Certainly", "Of course", "As an AI"))


@dataclass(frozen=True)
class UserLM:
    """A fine-tuned user."""

    model: ChatModel
    name: str = "userlm"
    sampling: Sampling = SAMPLING
    guardrails: Guardrails | None = None  # without them, only first words and ending at turn one are forbidden

    def reply(self, tasks: Sequence[Task], dialogues: Sequence[Sequence[Turn]], *, seed: int) -> list[Turn]:
        """The next user turn of each dialogue; an end-of-conversation token sets `ends`.

        Nobody ends at turn one; with guardrails, flags say which of them sent drafts back.
        """
        if self.guardrails:
            return self._guarded(self.guardrails, tasks, dialogues, seed)
        contexts = [[self.told(t, seed), *d] for t, d in zip(tasks, dialogues, strict=True)]
        seeds = [derive(seed, t.id, "user", len(d)) for t, d in zip(tasks, dialogues, strict=True)]
        turns: dict[int, Turn] = {}
        for first in (True, False):
            chosen = [i for i, d in enumerate(dialogues) if (not d) == first]
            sampling = replace(self.sampling, may_end=not first)
            drawn = self.model.generate(
                [contexts[i] for i in chosen], sampling=sampling, seeds=[seeds[i] for i in chosen], role="user"
            )
            turns |= dict(zip(chosen, drawn, strict=True))
        return [turns[i] for i in range(len(tasks))]

    def _guarded(
        self, rails: Guardrails, tasks: Sequence[Task], dialogues: Sequence[Sequence[Turn]], seed: int
    ) -> list[Turn]:
        """The same, drawn until the guardrails let it pass."""

        def draw(places: Sequence[int], attempt: int, sampling: Sampling) -> list[Turn]:
            contexts = [[self.told(tasks[i], seed), *dialogues[i]] for i in places]
            again = (attempt,) if attempt else ()
            seeds = [derive(seed, tasks[i].id, "user", len(dialogues[i]), *again) for i in places]
            return self.model.generate(contexts, sampling=sampling, seeds=seeds, role="user")

        return rails.applied(draw, tasks, dialogues, self.sampling)

    def told(self, task: Task, seed: int) -> Turn:
        """The system turn: no two dialogues about a task differ in it."""
        return system_turn(task)
