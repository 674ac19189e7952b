"""Does the card say what an assistant gained, with whom, and how it compares?"""

from __future__ import annotations

import json

import pandas as pd
import pytest

from repro.errors import ReproError
from repro.evaluation.contract import Check
from repro.evaluation.scorecard import card, gain_table, gains, generalisation_gap
from repro.types import Estimate, Requirement, Task, Trajectory, Turn

WISHES = (Requirement("place", "place", "Hill Park", "the place"), Requirement("place2", "place", "Old Mill", "where"))
POOR = "Dear all, please come and celebrate with us, we would all be so very happy to see you there."


def held(n_met: list[int], error: str | None = None) -> list[Trajectory]:
    """One dialogue per entry, whose text meets so many of two wishes."""
    texts = [" ".join([POOR, *(r.value for r in WISHES[:n])]) for n in n_met]
    task = [Task(f"t{i}", f"u{i}", "an intent", WISHES) for i in range(len(texts))]
    return [
        Trajectory(t, (Turn("user", "hi"), Turn("assistant", text)), "u", "a", 0, "max_turns", error)
        for t, text in zip(task, texts, strict=True)
    ]


BEFORE = {"mine": held([0, 1, 0]), "other": held([0, 0, 0]), "third": held([1, 1, 1])}
AFTER = {"mine": held([2, 2, 2]), "other": held([1, 1, 1]), "third": held([1, 1, 1])}


def test_gains_are_paired_by_task():
    assert gains(BEFORE, AFTER) == {"mine": [1.0, 0.5, 1.0], "other": [0.5] * 3, "third": [0.0] * 3}


def test_the_gap_is_the_own_gain_less_the_mean_of_the_others():
    gap = generalisation_gap(BEFORE, AFTER, own="mine")  # 5/6 - 1/4
    assert gap.value == pytest.approx(5 / 6 - 1 / 4)
    assert gap.n == 3
    with pytest.raises(ReproError, match="a gap takes 'mine' and another simulator; have mine"):
        generalisation_gap({"mine": BEFORE["mine"]}, {"mine": AFTER["mine"]}, own="mine")


def test_a_failed_dialogue_is_unscored():
    failed = AFTER | {"mine": held([2, 2, 2], error="endpoint down")}
    row = gain_table(BEFORE, failed).set_index("simulator").loc["mine"]
    assert (row.n, row.n_unscored) == (0, 3)


def test_the_card_is_plain_data_with_both_sides_of_every_measure():
    rows = [
        {"simulator": who, "measure": "ends", "value": v, "low": v, "high": v, "n": 3, "n_unscored": 0}
        for who, v in (("mine", 0.2), ("oracle", 0.5), ("other", 0.9))
    ]
    made = card(
        "mine", contract=[Check("speaks", "passed", "yes")], realism=pd.DataFrame(rows),
        utility={"mine": Estimate(0.6, 0.5, 0.7, 10)}, gains=gain_table(BEFORE, AFTER),
        gap=generalisation_gap(BEFORE, AFTER, own="mine"), cost={"seconds_per_turn": 0.1}, made_with={"steps": 3},
    )  # fmt: skip
    assert json.loads(json.dumps(made)) == made
    assert made["realism"]["ends"]["simulator"]["value"] == 0.2
    assert made["realism"]["ends"]["reference_users"]["value"] == 0.5
    assert made["utility"]["mine_vs_initial"]["value"] == 0.6
    assert {"gain_with_mine", "gain_with_other", "gain_with_third", "gap"} == set(made["generalisation"])
