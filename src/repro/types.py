"""What travels between stages?

Five frozen records: a `Turn`, the `Task` a dialogue is about, the `Trajectory` that came of it, the
`Score` it earned and the `Estimate` made of many scores. What can be derived is a property, so that it
cannot disagree with what was saved.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
Stop = Literal["user_ended", "max_turns", "error"]


@dataclass(frozen=True)
class Turn:
    """One message. `token_ids` and `logps` (nats, temperature 1) are those sampled, end token included."""

    role: Role
    text: str
    ends: bool = False  # the speaker leaves after this turn; never shown to the other side
    token_ids: tuple[int, ...] | None = None
    logps: tuple[float, ...] | None = None
    flags: tuple[str, ...] = ()  # what was noticed while making it: "resampled", "out_of_role", "truncated"

    @property
    def n_words(self) -> int:
        return len(self.text.split())


@dataclass(frozen=True)
class Requirement:
    """Something the user wants in the text and the assistant is not told. `value` is in canonical form."""

    key: str  # unique within a task: "date", "place", "tone"
    kind: str  # which checker reads it: see `repro.data.requirements.CHECKERS`
    value: str
    label: str  # how a person would name it: "the start time"


@dataclass(frozen=True)
class Task:
    """What one user came for. `requirements` are hidden from the assistant."""

    id: str
    user_id: str
    intent: str  # "You are a user chatting with an assistant language model to ..."
    requirements: tuple[Requirement, ...] = ()
    domain: str = ""
    doc_type: str = ""
    persona: str | None = None
    history: tuple[Turn, ...] = ()
    human: tuple[Turn, ...] | None = None  # the dialogue a person had about it, where there is one


@dataclass(frozen=True)
class Trajectory:
    """A finished dialogue. A failed one keeps what was said, `stop="error"` and the reason in `error`."""

    task: Task
    turns: tuple[Turn, ...]
    user: str
    assistant: str
    seed: int
    stop: Stop
    error: str | None = None

    @property
    def assistant_turns(self) -> list[Turn]:
        return [turn for turn in self.turns if turn.role == "assistant"]

    @property
    def user_turns(self) -> list[Turn]:
        return [turn for turn in self.turns if turn.role == "user"]

    @property
    def n_user_turns(self) -> int:
        """What the user had to write: their turns, but for one in which they take leave."""
        return sum(not turn.ends for turn in self.user_turns)

    @property
    def messages(self) -> list[dict[str, str]]:
        """The dialogue in the ecosystem's `messages` format. A user who left in silence adds no message."""
        return [{"role": turn.role, "content": turn.text} for turn in self.turns if turn.text]

    def _repr_html_(self) -> str:
        wants = "".join(f"<li>{html.escape(f'{r.label}: {r.value}')}</li>" for r in self.task.requirements)
        rows = "".join(
            f"<tr><th style='vertical-align:top;text-align:left'>{m['role']}</th>"
            f"<td style='text-align:left;white-space:pre-wrap'>{html.escape(m['content'])}</td></tr>"
            for m in self.messages
        )
        head = f"{html.escape(self.task.intent)} <ul>{wants}</ul> {self.user} with {self.assistant} ({self.stop})"
        return f"<div><p>{head}</p><table>{rows}</table></div>"


@dataclass(frozen=True)
class Score:
    """What a trajectory is worth. NaN means unscored, and `reason` then says why."""

    value: float
    reason: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def unscored(self) -> bool:
        return math.isnan(self.value)


@dataclass(frozen=True)
class Estimate:
    """A number with its interval. `n` counts what was scored; `n_clusters` the units that were resampled."""

    value: float
    low: float
    high: float
    n: int
    n_unscored: int = 0
    n_clusters: int | None = None
    unit: str = ""

    @property
    def row(self) -> dict[str, float]:
        """The columns that tidy tables hold of it: value, low, high, n, n_unscored."""
        return {key: getattr(self, key) for key in ("value", "low", "high", "n", "n_unscored")}

    def __str__(self) -> str:
        unscored = f" ({self.n_unscored} unscored)" if self.n_unscored else ""
        digits = self._digits
        value, low, high = (f"{round(x, digits) + 0.0:.{digits}f}" for x in (self.value, self.low, self.high))  # no -0
        known = self.low == self.low or self.value != self.value
        interval = f"[{low}, {high}]" if known else "(no interval)"
        return f"{value} {interval}, n={self.n}{unscored}"

    @property
    def _digits(self) -> int:
        """Two; four where the interval is narrow; three where an end that is not 0 would be printed as one."""
        if self.high - self.low < 0.02:
            return 4
        return 3 if any(0.0005 <= abs(end) < 0.005 for end in (self.low, self.high)) else 2


def last_text(turns: Sequence[Turn], role: Role) -> str:
    """The last thing `role` said, or an empty string if they have not spoken."""
    return next((turn.text for turn in reversed(turns) if turn.role == role), "")
