"""Do the intervals of a study hold the truth as often as they say, and do its tests cry wolf as seldom?

Studies whose truth is known are drawn many times over and analysed as any other. Votes of one participant are alike
(win rates and ties differ between participants, beta-distributed), some votes go to whatever came first, orders are
balanced within a participant, and participants leave. Each cell is written to a CSV file when it is done, so that a run
that is stopped goes on where it was.

    python scripts/calibrate_study.py --studies 1000 --docs docs/statistics.md
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from repro.errors import ReproError
from repro.evaluation import stats
from repro.evaluation.bradley_terry import strengths
from repro.evaluation.calibration import FIELDS, TABLE, Cell, read_cells, summary
from repro.evaluation.gee import adjusted_win_rate
from repro.evaluation.judge_quality import kappa
from repro.evaluation.planning import Design, detectable
from repro.evaluation.preference import Vote, position_check, win_rate
from repro.reporting.record import put_between
from repro.seeds import rng

BEGIN, END = "<!-- calibration:begin -->", "<!-- calibration:end -->"
ALPHA, N_BOOT = 0.05, 999
Found = dict[str, float]  # of one study: how an estimator did, 1 or 0, NaN where it said nothing


@dataclass(frozen=True)
class Study:
    """Who takes part: `n` participants of up to `votes` votes; `rate` is the true win rate, ties counting half."""

    n: int
    votes: int = 1
    rate: float = 0.5
    icc: float = 0.2  # between two votes of one participant
    ties: float = 0.3
    position: float = 0.2  # share of decided votes that go to what came first, whatever it is
    leaves: float = 0.1  # chance to leave after each vote

    @property
    def name(self) -> str:
        said = f"{self.n} people, {'1 vote' if self.votes == 1 else f'up to {self.votes} votes, icc {self.icc}'}"
        return f"{said}, {self.ties:.0%} ties, {self.position:.0%} to the first, win rate {self.rate:.3f}"

    @property
    def decided(self) -> float:
        """The true win rate among votes that are no ties."""
        return (self.rate - self.ties / 2) / (1 - self.ties)

    @property
    def first(self) -> float:
        """How much coming first adds to the win rate."""
        return (1 - self.ties) * self.position


def drawn(study: Study, draws: np.random.Generator) -> list[Vote]:
    """The votes of one study."""
    liking = (study.decided - study.position / 2) / (1 - study.position)
    votes = []
    for i in range(study.n):
        own, tie = _own(liking, study.icc, draws), _own(study.ties, study.icc, draws)
        first, n = bool(draws.integers(2)), min(study.votes, int(draws.geometric(study.leaves)))
        for k in range(n):
            a_first = first ^ bool(k % 2)
            biased = draws.random() < study.position
            wins = a_first if biased else draws.random() < own
            outcome = 0.5 if draws.random() < tie else float(wins)
            votes.append(Vote(f"p{i}", f"t{i}-{k}", "a", "b", None, None, outcome, "a_first" if a_first else "b_first"))
    return votes


def _own(mean: float, icc: float, draws: np.random.Generator) -> float:
    """A participant's own probability: beta with this mean, so that two of their votes correlate by `icc`."""
    if icc == 0 or mean in (0, 1):
        return mean
    total = 1 / icc - 1
    return float(draws.beta(mean * total, (1 - mean) * total))


