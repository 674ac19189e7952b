"""Does every user tell every task, from the first cell to the claim? At smoke size, in a checkout of its own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from repro.evaluation.telling import MEASURES
from repro.reporting import load_claims, load_numbers, verdict

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
RESULT = "results/smoke/07_maths_and_code"
USERS = ("full", "concat", "sharded", "roleplay", "userlm")


@pytest.fixture(scope="module")
def checkout(at_smoke):
    """A checkout without code, in which notebook 07 has run at smoke."""
    return at_smoke("07")


def test_every_user_has_every_number(checkout):
    numbers = load_numbers(checkout / RESULT)
    for family in ("maths", "code"):
        for measure in ("success", "success_informed", *MEASURES):
            assert {f"sharded.{family}.{user}.{measure}" for user in USERS} <= set(numbers)
        assert [numbers[f"sharded.{family}.{user}.success_informed"].value for user in USERS[:3]] == [1, 1, 1]
        assert numbers[f"sharded.{family}.concat.turns"].value == 1
    assert all(f"sharded_drop.{who}.userlm" in numbers for who in ("informed", "tiny"))


def test_random_weights_solve_nothing_and_then_there_is_no_drop(checkout):
    numbers = load_numbers(checkout / RESULT)
    assert numbers["sharded.code.full.success"].value == 0
    assert numbers["sharded_drop.tiny.userlm"].value != numbers["sharded_drop.tiny.userlm"].value


def test_the_claim_of_this_notebook_can_be_judged(checkout):
    numbers = load_numbers(checkout / RESULT)
    claims = [claim for claim in load_claims(ROOT / "configs/claims.yaml") if claim.notebook == "07_maths_and_code"]
    assert [claim.key for claim in claims] == ["sharded_gain.success"]
    assert verdict(claims[0], numbers).outcome != "not run"


def test_the_figure_is_there(checkout):
    assert all((checkout / RESULT / f"figures/solved.{kind}").stat().st_size for kind in ("svg", "png", "csv"))
    shown = pd.read_csv(checkout / RESULT / "figures/solved.csv")
    assert {*shown.measure} == {"coverage", "success", "success_informed"}
