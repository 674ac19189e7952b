"""What did each assistant say to the same user?

Dialogues about one task side by side, one card per assistant, with what the user wanted and which of it the final
text holds. It shows itself in a notebook; `rows` is the same as a table.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

from repro.errors import ReproError
from repro.reporting.style import FAINT, INK, QUIET, arm_colour, arm_label
from repro.scoring.rules import RequirementsMet
from repro.types import Requirement, Trajectory


@dataclass(frozen=True)
class SideBySide:
    """Dialogues about one task, by the arm of the assistant."""

    dialogues: Mapping[str, Trajectory]

    def __post_init__(self) -> None:
        if len({dialogue.task.id for dialogue in self.dialogues.values()}) != 1:
            raise ReproError(f"got {len(self.dialogues)} dialogues that are not about one task; choose one task")

    @property
    def rows(self) -> list[dict[str, object]]:
        """One row a turn: arm, turn, role, text; with it how many of the requirements the dialogue's last text met."""
        return [
            {"arm": arm, "turn": i, "role": turn.role, "text": turn.text or "(leaves)", "met": sum(_met(dialogue)),
             "n_requirements": len(dialogue.task.requirements)}
            for arm, dialogue in self.dialogues.items()
            for i, turn in enumerate(dialogue.turns)
        ]  # fmt: skip

    @property
    def wants(self) -> list[dict[str, object]]:
        """One row a requirement: its label and value, and for each arm whether the last text met it."""
        hits = {arm: _met(dialogue) for arm, dialogue in self.dialogues.items()}
        task = next(iter(self.dialogues.values())).task
        return [
            {"label": r.label, "value": r.value, **{arm: met[i] for arm, met in hits.items()}}
            for i, r in enumerate(task.requirements)
        ]

    def _repr_html_(self) -> str:
        task = next(iter(self.dialogues.values())).task
        cards = "".join(_card(arm, dialogue) for arm, dialogue in self.dialogues.items())
        return (
            f"<div style='color:{INK};text-align:left'><p>{html.escape(task.intent)}</p>"
            f"<div style='display:flex;flex-wrap:wrap;gap:14px;align-items:flex-start'>{cards}</div></div>"
        )


def _met(dialogue: Trajectory) -> list[bool]:
    """Which requirements the last text holds; none of them where the dialogue failed."""
    hits: list[bool] = RequirementsMet()([dialogue])[0].details.get("met", [])
    return hits or [False] * len(dialogue.task.requirements)


def _card(arm: str, dialogue: Trajectory) -> str:
    hits, wants = _met(dialogue), dialogue.task.requirements
    count = f"<br><small>{sum(hits)} of {len(hits)} requirements met</small>" if hits else ""
    head = f"<b>{html.escape(arm_label(arm))}</b>{count}"
    ticks = "".join(_tick(r, hit) for r, hit in zip(wants, hits, strict=True))
    talk = "".join(_line(turn.role, turn.text or "(leaves)") for turn in dialogue.turns)
    failed = f"<p>failed: {html.escape(dialogue.error)}</p>" if dialogue.error else ""
    look = f"flex:1 1 270px;max-width:360px;padding:8px 12px;border:1px solid {FAINT};border-top:5px solid"
    return f"<div style='{look} {arm_colour(arm)}'>{head}<div style='margin:6px 0'>{ticks}</div>{talk}{failed}</div>"


def _tick(want: Requirement, hit: bool) -> str:
    mark = "\N{CHECK MARK}" if hit else "\N{EN DASH}"
    words = html.escape(f"{want.label}: {want.value}")
    return f"<div style='font-size:85%;color:{INK if hit else QUIET}'>{mark} {words}</div>"


def _line(role: str, text: str) -> str:
    shade = "#F4F4F4" if role == "user" else "white"
    return (
        f"<div style='background:{shade};padding:5px 8px;margin-top:6px'><small style='color:{QUIET}'>{role}</small>"
        f"<br><span style='white-space:pre-wrap'>{html.escape(text)}</span></div>"
    )
