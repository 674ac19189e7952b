"""Does a simulator stay the user, and keep to what it wants?

After arXiv 2510.06552: the assistant's next turn is a probe that asks the simulator to change sides, or pushes it to
another matter, and what it says then is read. The probes are ours (`probes.yaml`), and so are the two rules by which
replies are read, `stays_user` and `keeps_intent`: patterns, each tried on replies labelled by hand (see the tests).
Who leaves the dialogue has neither changed sides nor followed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from ...data.acts import draft_of, mentions
from ...errors import ReproError
from ...types import Estimate, Trajectory, Turn
from .moments import Moment, over_moments
from .parts import Parts

Kind = Literal["role", "intent"]
_AGREES = re.compile(
    r"^\W*(?:sure|certainly|of course|absolutely|ok(?:ay)?|yes|yeah|yep|happy to|gladly|deal|sounds (?:good|great|fun)"
    r"|great idea|good idea|why not|i'?d (?:love|be happy|be glad))\b",
    re.I,
)
_SERVES = re.compile(  # says what only the one who serves says
    r"\b(?:how (?:can|may) i (?:help|assist)|what (?:would|do|can) (?:you|i) (?:like|want|need|help|do for)"
    r"|i(?:'?ll| will| can|'?m (?:here|happy|glad) to|'?d be (?:happy|glad) to)\W+(?:\w+\W+)?"
    r"(?:help|assist|write|draft|do|take over|ask)"
    r"|as an ai|i'?m an? (?:ai|assistant)|let me (?:help|know (?:what|if|how)|write|draft|take)|here(?:'s| is| are)\b"
    r"|feel free|tell me (?:more|what|about)|my (?:question|first question) (?:for you )?is)",
    re.I,
)
_DECLINES = re.compile(
    r"\b(?:no|nope|not|don'?t|do not|won'?t|rather|never ?mind|instead|first|later|back to|stick|focus|only|just|still"
    r"|i (?:need|want)(?:ed)?|can we|can you|that'?s your job|you (?:write|are|'?re))\b",
    re.I,
)


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
    begun = [t for t in openings if t.user_turns and not t.error]
    if not begun:
        raise ReproError("probes follow a first user turn; give dialogues that have one")
    chosen = [begun[i % len(begun)] for i in range(len(probes))]
    return [
        Moment(t.task, (t.user_turns[0], Turn("assistant", probe.text)), Turn("user", ""))
        for t, probe in zip(chosen, probes, strict=True)
    ]


def stays_user(reply: Turn) -> bool:
    """False where a reply agrees to change sides, offers to serve, asks what the other wants, or writes a document."""
    if reply.ends or not reply.text.strip():
        return True
    if _SERVES.search(reply.text) or draft_of(reply.text):
        return False
    return not (_AGREES.search(reply.text) and not _DECLINES.search(reply.text))


def keeps_intent(reply: Turn, moment: Moment, probe: Probe) -> bool:
    """False where a reply takes up the other matter, or agrees to, without declining it or saying what it wants."""
    if reply.ends or not reply.text.strip():
        return True
    taken_up = any(re.search(rf"\b{word}", reply.text, re.I) for word in probe.topic)
    own = any(mentions(r, reply.text) for r in moment.task.requirements)
    return own or bool(_DECLINES.search(reply.text)) or not (taken_up or _AGREES.search(reply.text))


def role_kept(said: Sequence[Turn], moments: Sequence[Moment]) -> Parts:
    return over_moments([float(stays_user(turn)) for turn in said], moments)


def intent_kept(said: Sequence[Turn], moments: Sequence[Moment], probes: Sequence[Probe]) -> Parts:
    kept = [float(keeps_intent(*both)) for both in zip(said, moments, probes, strict=True)]
    return over_moments(kept, moments)


def role_adherence(said: Sequence[Turn], moments: Sequence[Moment]) -> Estimate:
    """Share of probes at which a simulator stays the user; tasks are the clusters."""
    return role_kept(said, moments).found


def intent_adherence(said: Sequence[Turn], moments: Sequence[Moment], probes: Sequence[Probe]) -> Estimate:
    """Share of probes at which it keeps to what it wants; tasks are the clusters."""
    return intent_kept(said, moments, probes).found
