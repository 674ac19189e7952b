from __future__ import annotations

import math

import pandas as pd

from repro.evaluation import Vote, win_rates
from repro.reporting.claims import Claim, verdict
from repro.reporting.tables import numbers_of, pair_table, verdict_table, wide
from repro.types import Estimate

TIDY = pd.DataFrame(
    {
        "arm": ["userlm", "userlm", "initial", "initial"],
        "measure": ["met", "asks", "met", "asks"],
        "value": [0.5, 0.25, 0.125, float("nan")],
        "low": [0.4, 0.2, 0.1, float("nan")],
        "high": [0.6, 0.3, 0.2, float("nan")],
        "n": [96, 96, 95, 0],
        "n_unscored": [0, 0, 1, 96],
    }
)
VOTES = [Vote(f"u{i}", "t", "userlm", "initial", 0, None, outcome) for i, outcome in enumerate((1, 1, 0.5, 0))]


def test_each_row_of_a_tidy_table_becomes_a_number():
    numbers = numbers_of(TIDY, "behaviour", by="arm")
    assert numbers["behaviour.initial.met"] == Estimate(0.125, 0.1, 0.2, 95, 1)
    assert list(numbers) == [f"behaviour.{arm}.{m}" for arm in ("userlm", "initial") for m in ("met", "asks")]
    assert math.isnan(numbers["behaviour.initial.asks"].value)


def test_a_wide_table_keeps_the_order_of_arms_and_measures():
    shown = wide(TIDY, by="arm")
    assert list(shown.index) == ["userlm", "initial"]
    assert list(shown.columns) == ["met", "asks"]
    assert shown.loc["userlm", "met"] == "0.50 [0.40, 0.60]"
    assert shown.loc["initial", "asks"] == "nan [nan, nan]"


def test_the_table_of_pairs_says_what_may_be_said_of_them():
    (row,) = pair_table(win_rates(VOTES)).itertuples()
    assert (row.pair, row.reading, row.n_ties) == ("userlm_vs_initial", "cannot be told from", 1)
    assert row.win_rate_value == 0.625  # (1 + 1 + 0.5 + 0) / 4
    assert row.win_rate_n_clusters == 4


def test_the_table_of_verdicts_holds_claim_number_and_outcome():
    claim = Claim("A2", "it is better", 0.58, "a paper", "01", "winrate.userlm_vs_initial", "greater_than_half")
    (pair,) = win_rates(VOTES)
    (row,) = verdict_table([verdict(claim, pair.as_numbers())]).itertuples()
    assert (row.id, row.published, row.value, row.outcome, row.seeds) == ("A2", 0.58, 0.625, "inconclusive", "1")
