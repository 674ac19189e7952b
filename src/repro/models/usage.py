"""How much text went in and out of a model, and what did that cost?"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from threading import Lock

from ..errors import ReproError

CHARACTERS_PER_TOKEN = 4  # ours: a rule of thumb for English, where nobody has counted yet


@dataclass(frozen=True)
class Usage:
    """Calls and tokens, of one batch or of all."""

    n_calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.n_calls + other.n_calls, self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )  # fmt: skip

    def __sub__(self, other: Usage) -> Usage:
        return self + Usage(-other.n_calls, -other.prompt_tokens, -other.completion_tokens)

    def cost(self, price: Price | None) -> float:
        """In dollars; NaN where no price is known."""
        if price is None:
            return math.nan
        return (self.prompt_tokens * price.prompt + self.completion_tokens * price.completion) / 1e6


@dataclass(frozen=True)
class Price:
    """Dollars for a million tokens."""

    prompt: float
    completion: float

    @classmethod
    def parse(cls, text: str) -> Price:
        """`0.15,0.60`: what goes in, what comes out."""
        try:
            prompt, completion = (float(part) for part in text.split(","))
        except ValueError:
            prompt = completion = -1.0
        if prompt < 0 or completion < 0:
            raise ReproError(f"a price is dollars per million tokens IN,OUT such as 0.15,0.60; found '{text}'")
        return cls(prompt, completion)


@dataclass
class Meter:
    """Adds up what an endpoint reports, from many threads."""

    total: Usage = Usage()
    _lock: Lock = field(default_factory=Lock, repr=False)

    def add(self, usage: Usage) -> None:
        with self._lock:
            self.total = self.total + usage


def guessed_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)
