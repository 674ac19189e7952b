"""Is the simulator human-like? Is the assistant better?"""

from repro.evaluation.preference import (
    ARMS,
    PairResult,
    PositionCheck,
    Utility,
    Vote,
    position_check,
    prefer,
    votes_from,
    win_rate,
    win_rates,
)
from repro.evaluation.stats import (
    cluster_bootstrap,
    estimate,
    holm,
    minimum_detectable_effect,
    ratio,
    sign_test,
    tost,
    tost_proportion,
)

__all__ = [
    "ARMS",
    "PairResult",
    "PositionCheck",
    "Utility",
    "Vote",
    "cluster_bootstrap",
    "estimate",
    "holm",
    "minimum_detectable_effect",
    "position_check",
    "prefer",
    "ratio",
    "sign_test",
    "tost",
    "tost_proportion",
    "votes_from",
    "win_rate",
    "win_rates",
]
