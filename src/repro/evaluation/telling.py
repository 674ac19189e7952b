"""How does a user tell what they know: how much of it, when, and in how many ways?

After arXiv 2510.06552, which names these measures; the formulas are our reading. The detector: a shard counts as
revealed at the first user turn by which everything said so far holds all its numbers, as digits or words, and half of
the words that no other shard of the task has. Where it has a number that no other has, a third of these will do, or
half of all its words. Of a question only sentences that ask count. Words are compared by their first four letters, so
that "bakes" and "bakery" agree; names of functions by all of them.

coverage                share of a task's shards revealed by the end
turns                   user turns, without a leave
pace_diversity          variance, over the shards revealed in all dialogues about a task, of the turn that revealed them
information_diversity   1 - |A & B| / |A | B|, A and B the shards revealed in two dialogues about a task; mean of pairs
lexical_diversity       the same of the words that the user wrote

The last three compare dialogues about the same task; a script that says the same each time has 0 in the last two.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from statistics import fmean, pvariance

from ..data.mentions import normal
from ..types import Estimate, Task, Trajectory
from .stats import SHARE, estimate

MEASURES = ("coverage", "turns", "pace_diversity", "information_diversity", "lexical_diversity")
OWN_NUMBER, OTHERWISE = 1 / 3, 1 / 2  # share of a shard's own words that have to be said. ours
STEM = 4  # letters
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)")
_NAME = re.compile(r"[a-z]+(?:_[a-z]+)+|[a-z]+\(")
_NAMING = re.compile(r"\b(?:call(?:ed)?|named?)(?: it)? (?!it\b)([a-z]+)\b(?!_|\()")
_WORD = re.compile(r"[a-z]{2,}|(?<![a-z])[a-z](?=[,)(])")
_CUES = r"how|what|which|tell me|calculate|compute|find|work out|figure|know|determine"
_ASKS = re.compile(rf"\?|\b(?:{_CUES})\b", re.IGNORECASE)
_FILLERS = """a an the it its is are was were be been of in to for and or that this than then with each every all any
how many much what which who does do did i my we our us you your he she his her him them they their there here have has
had get gets got give gives at on by from up as so no not if but one ones own other another need want please call called
name named python function write returns return"""
_EMPTY = frozenset(_FILLERS.split())


def reveals(shards: Sequence[str], i: int, text: str) -> bool:
    """Whether somebody who wrote `text` has told number `i` of a task's shards."""
    numbers, words = _features(shards[i])
    others = [_features(shard) for k, shard in enumerate(shards) if k != i]
    own_numbers = numbers.difference(*(other for other, _ in others))
    own = words.difference(*(other for _, other in others)) or words
    said = _features(_asking(text) if shards[i].rstrip().endswith("?") else text)
    if not numbers <= said[0]:
        return False
    if own_numbers and len(words & said[1]) >= OTHERWISE * len(words):
        return True
    return len(own & said[1]) >= (OWN_NUMBER if own_numbers else OTHERWISE) * len(own)


def reveals_all(shards: Sequence[str], text: str) -> bool:
    """Whether somebody who wrote `text` has told every shard."""
    return all(reveals(shards, i, text) for i in range(len(shards)))


def revealed(task: Task, said: Sequence[str]) -> list[int | None]:
    """The turn (1, 2, ...) by which each shard had been told, or None."""
    shards = [want.value for want in task.requirements]
    so_far = ["\n".join(said[: k + 1]) for k in range(len(said))]
    return [next((k for k, text in enumerate(so_far, 1) if reveals(shards, i, text)), None) for i in range(len(shards))]


def _asking(text: str) -> str:
    return " ".join(part for part in re.split(r"(?<=[.!?])\s|\n", text) if _ASKS.search(part))


@lru_cache(maxsize=8192)
def _features(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The numbers and the content words in a text. "one" is a word: it seldom counts anything."""
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", normal(re.sub(r"\bone\b", "", text, flags=re.IGNORECASE)))
    plain = re.sub(r"\$ ?(?=\d)", "dollars ", plain)
    plain = _NAMING.sub(r"\1(", plain)  # "call it clamp" names a function as "clamp(" does
    names = _NAME.findall(plain)
    words = {word[:STEM] for word in _WORD.findall(_NAME.sub(" ", plain)) if word not in _EMPTY}
    return frozenset(_NUMBER.findall(plain)), frozenset(words | set(names))


def measures(trajectories: Sequence[Trajectory]) -> dict[str, Estimate]:
    """All of `MEASURES`, of one simulator; tasks are the clusters. Failed dialogues are unscored."""
    held = [t for t in trajectories if not t.error]
    values = {t: told(t) for t in held}
    n_failed = len(trajectories) - len(held)
    lost = [math.nan] * n_failed
    tasks: list[Hashable] = [*(t.task.id for t in held), *range(n_failed)]
    by_task = _by_task(held)
    own = {
        "coverage": [*(coverage(values[t]) for t in held), *lost],
        "turns": [*(float(t.n_user_turns) for t in held), *lost],
    }
    within = {
        "pace_diversity": [pace([values[t] for t in each]) for each in by_task.values()],
        "information_diversity": [apart([_told(values[t]) for t in each]) for each in by_task.values()],
        "lexical_diversity": [apart([_words(t) for t in each]) for each in by_task.values()],
    }
    found = {name: _estimate(name, each, tasks) for name, each in own.items()}
    return found | {name: _estimate(name, each, list(by_task)) for name, each in within.items()}


def _estimate(name: str, values: Sequence[float], tasks: Sequence[Hashable]) -> Estimate:
    """Turns and variances are no shares: where they are the same throughout, they have no interval."""
    return estimate(values, tasks, within=None if name in ("turns", "pace_diversity") else SHARE)


def told(trajectory: Trajectory) -> tuple[int | None, ...]:
    """When each shard was revealed in a dialogue."""
    return tuple(revealed(trajectory.task, [turn.text for turn in trajectory.user_turns if turn.text]))


def coverage(when: Sequence[int | None]) -> float:
    """Share of shards revealed; a task without shards is unscored."""
    return fmean(k is not None for k in when) if when else math.nan


def pace(dialogues: Sequence[Sequence[int | None]]) -> float:
    """Variance of the turns at which shards were revealed; NaN where none was."""
    turns = [k for when in dialogues for k in when if k is not None]
    return float(pvariance(turns)) if turns else math.nan


def apart(sets: Sequence[frozenset[Hashable]]) -> float:
    """Mean pairwise Jaccard distance; two empty sets are alike. Fewer than two sets: NaN."""
    pairs = list(combinations(sets, 2))
    return fmean(1 - len(a & b) / len(a | b) if a | b else 0.0 for a, b in pairs) if pairs else math.nan


def _told(when: Sequence[int | None]) -> frozenset[Hashable]:
    return frozenset(i for i, k in enumerate(when) if k is not None)


def _words(trajectory: Trajectory) -> frozenset[Hashable]:
    return frozenset(word for turn in trajectory.user_turns for word in re.findall(r"[a-z0-9']+", turn.text.lower()))


def _by_task(trajectories: Sequence[Trajectory]) -> Mapping[str, list[Trajectory]]:
    found: dict[str, list[Trajectory]] = {}
    for trajectory in trajectories:
        found.setdefault(trajectory.task.id, []).append(trajectory)
    return found
