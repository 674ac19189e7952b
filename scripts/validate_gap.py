"""Does the gap's interval hold the true gap, and is nothing found where there is nothing?

Populations whose divergence is known are drawn from many times over, and the method is asked. Prints a markdown table
(and writes it between the markers of `--docs FILE`): per setting, how often the 95% interval holds the true value, how
often a permutation test at 0.05 finds a gap, and the mean of what was estimated.

    python scripts/validate_gap.py --docs docs/gap.md
    python scripts/validate_gap.py --gain --repetitions 40 --docs docs/gap.md

Users have one conversation, or one to four that are alike (each user draws from shares of their own). Simulated users
are the same users (paired) or others. k is the number of kinds, n of users a side. In `clustered` settings the method
sees vectors around k places instead of labels, and has to find the kinds itself.

With `--gain` it is asked what a mixture of three simulators gains over the nearest of them: nothing where the three are
drawn from one population, however near to users that is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from repro.errors import ReproError
from repro.evaluation.gap import Side, compare, optimal_mixture, quantize
from repro.evaluation.gap.divergence import Floats, jensen_shannon
from repro.evaluation.gap.together import gain_of_sides
from repro.reporting.record import put_between
from repro.seeds import rng

BEGIN, END = "<!-- coverage:begin -->", "<!-- coverage:end -->"
GAIN_BEGIN, GAIN_END = "<!-- gain:begin -->", "<!-- gain:end -->"
N_SPLITS, N_REPLICATES = 20, 30  # of a gain: fewer than `mixture_gain` takes, for the time it costs
AWAY = (0.0, 0.2, 0.5, 1.0)  # how far simulated users are moved towards another population
N_PERMUTATIONS, N_BOOT = 299, 200
ALPHA = 0.05


@dataclass(frozen=True)
class Setting:
    """Who is drawn: n users a side, k kinds, up to `most` conversations a user."""

    n: int
    k: int
    most: int = 1
    paired: bool = False
    clustered: bool = False

    @property
    def name(self) -> str:
        each = "1" if self.most == 1 else f"1-{self.most}"
        return f"{self.n} users, k = {self.k}, {each} conversation{'s' if self.most > 1 else ''} each" + (
            ", paired" if self.paired else "") + (", clustered" if self.clustered else "")  # fmt: skip


SETTINGS = [
    *(Setting(n, k, most, paired) for n, k in ((100, 12), (500, 60)) for most in (1, 4) for paired in (False, True)),
    Setting(100, 60),  # fewer than two conversations of a kind: where the method ends
    Setting(100, 12, clustered=True),
]


def populations(setting: Setting, away: float) -> tuple[Floats, Floats]:
    """Shares of k kinds among real users, and among simulated ones."""
    draws = rng(setting.k, "population")
    here, there = draws.dirichlet(np.full(setting.k, 2.0)), draws.dirichlet(np.full(setting.k, 2.0))
    return here, (1 - away) * here + away * there


def drawn(setting: Setting, shares: Floats, prefix: str, draws: np.random.Generator) -> Side:
    """A sample of users and their conversations."""
    labels, users = [], []
    for i in range(setting.n):
        own = draws.dirichlet(4 * shares) if setting.most > 1 else shares
        n = int(draws.integers(1, setting.most + 1))
        labels.append(draws.choice(setting.k, n, p=own))
        users += [f"{prefix}{i}"] * n
    return Side(np.concatenate(labels), users)


def found_again(sides: Sequence[Side], setting: Setting, draws: np.random.Generator) -> list[Side]:
    """The sides as k-means labels them, from vectors around a place for each kind."""
    places = rng(setting.k, "places").normal(size=(setting.k, 16)) * 4
    vectors = {str(i): (places[s.labels] + draws.normal(size=(len(s.labels), 16))) for i, s in enumerate(sides)}
    found = quantize({name: rows.astype(np.float32) for name, rows in vectors.items()}, k=setting.k, n_init=3)
    return [Side(found.labels[str(i)], side.users) for i, side in enumerate(sides)]


def one(setting: Setting, away: float, repetition: int) -> dict[str, float]:
    """What the method says of one draw."""
    shares, draws = populations(setting, away), rng(repetition, setting.name, away)
    sides = [
        drawn(setting, p, "u" if setting.paired else prefix, draws) for p, prefix in zip(shares, "us", strict=True)
    ]
    if setting.clustered:
        sides = found_again(sides, setting, draws)
    truth = jensen_shannon(*shares)
    sure = compare(*sides, k=setting.k, n_permutations=N_PERMUTATIONS, n_boot=N_BOOT, seed=repetition)
    assert sure.bootstrap is not None
    return {
        "true": truth,
        "estimate": sure.js.value,
        "covers": sure.js.low <= truth <= sure.js.high,
        "bootstrap": sure.bootstrap.low <= truth <= sure.bootstrap.high,
        "found": sure.p <= ALPHA,
    }


def rows(n_repetitions: int) -> Iterator[dict[str, object]]:
    from tqdm import tqdm

    for setting in tqdm(SETTINGS, unit="setting"):
        for away in AWAY:
            table = pd.DataFrame([one(setting, away, i) for i in range(n_repetitions)])
            yield {"setting": setting.name, **table.mean().to_dict()}


def as_markdown(table: pd.DataFrame, n_repetitions: int) -> str:
    head = ["| setting | true gap | mean estimate | interval holds it | bootstrap holds it | a gap is found |"]
    lines = [
        f"| {r.setting} | {r.true:.4f} | {r.estimate:.4f} | {r.covers:.3f} | {r.bootstrap:.3f} | {r.found:.3f} |"
        for r in table.itertuples()
    ]
    return "\n".join([*head, "| --- | --- | --- | --- | --- | --- |", *lines, "", _note(n_repetitions)])


def _note(n_repetitions: int) -> str:
    se = np.sqrt(0.95 * 0.05 / n_repetitions)
    return f"{n_repetitions} repetitions each; the standard error of a coverage of 0.95 is {se:.3f}."


def mixable(k: int) -> dict[str, list[Floats]]:
    """By setting, the shares of k kinds among users and among three simulators."""
    here, there = rng(k, "mixtures").dirichlet(np.full(k, 2.0), size=2)
    return {
        "three that do as users do": [here] * 4,
        "three alike, away from users": [here, *[there] * 3],
        "users are half one and half another": [(here + there) / 2, here, there, there],
    }


def one_gain(shares: Sequence[Floats], n: int, repetition: int) -> dict[str, float]:
    """What the method says of one draw of n users, who are the same on all sides."""
    draws, k = rng(repetition, "gain", n), len(shares[0])
    sides = {name: Side(draws.choice(k, n, p=p), range(n)) for name, p in zip(("real", *"abc"), shares, strict=True)}
    found = gain_of_sides(sides, k=k, n_splits=N_SPLITS, n_boot=N_REPLICATES, seed=repetition)
    real, *others = shares
    nearest = min(jensen_shannon(real, q) for q in others)
    truth = max(0.0, nearest - optimal_mixture(real, np.stack(others)).js)
    covers = found.gain.low <= truth <= found.gain.high
    return {"true": truth, "gain": found.gain.value, "covers": covers, "found": found.gain.low > 0,
            "wide": found.gain.high - found.gain.low}  # fmt: skip


def gain_table(n_repetitions: int, *, n: int = 500, k: int = 60) -> str:
    head = "| three simulators | true gain | mean gain (s.d.) | mean interval | interval holds it | a gain is found |"
    lines = [head, "| --- | --- | --- | --- | --- | --- |"]
    for name, shares in mixable(k).items():
        rows = pd.DataFrame([one_gain(shares, n, i) for i in range(n_repetitions)])
        t = rows.mean()
        mean = f"{t.gain:.4f} ({rows.gain.std():.4f})"
        lines.append(
            f"| {name} | {t.true:.4f} | {mean} | +- {t.wide / 2:.4f} | {t.covers:.3f} | {t.found:.3f} |"
        )  # fmt: skip
    return "\n".join([*lines, "", f"{n} users, k = {k}. {_note(n_repetitions)}"])


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--gain", action="store_true", help="what mixtures gain, in place of gaps")
    parser.add_argument("--docs", type=Path, help="a file with the markers between which the table goes")
    asked = parser.parse_args(argv)
    try:
        n = asked.repetitions
        text = gain_table(n) if asked.gain else as_markdown(pd.DataFrame(rows(n)), n)
        print(text)
        if asked.docs:
            put_between(asked.docs, text, *((GAIN_BEGIN, GAIN_END) if asked.gain else (BEGIN, END)))
    except (ReproError, OSError) as error:
        print(f"validate_gap: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
