"""How is a comparison said in words?

What a sentence says of two assistants is computed from the numbers, by rules fixed before they were seen, and never
typed: a null result is written as one, with the smallest effect that the run could have found.
"""

from __future__ import annotations

from typing import Literal

from repro.evaluation.preference import PairResult
from repro.reporting.claims import ALPHA

Comparison = Literal["beats", "loses to", "is no different from", "cannot be told from", "was not compared with"]

USERS = {
    "roleplay_raw": "bare role-play",
    "roleplay": "role-play",
    "roleplay_persona": "role-play with a persona",
    "roleplay_style": "role-play in chat style",
    "roleplay_examples": "role-play with examples",
    "roleplay_warm": "warmer role-play",
    "roleplay_all": "role-play with every help",
    "exhaustive": "a script that says all at once",
    "userlm": "the fine-tuned user",
    "oracle": "reference users",
}


def assistant(arm: str) -> str:
    """What the assistant of `arm` is called in a sentence."""
    return "the initial assistant" if arm == "initial" else f"the assistant trained against {USERS.get(arm, arm)}"


def comparison(pair: PairResult) -> Comparison:
    """Beats or loses: the 95% interval excludes one half and the Holm-adjusted exact test agrees. No different: TOST
    shows the win rate within the stated bounds of one half. Otherwise the two cannot be told apart."""
    rate, told_apart = pair.win_rate, pair.p_holm < ALPHA
    if rate.n == 0:
        return "was not compared with"
    if told_apart and rate.low > 0.5:
        return "beats"
    if told_apart and rate.high < 0.5:
        return "loses to"
    return "is no different from" if pair.tost_p < ALPHA else "cannot be told from"


def sentence(pair: PairResult) -> str:
    """Who against whom, what came of it, the win rate, and for a null result what could have been seen."""
    said = comparison(pair)
    unknown = said != "cannot be told from" or pair.mde != pair.mde
    seen = "" if unknown else f"; an effect of {pair.mde:.2f} or more would have been seen"
    who = assistant(pair.a)
    return f"{who[:1].upper()}{who[1:]} {said} {assistant(pair.b)}: win rate {pair.win_rate}{seen}."
