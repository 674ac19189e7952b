"""How is a comparison said in words?

What a sentence says of two assistants is computed from the numbers, by rules fixed before they were seen, and never
typed: a null result is written as one, with the smallest effect that the run could have found.
"""

from __future__ import annotations

from typing import Literal

from repro.evaluation.preference import PairResult
from repro.reporting.claims import ALPHA
from repro.reporting.style import arm_label

Comparison = Literal["beats", "loses to", "is no different from", "cannot be told from", "was not compared with"]


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
    """One sentence: who against whom, what came of it, the win rate, and what could have been seen."""
    said = comparison(pair)
    seen = f"; an effect of {pair.mde:.2f} or more would have been seen" if said == "cannot be told from" else ""
    seen = seen if pair.mde == pair.mde else ""
    return f"{arm_label(pair.a)} {said} {arm_label(pair.b)}: win rate {pair.win_rate}{seen}."
