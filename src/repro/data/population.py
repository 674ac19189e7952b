"""Who are the reference users?

Each user id has fixed traits, drawn once from the distributions below by a hash of the id: how much they say
unasked, how they answer, how long they stay and how they type. Published facts bound the numbers where we know
of any; the rest are ours and marked so. These users stand in for people: nothing here was fitted to people.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Literal, TypeVar

from repro.seeds import derive
from repro.types import Requirement, Task

T = TypeVar("T")
Register = Literal["plain", "casual", "polite", "terse"]

# Each table is (value, weight). Users reveal what they want little by little (arXiv 2510.06552, UserLM): most say
# little at first. How little is ours: the mean share is about 0.2, nearly half say nothing but what to write.
SAYS_FIRST = ((0.0, 0.42), (0.2, 0.22), (0.4, 0.20), (0.6, 0.12), (0.85, 0.04))  # ours
ANSWERS = ((0.95, 0.42), (0.8, 0.28), (0.55, 0.18), (0.25, 0.12))  # ours: chance to answer an item asked for by name
GENERIC_FACTOR = 0.62  # ours: an open question gets fewer answers than one that names things
BRUSHES_OFF = ((0.0, 0.5), (0.08, 0.3), (0.3, 0.15), (0.7, 0.05))  # ours: "idk just write it", for each question
VOLUNTEERS = ((0.0, 0.35), (0.15, 0.35), (0.4, 0.2), (0.7, 0.1))  # ours: chance to add an item nobody asked for
CORRECTS = ((0.0, 0.35), (0.25, 0.3), (0.5, 0.25), (0.8, 0.1))  # ours: chance to mend a poor draft if still there
LEAVES = (
    (0.25, 0.25),
    (0.5, 0.4),
    (0.75, 0.35),
)  # ours, mean 0.52; WildChat has 2.54 turns a conversation (arXiv 2405.01470)
PATIENCE = (
    (2, 0.15),
    (3, 0.35),
    (4, 0.3),
    (6, 0.2),
)  # ours: own turns before leaving for certain; the mean of WildChat is 2.54
REGISTERS: tuple[tuple[Register, float], ...] = (
    ("casual", 0.33),
    ("plain", 0.25),
    ("terse", 0.3),
    ("polite", 0.12),
)  # ours
P_LOWER_CASE = {"casual": 0.92, "plain": 0.62, "terse": 0.8, "polite": 0.2}  # ours: two thirds overall
# Uncorrected errors: 1.17% of characters at a keyboard (Dhakal et al., CHI 2018), 2.3% on phones (Palin et al.,
# MobileHCI 2019): 5-10% of words of five letters if each were typed once. Chat tools have spelling help: we take less.
TYPOS = ((0.0, 0.5), (0.02, 0.3), (0.06, 0.2))
P_GREETS = {"casual": 0.25, "plain": 0.15, "terse": 0.03, "polite": 0.5}  # ours
THANKS = ((0.0, 0.35), (0.4, 0.35), (0.9, 0.3))  # ours: chance to end with a word instead of in silence
P_CHANGES_MIND = 0.06  # ours: says one value first and corrects it later


@dataclass(frozen=True)
class Traits:
    """How one user talks. Numbers are chances between 0 and 1 unless said otherwise."""

    says_first: float  # of stating each requirement in the first turn
    answers: float  # of answering each item that a question names
    brushes_off: float  # of answering a question with "just write it"
    volunteers: float  # of adding an item that was not asked for
    corrects: float  # of saying what a poor draft lacks, if they stay
    leaves: float  # of leaving after a poor draft
    patience: int  # user turns before leaving for certain
    register: Register
    lower_case: bool
    typos: float  # per word
    greets: bool
    thanks: float  # of saying thanks when leaving content
    changes_mind: bool


@lru_cache(maxsize=100_000)
def traits_of(user_id: str) -> Traits:
    """The traits of a user: the same in every process and for every task of theirs."""
    draw = Random(derive(0, "traits", user_id))
    register = _pick(draw, REGISTERS)
    return Traits(
        says_first=_pick(draw, SAYS_FIRST),
        answers=_pick(draw, ANSWERS),
        brushes_off=_pick(draw, BRUSHES_OFF),
        volunteers=_pick(draw, VOLUNTEERS),
        corrects=_pick(draw, CORRECTS),
        leaves=_pick(draw, LEAVES),
        patience=_pick(draw, PATIENCE),
        register=register,
        lower_case=draw.random() < P_LOWER_CASE[register],
        typos=_pick(draw, TYPOS),
        greets=draw.random() < P_GREETS[register],
        thanks=_pick(draw, THANKS),
        changes_mind=draw.random() < P_CHANGES_MIND,
    )


def talkative(user_id: str) -> Traits:
    """The same user, on a day when they say nearly everything at once and stay: for corpora that must show copying."""
    return replace(
        traits_of(user_id), says_first=0.9, answers=0.95, brushes_off=0.0, corrects=0.9, leaves=0.15, patience=6
    )


def decoy_of(task: Task) -> Requirement | None:
    """What a user who changes their mind says first: a requirement of the task with another number in its value."""
    open_ones = [r for r in task.requirements if r.kind in ("date", "time", "count", "amount")]
    if not open_ones:
        return None
    draw = Random(derive(0, "decoy", task.id))
    chosen = draw.choice(open_ones)
    return replace(chosen, value=re.sub(r"\d+", lambda m: _other(int(m[0]), chosen.kind, draw), chosen.value, count=1))


def _other(number: int, kind: str, draw: Random) -> str:
    """A nearby number that is still a day of the month, an hour, a count or a price."""
    top = {"date": 28, "time": 12}.get(kind, 10 * number + 10)
    near = [n for n in range(max(1, number - 3), min(top, number + 3) + 1) if n != number]
    return str(draw.choice(near))


def _pick(draw: Random, table: Sequence[tuple[T, float]]) -> T:
    return draw.choices([value for value, _ in table], weights=[weight for _, weight in table])[0]
