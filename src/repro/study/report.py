"""What did the people of a study prefer?

The rows of the export become votes as notebook 08 reads them, so that people, reference users and judges are counted
alike: "no difference" and "neither is good" are ties; a comparison that was opened and not voted is unscored, and
counted as that. Who failed more attention checks than the study allows is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from repro.evaluation.preference import PairResult, PositionCheck, position_check, win_rates
from repro.evaluation.votes import votes_of

from .export import COLUMNS, look_rows, times, vote_rows
from .store import Store


@dataclass(frozen=True)
class Report:
    """The results of a study."""

    title: str
    pairs: list[PairResult]
    position: PositionCheck | None  # None: no votes
    n_participants: int  # in the analysis
    n_left_out: int  # participants, for attention checks
    n_both_bad: int
    n_looks: int  # at the win rates, before this


def report(store: Store, *, n_boot: int = 2000) -> Report:
    """The results so far."""
    import pandas as pd

    rows = vote_rows(store)
    votes = votes_of(pd.DataFrame(rows, columns=list(COLUMNS["votes"])))
    voted = [vote for vote in votes if not math.isnan(vote.outcome)]
    people = {vote.participant for vote in voted}
    compared = {(vote.a, vote.b) for vote in voted}
    counted = [vote for vote in votes if (vote.a, vote.b) in compared]  # a pair without a vote has no rate
    return Report(
        title=store.design.title,
        pairs=win_rates(counted, arms=list(store.design.assistants), n_boot=n_boot) if voted else [],
        position=position_check(voted, n_boot=n_boot) if voted else None,
        n_participants=len(people),
        n_left_out=len({row["participant"] for row in rows if row["left_out"]}),
        n_both_bad=sum(row["vote"] == "both_bad" and not row["left_out"] for row in rows),
        n_looks=len(look_rows(store)),
    )


def as_text(found: Report) -> str:
    """What a person reads."""
    if not found.pairs:
        return f"{found.title}: no votes yet"
    lines = [
        f"{found.title}: {found.n_participants} participants voted, {found.n_left_out} left out for attention checks",
        "share of votes for the first of a pair, ties as half; participants resampled",
    ]
    width = max(len(pair.pair) for pair in found.pairs)
    lines += [
        f"  {pair.pair:<{width}}  {pair.win_rate}, without ties {pair.win_rate_no_ties}, {pair.n_ties} ties, "
        f"p={pair.p:.3f} (Holm {pair.p_holm:.3f}), detectable {pair.mde:.2f}"
        for pair in found.pairs
    ]
    if found.position:
        lines.append(f"the one shown as A wins {found.position.first_wins}, p={found.position.p:.3f}")
    lines.append(f"'neither is good': {found.n_both_bad} votes; win rates were looked at {times(found.n_looks)} before")
    return "\n".join(lines)