def of_a_pair(study: Study, draws: np.random.Generator, seed: int) -> Found:
    """Intervals and tests of one comparison."""
    votes = drawn(study, draws)
    outcomes, people = [v.outcome for v in votes], [v.participant for v in votes]
    rate = win_rate(votes, a="a", b="b", n_boot=N_BOOT, seed=seed)
    decided = [(v.outcome, v.participant) for v in votes if v.outcome != 0.5]
    no_ties = stats.estimate([x for x, _ in decided], [p for _, p in decided], n_boot=N_BOOT, seed=seed)
    order = position_check(votes, n_boot=N_BOOT, seed=seed)
    found = {
        "win_rate.coverage": _holds(rate, study.rate),
        "win_rate_no_ties.coverage": _holds(no_ties, study.decided),
        "first_wins.coverage": _holds(order.first_wins, 0.5 + study.first / 2),
    }
    if study.rate == 0.5:
        found["sign_test.false_positives"] = float(stats.sign_test(outcomes, people) < ALPHA)
    if study.position == 0:
        found["position_test.false_positives"] = float(order.p < ALPHA)
    if abs(abs(study.rate - 0.5) - 0.05) < 1e-12:
        alike = stats.tost_proportion(outcomes, people, bound=0.05, n_boot=N_BOOT, seed=seed)
        found["tost.false_positives"] = float(alike.p < ALPHA)
    return found


def of_a_model(study: Study, draws: np.random.Generator, seed: int) -> Found:
    """The regression on order."""
    fitted = adjusted_win_rate(drawn(study, draws), a="a", b="b")
    found = {
        "adjusted_win_rate.coverage": _holds(fitted.win_rate, study.rate),
        "first_effect.coverage": _holds(fitted.first, study.first),
    }
    if study.rate == 0.5:
        found["gee_test.false_positives"] = float(fitted.p < ALPHA)
    if study.position == 0:
        found["gee_position_test.false_positives"] = float(fitted.p_first < ALPHA)
    return found


def of_what_is_seen(study: Study, draws: np.random.Generator, seed: int) -> Found:
    """Is the smallest detectable effect found four times in five, and is its size estimated well?"""
    votes = drawn(study, draws)
    values, people = [v.outcome for v in votes], [v.participant for v in votes]
    rate = stats.estimate(values, people, n_boot=N_BOOT, seed=seed)
    mde = stats.minimum_detectable_effect(values, people, n_boot=N_BOOT, seed=seed)
    return {"mde.power": float(not rate.low <= 0.5 <= rate.high), "mde.ratio": mde / (study.rate - 0.5)}


def of_three_arms(study: Study, draws: np.random.Generator, seed: int) -> Found:
    """Bradley-Terry strengths and Holm's adjustment over three pairs; `study.rate` above 1/2 sets two arms apart."""
    gap = 0.0 if study.rate == 0.5 else 0.5
    true = {"x": 0.0, "y": gap, "z": 2 * gap}
    votes = []
    for a, b in (("y", "x"), ("z", "x"), ("z", "y")):
        own = draws.dirichlet(np.array(_chances(true[a] - true[b])) * (1 / study.icc - 1), study.n)  # (n, 3)
        cast = (draws.random((study.n, study.votes, 1)) > own[:, None].cumsum(axis=2)).sum(axis=2)  # (n, votes)
        outcomes = 1 - np.minimum(cast, 2) / 2
        votes += [Vote(f"p{i}", f"t{k}", a, b, None, None, float(x)) for (i, k), x in np.ndenumerate(outcomes)]
    fitted = strengths(votes, reference="x", n_boot=150, seed=seed)
    found = {"bradley_terry.coverage": float(np.mean([_holds(fitted[arm], true[arm]) for arm in ("y", "z")]))}
    if not gap:
        mine = [[v for v in votes if {v.a, v.b} == pair] for pair in ({"x", "y"}, {"x", "z"}, {"y", "z"})]
        ps = [stats.sign_test([v.outcome for v in part], [v.participant for v in part]) for part in mine]
        found["holm.familywise"] = float(min(stats.holm(ps)) < ALPHA)
    return found


def _chances(apart: float) -> tuple[float, float, float]:
    """Win, tie and loss in the model of `bradley_terry`, with v = 0.5."""
    strong, weak = np.exp(apart / 2), np.exp(-apart / 2)
    total = strong + weak + 1
    return float(strong / total), float(1 / total), float(weak / total)


