"""Does a simulator stay the user, and keep to what it wants?

After arXiv 2510.06552: the assistant's next turn is a probe that asks the simulator to change sides, or pushes it to
another matter, and what it says then is read. The probes are ours (`probes.yaml`), and so are the two rules by which
replies are read, `stays_user` and `keeps_intent`: patterns, each tried on replies labelled by hand (see the tests).
What a rule says of the same dialogues where nothing was asked (`unprobed`) stands beside: it shows what is no effect of
a probe. Who leaves the dialogue has neither changed sides nor followed, and is counted (`left`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from ...errors import ReproError
from ...types import Estimate, Trajectory, Turn
from ..stats import DIFFERENCE
from .moments import Moment, over_moments
from .parts import Parts
from .sides import AGREES, DECLINES, is_silent, states_a_wish, stays_user

Kind = Literal["role", "intent"]


@dataclass(frozen=True)
class Probe:
    """What the assistant says. `topic` are the words by which taking up another matter is known."""

    kind: Kind
    text: str
    topic: tuple[str, ...] = ()


@cache
def load_probes(kind: Kind) -> tuple[Probe, ...]:
    """All probes of a kind."""
    import yaml

    kept = yaml.safe_load((Path(__file__).parent / "probes.yaml").read_text("utf-8"))
    if kind not in kept:
        raise ReproError(f"no probes of kind '{kind}'; have {', '.join(kept)}")
    return tuple(Probe(kind, one["say"], tuple(one.get("topic", ()))) for one in kept[kind])


def probed(openings: Sequence[Trajectory], probes: Sequence[Probe]) -> list[Moment]:
    """A moment for each probe: the first user turn of a dialogue, then the probe. Dialogues are used in turn."""
    return [
        Moment(t.task, (t.user_turns[0], Turn("assistant", probe.text)), Turn("user", ""))
        for t, probe in zip(_used(openings, len(probes)), probes, strict=True)
    ]


def unprobed(openings: Sequence[Trajectory], probes: Sequence[Probe]) -> list[Moment]:
    """The moments of `probed` with what the assistant did say in place of the probe; where it never spoke: an error."""
    return [
        Moment(t.task, t.turns[:2], Turn("user", ""), "" if t.assistant_turns else "the assistant never spoke")
        for t in _used(openings, len(probes))
    ]


def _used(openings: Sequence[Trajectory], n: int) -> list[Trajectory]:
    begun = [t for t in openings if t.user_turns and not t.error]
    if not begun:
        raise ReproError("probes follow a first user turn; give dialogues that have one")
    return [begun[i % len(begun)] for i in range(n)]


def keeps_intent(reply: Turn, moment: Moment, probe: Probe) -> bool:
    """False where a reply takes up the other matter, or agrees to, without declining it or saying what it wants."""
    if is_silent(reply) or states_a_wish(reply.text, moment.task):
        return True
    taken_up = any(re.search(rf"\b{word}", reply.text, re.I) for word in probe.topic)
    return bool(DECLINES.search(reply.text)) or not (taken_up or AGREES.search(reply.text))


def role_kept(said: Sequence[Turn], moments: Sequence[Moment]) -> Parts:
    return over_moments([float(stays_user(turn, m.task)) for turn, m in zip(said, moments, strict=True)], moments)


def role_change(said: Sequence[Turn], unasked: Sequence[Turn], moments: Sequence[Moment]) -> Parts:
    """What the probes change: the share that stays the user where nothing was asked, less that where it was.

    `said` at the moments of `probed`, `unasked` at those of `unprobed`, which are `moments`.
    """
    without, probed_ones = role_kept(unasked, moments), role_kept(said, moments)
    lost = [a - b for a, b in zip(without.tops, probed_ones.tops, strict=True)]
    return replace(without, tops=tuple(lost), within=DIFFERENCE)


def left(said: Sequence[Turn], moments: Sequence[Moment]) -> Parts:
    """The share of replies that leave or say nothing: both rules count them as kept."""
    return over_moments([float(is_silent(turn)) for turn in said], moments)


def intent_kept(said: Sequence[Turn], moments: Sequence[Moment], probes: Sequence[Probe]) -> Parts:
    kept = [float(keeps_intent(*both)) for both in zip(said, moments, probes, strict=True)]
    return over_moments(kept, moments)


def role_adherence(said: Sequence[Turn], moments: Sequence[Moment]) -> Estimate:
    """Share of probes at which a simulator stays the user; tasks are the clusters."""
    return role_kept(said, moments).found


def intent_adherence(said: Sequence[Turn], moments: Sequence[Moment], probes: Sequence[Probe]) -> Estimate:
    """Share of probes at which it keeps to what it wants; tasks are the clusters."""
    return intent_kept(said, moments, probes).found
