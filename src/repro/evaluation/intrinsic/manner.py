"""How does a simulator write: how long, how politely, how carefully?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from ...types import Estimate, Task, Trajectory, Turn
from ..stats import SHARE, estimate

_POLITE = re.compile(
    r"\b(?:please|pls|plz|thanks?|thank you|thx|ty|kindly|sorry|appreciate\w*|could you|would you)\b", re.I
)
_WORD = re.compile(r"[A-Za-z]{4,}")


def manner(trajectories: Sequence[Trajectory]) -> dict[str, Estimate]:
    """Means over dialogues; tasks are the clusters, and failed dialogues are unscored.

    n_turns: the user's turns, silent leaves not counted          words_per_turn: words in such a turn
    polite: share of turns with a word of courtesy                question_rate: share of turns that ask something
    typos: share of words of four letters or more that no English word list has and that are one slip away from a word
    """
    rows, tasks = [_written(t) for t in trajectories], [t.task.id for t in trajectories]
    within = {key: SHARE if key in SHARES else None for key in MEASURES}
    return {key: estimate([row[key] for row in rows], tasks, within=within[key]) for key in MEASURES}


SHARES = ("polite", "question_rate", "typos")
MEASURES = ("n_turns", "words_per_turn", *SHARES)


def _written(t: Trajectory) -> dict[str, float]:
    turns = [turn for turn in t.user_turns if turn.text]
    if t.error or not turns:
        return dict.fromkeys(MEASURES, float("nan"))
    return {
        "n_turns": float(len(turns)),
        "words_per_turn": sum(turn.n_words for turn in turns) / len(turns),
        "polite": sum(bool(_POLITE.search(turn.text)) for turn in turns) / len(turns),
        "question_rate": sum("?" in turn.text for turn in turns) / len(turns),
        "typos": typo_rate(turns, t.task),
    }


def typo_rate(turns: Sequence[Turn], task: Task) -> float:
    """Names and other words of the task are never slips, whatever the list says."""
    known = {word.lower() for r in task.requirements for word in _WORD.findall(f"{r.label} {r.value}")}
    words = [word.lower() for turn in turns for word in _WORD.findall(turn.text)]
    counted = [word for word in words if word not in known]
    return sum(map(is_slip, counted)) / len(counted) if counted else 0.0


@cache
def is_slip(word: str) -> bool:
    """Whether a lower-case word is one slip (a letter more, less, changed or swapped) away from a word, and is none."""
    words = _list()
    return not words.known([word]) and bool(words.known(words.edit_distance_1(word)))


@cache
def _list() -> Any:
    from spellchecker import SpellChecker

    return SpellChecker(language="en", distance=1)
