"""Does the card hold everything that was found, as plain data?"""

from __future__ import annotations

import json

import pandas as pd

from repro.evaluation.contract import Check
from repro.evaluation.scorecard import card
from repro.types import Estimate


def test_the_card_is_plain_data_with_both_sides_of_every_measure():
    rows = [
        {"simulator": who, "measure": "ends", "value": v, "low": v, "high": v, "n": 3, "n_unscored": 0}
        for who, v in (("mine", 0.2), ("oracle", 0.5), ("other", 0.9))
    ]
    made = card(
        "mine", contract=[Check("speaks", "passed", "yes")], realism=pd.DataFrame(rows),
        utility={"mine": Estimate(0.6, 0.5, 0.7, 10)}, generalisation={"gap": Estimate(0.1, 0.0, 0.2, 10)},
        gap={"mine": Estimate(0.3, 0.2, 0.4, 20)}, cost={"seconds_per_turn": 0.1}, made_with={"steps": 3},
    )  # fmt: skip
    assert json.loads(json.dumps(made)) == made
    assert made["realism"]["ends"]["simulator"]["value"] == 0.2
    assert made["realism"]["ends"]["reference_users"]["value"] == 0.5
    assert made["utility"]["mine_vs_initial"]["value"] == 0.6
    assert made["gap"]["mine"]["value"] == 0.3
    assert made["generalisation"]["gap"] == {"value": 0.1, "low": 0.0, "high": 0.2, "n": 10, "n_unscored": 0}
