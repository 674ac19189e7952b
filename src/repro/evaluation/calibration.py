"""How often are our intervals and tests right?

`calibration.csv` beside this file is what `scripts/calibrate_study.py` measured: for each cell (a kind of study), the
share of simulated studies whose interval held the truth, or in which a test found what is not there. docs/statistics.md
shows it in short; notebook 08 records it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from statistics import fmean

from ..types import Estimate

TABLE = Path(__file__).with_name("calibration.csv")
RANGES = {  # what a cell has to lie in
    "coverage": (0.93, 0.97),
    "coverage_at_least": (0.93, 1.0),  # of what nobody can tell from few seeds: whether they differ at all
    "false_positives": (0.04, 0.06),
    "familywise": (0.0, 0.06),  # at least one of several: Holm promises at most, not exactly
    "power": (0.75, 0.85),
    "ratio": (0.95, 1.05),
}


@dataclass(frozen=True)
class Cell:
    """One estimator in one kind of study."""

    kind: str
    setting: str
    estimator: str
    what: str  # a key of RANGES
    value: float
    mc_error: float  # standard error of `value` from the number of studies
    n: int
    n_silent: int  # studies in which the estimator said nothing (NaN)

    @property
    def outside(self) -> bool:
        return self._beyond(0)

    @property
    def surely_outside(self) -> bool:
        """By more than two Monte-Carlo errors, which the number of studies does not explain."""
        return self._beyond(2)

    def _beyond(self, n_errors: float) -> bool:
        (low, high), slack = RANGES[self.what], n_errors * self.mc_error + 1e-9
        return not low - slack <= self.value <= high + slack


FIELDS = [field.name for field in fields(Cell)]


@dataclass(frozen=True)
class Summary:
    """An estimator over all its cells."""

    estimator: str
    what: str
    n_cells: int
    n: int
    mean: float
    low: float
    high: float
    n_outside: int
    n_surely_outside: int

    @property
    def wanted(self) -> str:
        low, high = RANGES[self.what]
        return f"{low:.2f} to {high:.2f}"


def read_cells(path: str | Path = TABLE) -> list[Cell]:
    """The cells in a file; none if there is no file."""
    if not Path(path).is_file():
        return []
    with Path(path).open(newline="", encoding="utf-8") as file:
        return [_cell(row) for row in csv.DictReader(file)]


def _cell(row: dict[str, str]) -> Cell:
    named = row["kind"], row["setting"], row["estimator"], row["what"]
    return Cell(*named, float(row["value"]), float(row["mc_error"]), int(row["n"]), int(row["n_silent"]))


def summary(cells: Sequence[Cell]) -> list[Summary]:
    """One row for each estimator and what is asked of it, in order of appearance."""
    found = []
    for estimator, what in dict.fromkeys((cell.estimator, cell.what) for cell in cells):
        mine = [cell for cell in cells if (cell.estimator, cell.what) == (estimator, what)]
        values, n = [cell.value for cell in mine], sum(cell.n for cell in mine)
        outside = sum(cell.outside for cell in mine), sum(cell.surely_outside for cell in mine)
        found.append(Summary(estimator, what, len(mine), n, fmean(values), min(values), max(values), *outside))
    return found


def calibration_numbers(cells: Sequence[Cell]) -> dict[str, Estimate]:
    """`calibration.<estimator>.<what>`: the mean over cells, lowest and highest for its interval, n studies."""
    return {
        f"calibration.{s.estimator}.{s.what}": Estimate(s.mean, s.low, s.high, s.n, unit="share of simulated studies")
        for s in summary(cells)
    }
