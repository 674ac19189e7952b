"""How does a table become numbers for the record, and words for a reader?

Tidy tables have a row per estimate: who (`arm` or `simulator`), `measure`, `value`, `low`, `high`, `n`, `n_unscored`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from repro.evaluation.preference import PairResult
from repro.reporting.claims import Verdict
from repro.reporting.words import comparison
from repro.types import Estimate

if TYPE_CHECKING:
    import pandas as pd


def numbers_of(table: pd.DataFrame, prefix: str, by: str) -> dict[str, Estimate]:
    """`<prefix>.<who>.<measure>` for each row, ready for `run.numbers`. `by` names the column that says who."""
    rows = table[[by, "measure", "value", "low", "high", "n", "n_unscored"]].itertuples(index=False)
    return {
        f"{prefix}.{who}.{measure}": Estimate(value, low, high, int(n), int(n_unscored))
        for who, measure, value, low, high, n, n_unscored in rows
    }


def cell(value: float, low: float, high: float) -> str:
    """A cell like "0.52 [0.40, 0.63]", or "2.00 (no interval)" where the ends are not known."""
    return f"{value:.2f} [{low:.2f}, {high:.2f}]" if low == low or value != value else f"{value:.2f} (no interval)"


def wide(table: pd.DataFrame, by: str) -> pd.DataFrame:
    """One row for each `by`, one column a measure, cells like "0.52 [0.40, 0.63]"; both in order of appearance."""
    cells = [cell(*ends) for ends in table[["value", "low", "high"]].to_numpy(dtype=float).tolist()]
    shown = table.assign(shown=cells).pivot(index=by, columns="measure", values="shown")
    return shown.loc[[*table[by].unique()], [*table["measure"].unique()]]


def pair_table(pairs: Iterable[PairResult]) -> pd.DataFrame:
    """One row a pair, everything that is known of it, and in `reading` what a sentence may say of it."""
    import pandas as pd

    return pd.json_normalize([{"pair": p.pair, "reading": comparison(p), **asdict(p)} for p in pairs], sep="_")


def study_numbers(pairs: Iterable[PairResult]) -> dict[str, Estimate]:
    """`study.<a>_vs_<b>` and, under the same name, `.p_holm`, `.tost_p`, ...: what `as_numbers` holds, by pair."""
    found: dict[str, Estimate] = {}
    for pair in pairs:
        for key, number in pair.as_numbers().items():
            what = key.partition(".")[0]
            found[f"study.{pair.pair}" if what == "winrate" else f"study.{pair.pair}.{what}"] = number
    return found


def verdict_table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """One row a claim: what was published, what was found, the outcome and the reason."""
    import pandas as pd

    rows = [
        {**asdict(v.claim), **asdict(v.found), "outcome": v.outcome, "reason": v.reason, "seeds": v.seeds}
        for v in verdicts
    ]
    return pd.DataFrame(rows)
