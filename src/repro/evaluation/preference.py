"""Which assistant do people prefer, and how sure are we?

Every participant talks to every assistant about an own task and prefers by an own utility, or votes in the study app;
both become `Vote`s. A pair's win rate is the share of votes its first assistant wins, a tie counting half, as in the
user study of arXiv 2605.09808. Intervals are over participants and both arms' training seeds (`stats.py`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from repro.errors import ReproError
from repro.evaluation import stats
from repro.types import Estimate

Position = Literal["a_first", "b_first", "unknown"]

# A pair is named `<later>_vs_<earlier>`; an arm that is not listed comes last, so that a new simulator leads its pairs.
ARMS = (
    "initial", "roleplay_raw", "roleplay", "roleplay_persona", "roleplay_style", "roleplay_examples", "roleplay_warm",
    "roleplay_all", "exhaustive", "userlm", "oracle",
)  # fmt: skip
BOUND = 0.05  # ours: a win rate between 0.45 and 0.55 is called no difference; the paper calls 0.51 indistinguishable
NAN = float("nan")
Cluster = Literal["participant", "task"]


@dataclass(frozen=True)
class Vote:
    """One comparison. `outcome`: 1 a wins, 0.5 a tie, 0 b wins, NaN unscored. A seed of None: not trained."""

    participant: str
    task: str
    a: str
    b: str
    seed_a: int | None
    seed_b: int | None
    outcome: float
    position: Position = "unknown"  # which of the two the participant met first
    strength: float = NAN  # how much better, where it was asked; no win rate uses it

    def __post_init__(self) -> None:
        if self.a == self.b:
            raise ReproError(f"participant {self.participant} compares {self.a} with itself; give two different arms")
        if not math.isnan(self.outcome) and self.outcome not in (0.0, 0.5, 1.0):
            raise ReproError(f"outcome {self.outcome} of participant {self.participant} is not 1, 0.5, 0 or NaN")

    def flipped(self) -> Vote:
        """The same comparison told from the other side."""
        others: dict[Position, Position] = {"a_first": "b_first", "b_first": "a_first", "unknown": "unknown"}
        return replace(
            self, a=self.b, b=self.a, seed_a=self.seed_b, seed_b=self.seed_a,
            outcome=1.0 - self.outcome, position=others[self.position],
        )  # fmt: skip


@dataclass(frozen=True)
class Utility:
    """What one dialogue with one trained assistant was worth to a participant; NaN is unscored."""

    participant: str
    task: str
    arm: str
    seed: int | None
    value: float
    place: int = 0  # 1 for the first assistant the participant met, 2 for the second, ...; 0 is not recorded


@dataclass(frozen=True)
class PairResult:
    """How arm `a` did against arm `b`."""

    a: str
    b: str
    win_rate: Estimate  # ties count half; n counts votes, n_clusters participants
    win_rate_no_ties: Estimate
    p: float  # sign test, exact (mid-p), one vote per participant
    p_holm: float  # ... adjusted for all pairs reported together
    tost_p: float  # small: shown to lie within one half +- bound
    bound: float
    mde: float  # distance from one half that would have been found with power 0.8
    n_ties: int
    n_seeds_a: int  # 0: not trained
    n_seeds_b: int

    @property
    def pair(self) -> str:
        return f"{self.a}_vs_{self.b}"

    def as_numbers(self) -> dict[str, Estimate]:
        """What goes into numbers.json: `run.numbers(result.as_numbers())`."""
        rate = self.win_rate

        def single(value: float, unit: str) -> Estimate:
            return Estimate(value, NAN, NAN, rate.n, rate.n_unscored, rate.n_clusters, unit)

        numbers = {
            "winrate": rate,
            "winrate_no_ties": self.win_rate_no_ties,
            "p": single(self.p, "p"),
            "p_holm": single(self.p_holm, "p"),
            "tost_p": single(self.tost_p, "p"),
            "tost_bound": single(self.bound, "win rate"),
            "mde": single(self.mde, "win rate"),
            "n_participants": single(rate.n_clusters or 0, "voters"),
            "n_ties": single(self.n_ties, "votes"),
            "n_seeds_a": single(self.n_seeds_a, "seeds"),
            "n_seeds_b": single(self.n_seeds_b, "seeds"),
        }
        return {f"{name}.{self.pair}": number for name, number in numbers.items()}


@dataclass(frozen=True)
class PositionCheck:
    """Does the assistant met first win more often than one half?"""

    first_wins: Estimate
    p: float

    def as_numbers(self) -> dict[str, Estimate]:
        first = self.first_wins
        return {
            "position.first_wins": first,
            "position.p": Estimate(self.p, NAN, NAN, first.n, first.n_unscored, first.n_clusters, "p"),
        }


def prefer(utility_a: float, utility_b: float, margin: float = 0.0) -> float:
    """1 if `a` is better by more than `margin`, 0 if `b` is, 0.5 in between (a tie), NaN if either is unscored."""
    difference = utility_a - utility_b
    if math.isnan(difference):
        return NAN
    if abs(difference) <= margin + 1e-9:  # 0.8 - 0.7 is a tie at margin 0.1
        return 0.5
    return 1.0 if difference > 0 else 0.0


def votes_from(utilities: Sequence[Utility], *, margin: float = 0.0) -> list[Vote]:
    """Every comparison a participant can make on a task: all pairs of arms, each seed of one with each of the other."""
    met: dict[tuple[str, str], list[Utility]] = defaultdict(list)
    for utility in utilities:
        met[utility.participant, utility.task].append(utility)
    pairs = (pair for mine in met.values() for pair in combinations(mine, 2))
    return [_vote(one, two, margin) for one, two in pairs if one.arm != two.arm]


def _vote(one: Utility, two: Utility, margin: float) -> Vote:
    position: Position = "a_first" if one.place < two.place else "b_first"
    if not (one.place and two.place) or one.place == two.place:
        position = "unknown"
    outcome = prefer(one.value, two.value, margin)
    return Vote(one.participant, one.task, one.arm, two.arm, one.seed, two.seed, outcome, position)


def win_rate(
    votes: Sequence[Vote], *, a: str, b: str, cluster: Cluster | None = "participant", n_boot: int = 2000, seed: int = 0
) -> Estimate:
    """How often `a` wins against `b`, ties half, whichever way round a vote was cast; other pairs are left out.

    `cluster` names what is resampled: participants, or tasks (for a judge, who votes once on each); None: every vote
    on its own. Training seeds are not counted here; `win_rates` counts them. No vote on the pair: NaN with n = 0.
    """
    mine = [vote if vote.a == a else vote.flipped() for vote in votes if {vote.a, vote.b} == {a, b}]
    clusters = None if cluster is None else [getattr(vote, cluster) for vote in mine]
    return stats.estimate([vote.outcome for vote in mine], clusters, n_boot=n_boot, seed=seed, unit="win rate")


def win_rates(
    votes: Sequence[Vote], *, arms: Sequence[str] = ARMS, bound: float = BOUND, n_boot: int = 2000, seed: int = 0
) -> list[PairResult]:
    """Every pair that was compared, `<later in arms>_vs_<earlier>`; Holm over all of them. No votes, no pairs."""
    named = [name for vote in votes for name in (vote.a, vote.b)]
    rank = {arm: place for place, arm in enumerate(dict.fromkeys([*arms, *named]))}
    groups: dict[tuple[str, str], list[Vote]] = defaultdict(list)
    for vote in votes:
        vote = vote if rank[vote.a] > rank[vote.b] else vote.flipped()
        groups[vote.a, vote.b].append(vote)
    ordered = sorted(groups, key=lambda pair: (rank[pair[0]], rank[pair[1]]))
    results = [_compare(groups[pair], bound=bound, n_boot=n_boot, seed=seed) for pair in ordered]
    adjusted = stats.holm([result.p for result in results])
    return [replace(result, p_holm=p) for result, p in zip(results, adjusted, strict=True)]


def _compare(votes: Sequence[Vote], *, bound: float, n_boot: int, seed: int) -> PairResult:
    outcomes = [vote.outcome for vote in votes]
    clusters = _clusters(votes)
    decided = [vote for vote in votes if vote.outcome != 0.5]
    return PairResult(
        a=votes[0].a,
        b=votes[0].b,
        win_rate=stats.estimate(outcomes, clusters, n_boot=n_boot, seed=seed, unit="win rate"),
        win_rate_no_ties=stats.estimate(
            [vote.outcome for vote in decided], _clusters(decided), n_boot=n_boot, seed=seed, unit="win rate"
        ),
        p=stats.sign_test(outcomes, [vote.participant for vote in votes]),
        p_holm=NAN,  # known once all pairs are
        tost_p=stats.tost(outcomes, clusters, bound=bound, n_boot=n_boot, seed=seed),
        bound=bound,
        mde=stats.minimum_detectable_effect(outcomes, clusters, n_boot=n_boot, seed=seed),
        n_ties=len(votes) - len(decided),
        n_seeds_a=len({vote.seed_a for vote in votes} - {None}),
        n_seeds_b=len({vote.seed_b for vote in votes} - {None}),
    )


def _clusters(votes: Sequence[Vote]) -> Mapping[str, list[object]]:
    """Participants, and each arm's seeds on their own; seeds that only ever met in fixed pairs are one dimension."""
    seeds_a, seeds_b = [vote.seed_a for vote in votes], [vote.seed_b for vote in votes]
    clusters: dict[str, list[object]] = {"participant": [vote.participant for vote in votes]}
    pairs = list(zip(seeds_a, seeds_b, strict=True))
    if len(set(pairs)) == max(len(set(seeds_a)), len(set(seeds_b))):
        return {**clusters, "seeds": list(pairs)}
    return {**clusters, "seed_a": list(seeds_a), "seed_b": list(seeds_b)}


def position_check(
    votes: Sequence[Vote], *, cluster: Cluster = "participant", n_boot: int = 2000, seed: int = 0
) -> PositionCheck:
    """Share of comparisons won by the assistant met first (ties half), clustered by participant (of a judge: by task);
    near 0.5 if order does not matter, because orders are balanced. Votes without a position are left out."""
    placed = [vote if vote.position == "a_first" else vote.flipped() for vote in votes if vote.position != "unknown"]
    outcomes, people = [vote.outcome for vote in placed], [getattr(vote, cluster) for vote in placed]
    first_wins = stats.estimate(outcomes, people, n_boot=n_boot, seed=seed, unit="win rate")
    return PositionCheck(first_wins, stats.sign_test(outcomes, people))
