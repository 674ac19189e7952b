"""Does a simulator talk as users do?

Measures after arXiv 2510.06552, taken of any simulator and of users alike. Some need dialogues that the simulator held:
how different first turns are, how much of what is wanted each turn says. Others put it in the user's place at points of
dialogues that users held, so that all are asked the same: does it tell more when it is asked, does it leave where the
user left? How well a user would do who is drawn again is the ceiling of the latter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..data.acts import draft_of, mentions, question_of
from ..models.base import ChatModel
from ..rollouts.dialogue import BATCH_SIZE
from ..seeds import rng
from ..simulators.base import UserSimulator
from ..types import Estimate, Requirement, Task, Trajectory, Turn
from .stats import LEVEL, estimate, ratio

if TYPE_CHECKING:
    import pandas as pd

_WORD = re.compile(r"[a-z0-9']+")


class SpeaksWithModel(Protocol):
    """A simulator that is a model which was told something: role-play, or a user language model."""

    @property
    def model(self) -> ChatModel: ...

    def told(self, task: Task, seed: int) -> Turn:
        """The system turn."""
        ...


@dataclass(frozen=True)
class Moment:
    """A point of a dialogue at which the user spoke, and what they said."""

    task: Task
    dialogue: tuple[Turn, ...]
    said: Turn

    @property
    def unsaid(self) -> list[Requirement]:
        """What the user has not given away before."""
        before = "\n".join(turn.text for turn in self.dialogue if turn.role == "user")
        return [r for r in self.task.requirements if not mentions(r, before)]

    @property
    def asked(self) -> bool:
        """Whether the assistant asks and writes nothing yet."""
        heard = self.dialogue[-1].text
        return bool(question_of(heard)) and not draft_of(heard)


def first_turn_diversity(trajectories: Sequence[Trajectory], *, n_boot: int = 1000, seed: int = 0) -> Estimate:
    """Mean pairwise unigram difference of first turns: the mean of 1 - |A & B| / |A | B| over pairs of word sets.

    The interval resamples dialogues; a dialogue drawn twice is not compared with itself. Fewer than two: NaN.
    """
    turns = [t.user_turns[0].text for t in trajectories if t.user_turns and not t.error]
    n, n_unscored = len(turns), len(trajectories) - len(turns)
    if n < 2:
        return Estimate(float("nan"), float("nan"), float("nan"), n, n_unscored, n)
    apart = _differences([set(_WORD.findall(turn.lower())) for turn in turns])  # (n, n), zeros on the diagonal
    drawn = rng(seed, "diversity").multinomial(n, np.full(n, 1 / n), size=n_boot).astype(float)  # (B, n)
    pairs = drawn.sum(1) ** 2 - (drawn**2).sum(1)
    with np.errstate(invalid="ignore"):  # a draw of one dialogue alone has no pairs and is no replicate
        means = np.einsum("bi,ij,bj->b", drawn, apart, drawn) / pairs
    low, high = np.nanquantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(apart.sum() / (n * (n - 1))), float(low), float(high), n, n_unscored, n)


def _differences(words: Sequence[set[str]]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    apart = np.zeros((len(words), len(words)))
    for i, a in enumerate(words):
        for j, b in enumerate(words[:i]):
            apart[i, j] = apart[j, i] = 1 - len(a & b) / len(a | b) if a | b else 0.0
    return apart


def overlap_with_wishes(trajectories: Sequence[Trajectory], turn: int) -> Estimate:
    """The share of what is wanted (words of the intent and of each wish) that user turn number `turn` (1, 2, ...) says.

    Paper B's overlap with the intent; here the wishes belong to it. Dialogues without that turn are left out.
    """
    there = [t for t in trajectories if not t.error and len(t.user_turns) >= turn and t.user_turns[turn - 1].text]
    shares = [_share(t.task, t.user_turns[turn - 1].text) for t in there]
    return estimate(shares, [t.task.id for t in there])


def _share(task: Task, text: str) -> float:
    wanted = set(
        _WORD.findall(" ".join([task.intent.partition(" help ")[2], *(r.value for r in task.requirements)]).lower())
    )
    return len(wanted & set(_WORD.findall(text.lower()))) / max(1, len(wanted))


def moments_of(trajectories: Sequence[Trajectory]) -> list[Moment]:
    """Every user turn but the first, with what came before it."""
    return [
        Moment(t.task, t.turns[:i], turn)
        for t in trajectories
        if not t.error
        for i, turn in enumerate(t.turns)
        if i and turn.role == "user"
    ]


def perplexity(user: SpeaksWithModel, trajectories: Sequence[Trajectory], *, seed: int) -> Estimate:
    """How surprised a simulator's model is by what users said: exp of the mean negative log-probability of a token.

    After arXiv 2510.06552: conditioned on what the simulator is told and on the dialogue so far. First turns count;
    marks of the end do not, because simulators take leave in different ways. Tasks are the clusters.
    """
    spoken = [
        (t.task, t.turns[:i], Turn("user", turn.text))
        for t in trajectories
        if not t.error
        for i, turn in enumerate(t.turns)
        if turn.role == "user" and turn.text
    ]
    contexts = [[user.told(task, seed), *before] for task, before, _ in spoken]
    logps = [row[:-1] for row in user.model.logps(contexts, [turn for *_, turn in spoken])]  # the last is the end mark
    surprise = ratio([-sum(row) for row in logps], [float(len(row)) for row in logps], [task.id for task, *_ in spoken])
    value, low, high = np.exp([surprise.value, surprise.low, surprise.high])
    return replace(surprise, value=float(value), low=float(low), high=float(high), unit="perplexity")


def in_their_place(user: UserSimulator, moments: Sequence[Moment], *, seed: int) -> list[Turn]:
    """What `user` says at each moment."""
    turns: list[Turn] = []
    for i in range(0, len(moments), BATCH_SIZE):
        part = moments[i : i + BATCH_SIZE]
        turns += user.reply([m.task for m in part], [m.dialogue for m in part], seed=seed)
    return turns


def reactions(said: Sequence[Turn], moments: Sequence[Moment]) -> dict[str, Estimate]:
    """What `said` shows at `moments`; tasks are the clusters.

    tells_when_asked: share of what was left unsaid that a turn gives away, where the assistant asks and there is any
    leaves_after_draft: share of turns that end the dialogue, where the assistant wrote something
    ends_f1: F1 of ending where the user did, 2 TP / (2 TP + FP + FN); NaN if nobody ends anywhere
    """
    both = list(zip(said, moments, strict=True))
    told = [(_told(turn, m), m.task.id) for turn, m in both if m.asked and m.unsaid]
    left = [(float(turn.ends), m.task.id) for turn, m in both if draft_of(m.dialogue[-1].text)]
    hits = [2.0 * (turn.ends and m.said.ends) for turn, m in both]
    ends = [float(turn.ends) + float(m.said.ends) for turn, m in both]
    return {
        "tells_when_asked": estimate([value for value, _ in told], [task for _, task in told]),
        "leaves_after_draft": estimate([value for value, _ in left], [task for _, task in left]),
        "ends_f1": ratio(hits, ends, [m.task.id for m in moments]),
    }


def _told(turn: Turn, moment: Moment) -> float:
    return sum(mentions(r, turn.text) for r in moment.unsaid) / len(moment.unsaid)


def realism_table(
    spoken: Mapping[str, Sequence[Trajectory]], reacted: Mapping[str, Sequence[Turn]], moments: Sequence[Moment]
) -> pd.DataFrame:
    """All measures of each simulator: columns simulator, measure, value, low, high, n, n_unscored."""
    import pandas as pd

    rows = []
    for name, trajectories in spoken.items():
        found = {"first_turn_diversity": first_turn_diversity(trajectories)}
        found |= {f"overlap_turn_{k}": overlap_with_wishes(trajectories, k) for k in (1, 2, 3)}
        found |= reactions(reacted[name], moments) if name in reacted else {}
        rows += [{"simulator": name, "measure": measure, **e.row} for measure, e in found.items()]
    return pd.DataFrame(rows)
