"""Can this judge be believed?

Before a judge's verdicts count, they are held against votes of people on the same comparisons: does it agree with them
beyond chance, does it favour what it sees first, what is longer, and does it say the same twice?

    kappa = (agreement - expected) / (1 - expected),    expected = sum_k p_k q_k        (Cohen 1960)

Verdicts are 1, 1/2 (a tie) and 0. Intervals draw participants, or tasks, again as clusters.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from ..errors import ReproError
from ..types import Estimate
from . import stats
from .preference import NAN, PositionCheck, Vote, position_check
from .resampling import Floats, cluster_weights

Key = tuple[str, str, str]  # task and the pair, in alphabetical order


@dataclass(frozen=True)
class JudgeQuality:
    """What was found out about a judge. NaN where the votes cannot tell."""

    agreement: Estimate  # share of people's votes that the judge shares
    kappa: Estimate
    voters_kappa: Estimate  # between two votes on one comparison by different people: what can be reached
    position: PositionCheck  # how often what came first wins
    longer_wins: Estimate  # how often the longer answer wins with the judge
    longer_wins_voters: Estimate  # ... and with those who voted, on the same comparisons
    consistency: Estimate  # share of comparisons on which both orders gave the same verdict

    def as_numbers(self, name: str) -> dict[str, Estimate]:
        """`judge.<name>.<what>`, ready for `run.numbers`."""
        found = {
            "agreement": self.agreement, "kappa": self.kappa, "voters_kappa": self.voters_kappa,
            "first_wins": self.position.first_wins, "longer_wins": self.longer_wins,
            "longer_wins_voters": self.longer_wins_voters, "consistency": self.consistency,
        }  # fmt: skip
        return {f"judge.{name}.{key}": value for key, value in found.items()}


def judge_quality(
    judged: Sequence[Vote], people: Sequence[Vote], *, n_words: Mapping[tuple[str, str], int] | None = None,
    seed: int = 0,
) -> JudgeQuality:  # fmt: skip
    """`judged` are the judge's votes (both orders, if it was asked in both), `people` those of people or of reference
    users; they are matched by task and pair. `n_words` maps (task, arm) to the length of the answer."""
    verdict = _verdicts(judged)
    if not (shared := [vote for vote in map(_ordered, people) if _key(vote) in verdict]):
        raise ReproError("the judge and the people compared nothing in common; give votes on the same tasks and arms")
    theirs, its = [vote.outcome for vote in shared], [_rounded(verdict[_key(vote)]) for vote in shared]
    who = [vote.participant for vote in shared]
    one, two, tasks = _pairs_of_people(shared)
    same = [NAN if a != a or b != b else float(a == b) for a, b in zip(theirs, its, strict=True)]
    lengths = n_words or {}
    return JudgeQuality(
        agreement=stats.estimate(same, who, seed=seed, unit="share of votes"),
        kappa=kappa(theirs, its, who, seed=seed),
        voters_kappa=kappa(one, two, tasks, seed=seed),
        position=position_check(judged, cluster="task", seed=seed),
        longer_wins=longer_wins(judged, lengths, seed=seed),
        longer_wins_voters=longer_wins(shared, lengths, seed=seed),
        consistency=consistency(judged, seed=seed),
    )


def kappa(
    first: Sequence[float], second: Sequence[float], clusters: Sequence[Hashable], *, n_boot: int = 2000, seed: int = 0
) -> Estimate:
    """Cohen's kappa of two lists of verdicts; a pair with a NaN is unscored. NaN where all verdicts are one.

    Where the two agree throughout, the lower end is that of Wilson's interval of the agreement, with the number of
    clusters for n, because a bootstrap would claim certainty.
    """
    import numpy as np

    pairs = [(a, b, c) for a, b, c in zip(first, second, clusters, strict=True) if a == a and b == b]
    left = len(first) - len(pairs)
    if not pairs:
        return Estimate(NAN, NAN, NAN, 0, left, unit="kappa")
    names = sorted({verdict for a, b, _ in pairs for verdict in (a, b)})
    cell = [names.index(a) * len(names) + names.index(b) for a, b, _ in pairs]
    rows = np.zeros((len(pairs), len(names) ** 2))
    rows[range(len(pairs)), cell] = 1
    labels = [c for _, _, c in pairs]
    value = float(_kappas(rows.sum(axis=0)[None], len(names))[0])
    drawn = _kappas(cluster_weights(labels, n_boot=n_boot, seed=seed) @ rows, len(names))
    low, high = stats.interval_of(drawn, value, n_clusters=len(set(labels)), within=stats.DIFFERENCE)
    if value == 1:
        shares = rows.sum(axis=0).reshape(len(names), -1).sum(axis=0) / len(pairs)
        chance = float(shares @ shares)
        low = (stats.wilson(1.0, len(set(labels)))[0] - chance) / (1 - chance)
    return Estimate(value, low, high, len(pairs), left, len(set(labels)), "kappa")


def _kappas(counts: Floats, n_names: int) -> Floats:
    """One kappa for each row of counts (B, names * names); NaN where chance alone agrees on everything."""
    import numpy as np

    with np.errstate(invalid="ignore", divide="ignore"):
        joint = counts.reshape(-1, n_names, n_names) / counts.sum(axis=1)[:, None, None]
        agreed = np.einsum("bii->b", joint)
        chance = (joint.sum(axis=2) * joint.sum(axis=1)).sum(axis=1)
        return np.asarray(np.where(chance < 1 - 1e-12, (agreed - chance) / (1 - chance), np.nan))


def longer_wins(votes: Sequence[Vote], n_words: Mapping[tuple[str, str], int], *, seed: int = 0) -> Estimate:
    """How often the longer answer wins, ties half; comparisons of unknown or equal lengths are left out."""
    known = [vote for vote in votes if (vote.task, vote.a) in n_words and (vote.task, vote.b) in n_words]
    turned = [vote if n_words[vote.task, vote.a] > n_words[vote.task, vote.b] else vote.flipped() for vote in known]
    told = [vote for vote in turned if n_words[vote.task, vote.a] != n_words[vote.task, vote.b]]
    return stats.estimate([v.outcome for v in told], [v.task for v in told], seed=seed, unit="win rate of the longer")


def consistency(judged: Sequence[Vote], *, seed: int = 0) -> Estimate:
    """Share of comparisons, of those judged more than once, on which every verdict was the same."""
    groups: dict[Key, list[float]] = {}
    for vote in map(_ordered, judged):
        groups.setdefault(_key(vote), []).append(vote.outcome)
    repeated = {key: verdicts for key, verdicts in groups.items() if len(verdicts) > 1}
    same = [NAN if any(v != v for v in vs) else float(len({*vs}) == 1) for vs in repeated.values()]
    return stats.estimate(same, [key[0] for key in repeated], seed=seed, unit="share of comparisons")


def _verdicts(judged: Sequence[Vote]) -> dict[Key, float]:
    """The mean verdict on each comparison; NaN where any of its verdicts is."""
    groups: dict[Key, list[float]] = {}
    for vote in map(_ordered, judged):
        groups.setdefault(_key(vote), []).append(vote.outcome)
    return {key: fmean(verdicts) for key, verdicts in groups.items()}


def _rounded(mean: float) -> float:
    """A verdict again: orders that contradict each other are a tie, a win and a tie are a win."""
    return mean if mean != mean else 1.0 if mean > 0.5 else 0.0 if mean < 0.5 else 0.5


def _ordered(vote: Vote) -> Vote:
    return vote if vote.a < vote.b else vote.flipped()


def _key(vote: Vote) -> Key:
    return vote.task, min(vote.a, vote.b), max(vote.a, vote.b)


def _pairs_of_people(votes: Sequence[Vote]) -> tuple[list[float], list[float], list[str]]:
    """The first two votes of different people on each comparison that has them, and its task."""
    groups: dict[Key, dict[str, float]] = {}
    for vote in votes:
        groups.setdefault(_key(vote), {}).setdefault(vote.participant, vote.outcome)
    both = [(list(by.values()), key[0]) for key, by in groups.items() if len(by) > 1]
    return [said[0] for said, _ in both], [said[1] for said, _ in both], [task for _, task in both]
