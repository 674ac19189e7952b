"""Does it leave where the user left, and does it tell when it is asked?"""

from __future__ import annotations

from collections.abc import Sequence

from ...data.acts import draft_of, mentions
from ...types import Estimate, Trajectory, Turn
from ..stats import estimate
from .moments import Moment, over_moments
from .parts import Parts

NAN, NEVER = float("nan"), float("inf")


def ending(said: Sequence[Turn], moments: Sequence[Moment]) -> Parts:
    """2 TP / (2 TP + FP + FN) of ending where the user did."""
    both = list(zip(said, moments, strict=True))
    hits = tuple(NAN if m.error else 2.0 * (turn.ends and m.said.ends) for turn, m in both)
    return Parts(
        hits, tuple(float(turn.ends) + float(m.said.ends) for turn, m in both), tuple(m.task.id for m in moments)
    )


def termination_f1(said: Sequence[Turn], moments: Sequence[Moment]) -> Estimate:
    """F1 of ending where the user did (arXiv 2510.06552); NaN if nobody ends anywhere."""
    return ending(said, moments).found


def end_times(simulated: Sequence[Trajectory], real: Sequence[Trajectory]) -> dict[str, Estimate]:
    """Shares of dialogues that the simulator ends before, when, and after the user of the same task did: "early",
    "on_time", "late".

    Counted in the user's turns; who did not leave by the last turn would have left later than one who did. A dialogue
    that neither left says nothing of when, and is unscored; so is one that failed on either side, or that no user held.
    """
    ended = {t.task.id: _end(t) for t in real}
    when, tasks = [_when(_end(t), ended.get(t.task.id, NAN)) for t in simulated], [t.task.id for t in simulated]
    return {
        key: estimate([float(one == key) if one else NAN for one in when], tasks)
        for key in ("early", "on_time", "late")
    }


def _end(t: Trajectory) -> float:
    if t.error:
        return NAN
    return float(len(t.user_turns)) if t.stop == "user_ended" else NEVER


def _when(mine: float, theirs: float) -> str:
    if mine == theirs:
        return "on_time" if mine < NEVER else ""
    return "early" if mine < theirs else "late" if mine > theirs else ""  # NaN is neither


def reactions(said: Sequence[Turn], moments: Sequence[Moment]) -> dict[str, Estimate]:
    """What `said` shows at `moments`; tasks are the clusters, and dialogues that failed are unscored.

    tells_when_asked: share of what was left unsaid that a turn gives away, where the assistant asks and there is any
    leaves_after_draft: share of turns that end the dialogue, where the assistant wrote something
    ends_f1: `termination_f1`
    """
    both = list(zip(said, moments, strict=True))
    told = [(turn, m) for turn, m in both if m.error or (m.asked and m.unsaid)]
    drafted = [(turn, m) for turn, m in both if m.error or draft_of(m.dialogue[-1].text)]
    return {
        "tells_when_asked": over_moments([_told(turn, m) for turn, m in told], [m for _, m in told]).found,
        "leaves_after_draft": over_moments([float(turn.ends) for turn, _ in drafted], [m for _, m in drafted]).found,
        "ends_f1": termination_f1(said, moments),
    }


def _told(turn: Turn, moment: Moment) -> float:
    return sum(mentions(r, turn.text) for r in moment.unsaid) / max(1, len(moment.unsaid))
