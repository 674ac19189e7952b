"""Does it leave where the user left, and does it tell when it is asked?"""

from __future__ import annotations

from collections.abc import Sequence

from ...data.acts import draft_of, mentions
from ...types import Estimate, Trajectory, Turn
from ..stats import estimate
from .moments import Moment
from .parts import Parts


def ending(said: Sequence[Turn], moments: Sequence[Moment]) -> Parts:
    """2 TP / (2 TP + FP + FN) of ending where the user did."""
    both = list(zip(said, moments, strict=True))
    hits = tuple(2.0 * (turn.ends and m.said.ends) for turn, m in both)
    return Parts(
        hits, tuple(float(turn.ends) + float(m.said.ends) for turn, m in both), tuple(m.task.id for m in moments)
    )


def termination_f1(said: Sequence[Turn], moments: Sequence[Moment]) -> Estimate:
    """F1 of ending where the user did (arXiv 2510.06552); NaN if nobody ends anywhere."""
    return ending(said, moments).found


def end_times(simulated: Sequence[Trajectory], real: Sequence[Trajectory]) -> dict[str, Estimate]:
    """Shares of dialogues that the simulator ends before, when, and after the user of the same task did.

    Counted in the user's turns; who does not end a dialogue by its last turn ends it later. Failed ones are left out.
    """
    ended = {t.task.id: _end(t) for t in real if not t.error}
    pairs = [(_end(t), ended[t.task.id], t.task.id) for t in simulated if not t.error and t.task.id in ended]
    when = ["early" if mine < theirs else "late" if mine > theirs else "on_time" for mine, theirs, _ in pairs]
    return {
        key: estimate([float(one == key) for one in when], [task for *_, task in pairs])
        for key in ("early", "on_time", "late")
    }


def _end(t: Trajectory) -> float:
    return float(len(t.user_turns)) if t.stop == "user_ended" else float("inf")


def reactions(said: Sequence[Turn], moments: Sequence[Moment]) -> dict[str, Estimate]:
    """What `said` shows at `moments`; tasks are the clusters.

    tells_when_asked: share of what was left unsaid that a turn gives away, where the assistant asks and there is any
    leaves_after_draft: share of turns that end the dialogue, where the assistant wrote something
    ends_f1: `termination_f1`
    """
    both = list(zip(said, moments, strict=True))
    told = [(_told(turn, m), m.task.id) for turn, m in both if m.asked and m.unsaid]
    left = [(float(turn.ends), m.task.id) for turn, m in both if draft_of(m.dialogue[-1].text)]
    return {
        "tells_when_asked": estimate([value for value, _ in told], [task for _, task in told]),
        "leaves_after_draft": estimate([value for value, _ in left], [task for _, task in left]),
        "ends_f1": termination_f1(said, moments),
    }


def _told(turn: Turn, moment: Moment) -> float:
    return sum(mentions(r, turn.text) for r in moment.unsaid) / len(moment.unsaid)