def of_agreement(study: Study, draws: np.random.Generator, seed: int) -> Found:
    """Kappa between a judge and participants whose votes are alike within a participant."""
    joint = np.array([[0.30, 0.05, 0.08], [0.06, 0.12, 0.05], [0.07, 0.05, 0.22]])
    chance = float(joint.sum(0) @ joint.sum(1))
    true = (float(np.trace(joint)) - chance) / (1 - chance)
    own = draws.dirichlet(joint.ravel() * (1 / study.icc - 1), study.n)
    cells = np.array([draws.choice(9, size=study.votes, p=p) for p in own])
    people = np.repeat(np.arange(study.n), study.votes).tolist()
    names = (1.0, 0.5, 0.0)
    sides = [[names[c] for c in side.ravel()] for side in (cells // 3, cells % 3)]
    return {"kappa.coverage": _holds(kappa(*sides, people, n_boot=N_BOOT, seed=seed), true)}


@dataclass(frozen=True)
class Retrained:
    """`n` participants vote on every seed of an assistant against every seed of another, which may be one."""

    n: int
    seeds: int
    others: int  # seeds of the other assistant
    apart: float  # standard deviation between seeds
    rate: float = 0.58

    @property
    def name(self) -> str:
        said = "are alike" if self.apart == 0 else f"differ (sd {self.apart})"
        return f"{self.n} people, {self.seeds} x {self.others} seeds that {said}, win rate {self.rate:.3f}"


def of_seeds(study: Retrained, draws: np.random.Generator, seed: int) -> Found:
    """Participants crossed with the training seeds of one arm or of both; the truth is that of all possible seeds."""
    people, a, b = (g.ravel() for g in np.indices((study.n, study.seeds, study.others)))
    first, other = (study.apart * draws.normal(size=k) for k in (study.seeds, study.others))
    own = draws.normal(0, 0.2, study.n)
    shares = np.clip(study.rate + first[a] - (other[b] if study.others > 1 else 0), 0.02, 0.98)
    wins = (draws.random(people.size) < np.clip(shares + own[people], 0, 1)).astype(float)
    clusters = {"participant": people.tolist(), "seed_a": a.tolist(), "seed_b": b.tolist()}
    found = stats.estimate(wins.tolist(), clusters, n_boot=N_BOOT, seed=seed)
    if study.apart == 0:
        return {"seeds_alike.coverage_at_least": _holds(found, study.rate)}
    return {"seeds_that_differ.coverage": _holds(found, study.rate)}


def _holds(found: object, truth: float) -> float:
    low, high = found.low, found.high  # type: ignore[attr-defined]
    return float(low - 1e-12 <= truth <= high + 1e-12) if low == low else float("nan")


Part = Callable[[Any, np.random.Generator, int], Found]
SIZES = (20, 60, 283)
PAIRS = [
    *(Study(n, votes, rate) for n in SIZES for votes in (1, 6) for rate in (0.5, 0.58)),
    *(Study(n, 6, 0.5, position=0.0) for n in SIZES),
    *(Study(283, votes, 0.55, position=0.0) for votes in (1, 6)),
    *(Study(n, 6, 0.8, ties=0.1, icc=0.4) for n in SIZES),
    Study(283, 1, 0.5, ties=0.0, position=0.0),
    Study(283, 6, 0.45, ties=0.6, icc=0.5, leaves=0.3),
]
MODELS = [Study(n, votes, 0.5, position=p) for n in (60, 283) for votes, p in ((1, 0.0), (6, 0.0), (6, 0.3))]
SEEN = [
    Study(n, m, 0.5 + detectable(n, design=Design(m, 0.2, 0.3)), position=0.0, leaves=1e-9)
    for n in (60, 283) for m in (1, 4)
]  # fmt: skip
RETRAINED = [
    Retrained(283, seeds, others, apart)
    for seeds, others in ((2, 1), (3, 1), (8, 1), (3, 2), (3, 3)) for apart in (0.0, 0.05, 0.1)
]  # fmt: skip
CELLS: dict[str, tuple[Part, list[Study] | list[Retrained]]] = {
    "pair": (of_a_pair, PAIRS),
    "model": (of_a_model, MODELS),
    "seen": (of_what_is_seen, SEEN),
    "arms": (of_three_arms, [Study(n, 2, rate) for n in (60, 283) for rate in (0.5, 0.6)]),
    "agreement": (of_agreement, [Study(n, votes) for n in SIZES for votes in (1, 6)]),
    "seeds": (of_seeds, RETRAINED),
}


def setting(kind: str, study: Study | Retrained) -> str:
    """What is drawn, in words: of a study, what the part of it looks at."""
    if isinstance(study, Retrained):
        return study.name
    n, each = f"{study.n} people", "1 vote each" if study.votes == 1 else f"{study.votes} votes each, icc {study.icc}"
    if kind == "arms":
        return f"{n}, {each}, three arms {'alike' if study.rate == 0.5 else '0.5 apart'}"
    if kind == "agreement":
        return f"{n}, {each}"
    return study.name


def cells_of(kind: str, study: Study | Retrained, n_studies: int) -> list[Cell]:
    """Each estimator's share over `n_studies` draws of one cell, its Monte-Carlo error, and how often it was silent."""
    part = CELLS[kind][0]
    found = [part(study, rng(i, kind, *asdict(study).values()), i) for i in range(n_studies)]
    cells = []
    for name in found[0]:
        values = np.array([one[name] for one in found])
        known = values[~np.isnan(values)]
        share, error = float(known.mean()), float(known.std() / np.sqrt(len(known)))
        estimator, _, what = name.partition(".")
        cells.append(
            Cell(kind, setting(kind, study), estimator, what, share, error, len(known), len(values) - len(known))
        )
    return cells


def run(path: Path, n_studies: int) -> Iterator[Cell]:
    """Every cell that `path` does not hold with as many studies; each is appended as soon as it is known."""
    done = {(cell.kind, cell.setting) for cell in read_cells(path) if cell.n + cell.n_silent >= n_studies}
    todo = [(kind, study) for kind, (_, studies) in CELLS.items() for study in studies]
    from tqdm import tqdm

    for kind, study in tqdm(todo, unit="cell"):
        if (kind, setting(kind, study)) not in done:
            cells = cells_of(kind, study, n_studies)
            _append(path, cells)
            yield from cells


def _append(path: Path, cells: Sequence[Cell]) -> None:
    new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if new:
            writer.writeheader()
        short = [{"value": round(cell.value, 4), "mc_error": round(cell.mc_error, 4)} for cell in cells]
        writer.writerows([asdict(cell) | rounded for cell, rounded in zip(cells, short, strict=True)])


def as_markdown(cells: Sequence[Cell]) -> str:
    """One line an estimator: over how many cells, the mean, the range, and how many cells lie outside it."""
    head = ["| estimator | what | should be | cells | mean | lowest | highest | outside | surely |"]
    lines = [
        f"| {s.estimator} | {s.what.replace('_', ' ')} | {s.wanted} | {s.n_cells} | {s.mean:.3f} | {s.low:.3f} | "
        f"{s.high:.3f} | {s.n_outside} | {s.n_surely_outside} |"
        for s in summary(cells)
    ]
    sizes = sorted({cell.n + cell.n_silent for cell in cells})
    errors = " or ".join(f"{np.sqrt(0.95 * 0.05 / n):.3f}" for n in sizes)
    counted = " or ".join(map(str, sizes))
    note = f"{counted} studies a cell; the Monte-Carlo standard error of a share of 0.95 or 0.05 is {errors}."
    return "\n".join([*head, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |", *lines, "", note])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=TABLE, help="the CSV file that cells go to, and are resumed from")
    parser.add_argument("--docs", type=Path, help="a file with the markers between which the table goes")
    asked = parser.parse_args(argv)
    try:
        for cell in run(asked.out, asked.studies):
            print(f"{cell.value:.3f} {cell.estimator}.{cell.what}: {cell.setting}", flush=True)
        text = as_markdown(read_cells(asked.out))
        print(text)
        if asked.docs:
            put_between(asked.docs, text, BEGIN, END)
    except (ReproError, OSError) as error:
        print(f"calibrate_study: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
