"""How many people does a study need, and what can it show?

A vote is 1, 1/2 or 0, so its variance follows from the win rate w and the share of ties; m votes of one participant are
worth less than m votes of m participants, by Kish's design effect:

    sd of a participant's mean = sqrt((w (1 - w) - ties / 4) (1 + (m - 1) icc) / m),    d = (w - 1/2) / sd

and the number of participants solves the power of a one-sample t test at d (Cohen 1988, chapter 2; through pingouin).
`icc` is the correlation between two votes of one participant.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ReproError

PUBLISHED = (0.51, 0.57, 0.58)  # arXiv 2605.09808, win rates of its user study
N_PUBLISHED = 283  # arXiv 2605.09808, its participants


@dataclass(frozen=True)
class Design:
    """What is assumed of the votes: how many each participant casts, how alike theirs are, how many are ties."""

    votes_each: int = 1
    icc: float = 0.0
    ties: float = 0.0

    def __post_init__(self) -> None:
        if self.votes_each < 1 or not 0 <= self.icc < 1 or not 0 <= self.ties < 1:
            raise ReproError(
                f"a design needs 1 vote each or more, and 0 <= icc < 1, 0 <= ties < 1; got {self.votes_each} votes, "
                f"icc {self.icc}, ties {self.ties}"
            )

    def sd(self, win_rate: float) -> float:
        """The standard deviation of a participant's mean."""
        variance = win_rate * (1 - win_rate) - self.ties / 4
        if variance <= 0 or not self.ties / 2 <= win_rate <= 1 - self.ties / 2:
            raise ReproError(f"no votes have a win rate of {win_rate} and {self.ties:.0%} ties; give fewer ties")
        return math.sqrt(variance * (1 + (self.votes_each - 1) * self.icc) / self.votes_each)


@dataclass(frozen=True)
class Shown:
    """What a study of `n` participants would show if it found `win_rate`."""

    win_rate: float
    n: int
    low: float  # of the 95% interval
    high: float
    p: float  # two-sided, against one half
    tost_p: float  # within one half +- bound
    power: float  # to tell this win rate from one half, if it is the true one
    mde: float  # the smallest distance from one half that is found with power 0.8

    @property
    def reading(self) -> str:
        if self.p < 0.05:
            return "different from one half"
        return "no different from one half" if self.tost_p < 0.05 else "open: neither different nor shown to be alike"


def participants_needed(effect: float, *, power: float = 0.8, alpha: float = 0.05, design: Design | None = None) -> int:
    """How many participants tell a true win rate of `effect` from one half with this power; two-sided at `alpha`."""
    import pingouin

    if not 0 < effect < 1 or effect == 0.5 or not 0 < alpha < power < 1:
        raise ReproError(
            f"need a win rate between 0 and 1 other than 0.5, and 0 < alpha < power < 1; got {effect}, {alpha}, {power}"
        )
    d = abs(effect - 0.5) / (design or Design()).sd(effect)
    n = float(pingouin.power_ttest(d=d, power=power, alpha=alpha, contrast="one-sample"))
    return max(2, math.ceil(n - 1e-9))


def detectable(n: int, *, power: float = 0.8, alpha: float = 0.05, design: Design | None = None) -> float:
    """The smallest distance above one half that `n` participants would find with this power, d sd(1/2 + effect)."""
    import pingouin

    d, of = float(pingouin.power_ttest(n=n, power=power, alpha=alpha, contrast="one-sample")), design or Design()
    effect = 0.0
    for _ in range(20):  # the spread shrinks a little away from one half; this settles within a few rounds
        effect = d * of.sd(0.5 + effect)
    return effect


def power_of(effect: float, n: int, *, alpha: float = 0.05, design: Design | None = None) -> float:
    """How often `n` participants tell a true win rate of `effect` from one half."""
    import pingouin

    d = abs(effect - 0.5) / (design or Design()).sd(effect)
    return float(pingouin.power_ttest(d=d, n=n, alpha=alpha, contrast="one-sample"))


def shown(win_rate: float, n: int = N_PUBLISHED, *, bound: float = 0.05, design: Design | None = None) -> Shown:
    """What follows from a win rate and a number of participants under the assumptions of `design`."""
    from scipy.stats import t

    of = design or Design()
    error = of.sd(win_rate) / math.sqrt(n)
    half, shift = float(t.ppf(0.975, n - 1)) * error, win_rate - 0.5
    alike = max(float(t.sf((shift + bound) / error, n - 1)), float(t.cdf((shift - bound) / error, n - 1)))
    return Shown(
        win_rate, n, win_rate - half, win_rate + half, float(2 * t.sf(abs(shift) / error, n - 1)), alike,
        power_of(win_rate, n, design=of) if shift else 0.05, detectable(n, design=of),
    )  # fmt: skip


def design_effect_table(
    designs: Sequence[Design], *, rates: Sequence[float] = PUBLISHED, n: int = N_PUBLISHED
) -> list[dict[str, float | str]]:
    """One row for each design and win rate: the assumptions, and what is `shown`."""
    rows = []
    for design in designs:
        for rate in rates:
            found = shown(rate, n, design=design)
            rows.append({**vars(design), **vars(found), "reading": found.reading})
    return rows


def add_verb(asked: Any) -> None:
    """`repro study plan`, among the commands of `repro study`."""
    plan = asked.add_parser("plan", help="how many participants tell a win rate from one half")
    plan.add_argument("--effect", type=float, default=0.57, help="the true win rate, ties counting half (0.57)")
    plan.add_argument("--power", type=float, default=0.8, help="how often it should be found (0.8)")
    plan.add_argument("--alpha", type=float, default=0.05, help="two-sided level of the test (0.05)")
    plan.add_argument("--votes", type=int, default=1, help="votes of each participant on the pair (1)")
    plan.add_argument("--icc", type=float, default=0.0, help="correlation of two votes of one participant (0)")
    plan.add_argument("--ties", type=float, default=0.0, help="share of ties (0)")
    plan.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    design = Design(arguments.votes, arguments.icc, arguments.ties)
    how: dict[str, Any] = {"power": arguments.power, "alpha": arguments.alpha, "design": design}
    n = participants_needed(arguments.effect, **how)
    print(f"{n} participants, {n * design.votes_each} votes on the pair")
    print(f"  to tell a win rate of {arguments.effect:.2f} from one half in {arguments.power:.0%} of such studies")
    seen = 0.5 + detectable(N_PUBLISHED, **how)
    print(f"  with {N_PUBLISHED} participants: {seen:.3f} or more would be found so often")
