"""What would a user never say?

The four guardrails of arXiv 2510.06552 for a user language model: (1) a turn does not begin as an assistant's does,
(2) nobody leaves too early, (3) a turn is neither too short nor too long, (4) it repeats neither the intent nor an
earlier turn word for word. The paper gives no numbers or words; they are ours. A turn is first drawn free, so that what
a model wants to do is seen and counted; where it breaks a rule it is drawn again with the next seed, and in the last
try the first two rules are forced on the tokens themselves, as far as a beginning is one word. A turn that then still
breaks a rule is taken as it is.

Flags on a turn say what happened: `guarded:RULE` for each rule that sent a draft back, `unguarded:RULE` for those that
the turn itself breaks, and `resampled`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..models.base import Sampling
from ..types import Task, Turn

Rule = Literal["first_words", "early_end", "length", "repeat"]
RULES: tuple[Rule, ...] = ("first_words", "early_end", "length", "repeat")
FIRST_WORDS = (  # ours: how assistants begin, and users hardly ever
    "Certainly", "Absolutely", "Sure", "Of course", "As an AI", "Here is your", "Here's your", "I'd be happy to",
    "I'm happy to", "I'm sorry, but I",
)  # fmt: skip
Draw = Callable[[Sequence[int], int, Sampling], list[Turn]]  # places, attempt, how -> a draft for each


@dataclass(frozen=True)
class Guardrails:
    """Each rule can be switched off: no words, 0 turns, 0 words, `repeats=True`."""

    first_words: tuple[str, ...] = FIRST_WORDS
    min_turns: int = 1  # a user may leave once they have written this many turns. ours
    min_words: int = 1  # ours: an empty turn says nothing
    max_words: int = 200  # ours; a turn that was cut off at the model's limit is too long as well
    repeats: bool = False  # whether a turn may repeat the intent or what was said
    n_tries: int = 4  # draws of a turn, the forced one included. ours

    def broken(self, turn: Turn, task: Task, dialogue: Sequence[Turn]) -> list[Rule]:
        """The rules that a turn breaks. A leave without words is a turn of its own, and held to the second alone."""
        if turn.ends and not turn.text.strip():
            return ["early_end"] if self._too_early(dialogue) else []
        heard = [task.intent, *(said.text for said in dialogue)]
        found: dict[Rule, bool] = {
            "first_words": any(_begins(turn.text, words) for words in self.first_words),
            "early_end": turn.ends and self._too_early(dialogue),
            "length": self._too_short_or_long(turn),
            "repeat": not self.repeats and _plain(turn.text) in {_plain(text) for text in heard},
        }
        return [rule for rule in RULES if found[rule]]

    def applied(
        self, draw: Draw, tasks: Sequence[Task], dialogues: Sequence[Sequence[Turn]], sampling: Sampling
    ) -> list[Turn]:
        """A turn for each dialogue, drawn until it keeps the rules or `n_tries` are over."""
        turns: dict[int, Turn] = {}
        fired: dict[int, set[Rule]] = {i: set() for i in range(len(tasks))}
        places = list(range(len(tasks)))
        for attempt in range(max(1, self.n_tries)):
            last = attempt == self.n_tries - 1
            again = []
            for i, turn in self._drafts(draw, places, attempt, dialogues, sampling, forced=last):
                broken = self.broken(turn, tasks[i], dialogues[i])
                turns[i] = _flagged(turn, fired[i], broken if last else [], attempt)
                if broken and not last:
                    fired[i] |= {*broken}
                    again.append(i)
            places = again
        return [turns[i] for i in range(len(tasks))]

    def _drafts(
        self, draw: Draw, places: Sequence[int], attempt: int, dialogues: Sequence[Sequence[Turn]], sampling: Sampling,
        *, forced: bool,
    ) -> list[tuple[int, Turn]]:  # fmt: skip
        """One draft a place. Forced, words to begin with are forbidden, and leaving where it is too early."""
        free = replace(sampling, suppress_first=(), may_end=True)
        if not forced:
            return list(zip(places, draw(places, attempt, free), strict=True)) if places else []
        out: list[tuple[int, Turn]] = []
        for early in (True, False):
            chosen = [i for i in places if self._too_early(dialogues[i]) == early]
            words = tuple(word for word in self.first_words if word.isalpha())
            held = replace(sampling, suppress_first=words, may_end=not early)
            out += zip(chosen, draw(chosen, attempt, held), strict=True) if chosen else []
        return out

    def _too_early(self, dialogue: Sequence[Turn]) -> bool:
        return sum(turn.role == "user" for turn in dialogue) < self.min_turns

    def _too_short_or_long(self, turn: Turn) -> bool:
        if turn.n_words < self.min_words:
            return True
        return bool(self.max_words) and (turn.n_words > self.max_words or "truncated" in turn.flags)


OFF = Guardrails(first_words=(), min_turns=0, min_words=0, max_words=0, repeats=True)


def counts(turns: Iterable[Turn]) -> dict[str, int]:
    """How often each rule sent a draft back (`guarded:...`), and in how many turns it is broken all the same."""
    found = Counter(flag for turn in turns for flag in turn.flags)
    return {f"{kind}:{rule}": found[f"{kind}:{rule}"] for kind in ("guarded", "unguarded") for rule in RULES}


def _flagged(turn: Turn, fired: set[Rule], broken: Sequence[Rule], attempt: int) -> Turn:
    said = [f"guarded:{rule}" for rule in RULES if rule in fired] + [f"unguarded:{rule}" for rule in broken]
    return replace(turn, flags=(*turn.flags, *(["resampled"] if attempt else []), *said))


def _begins(text: str, words: str) -> bool:
    start, rest = text[: len(words)], text[len(words) : len(words) + 1]
    return start.lower() == words.lower() and not rest.isalnum()


def _plain(text: str) -> str:
    """Without regard to case and white space."""
    return " ".join(text.lower().split())
