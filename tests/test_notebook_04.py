"""Does every assistant meet every user, from the first cell to the claims? At smoke size, in a checkout of its own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from repro.config import load_profile
from repro.reporting import load_claims, load_numbers, verdict

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
RESULT = "results/smoke/04_cross_simulator"
USERS = ("roleplay_raw", "roleplay", "userlm", "exhaustive", "oracle")


@pytest.fixture(scope="module")
def checkout(at_smoke):
    """A checkout without code, in which notebook 04 has run at smoke."""
    return at_smoke("04", {"n_tasks": 2})


def test_every_cell_has_its_number_and_every_arm_its_gap(checkout):
    numbers, arms = load_numbers(checkout / RESULT), load_profile("smoke").arms
    assert {f"met.{arm}.{user}" for arm in ("initial", *arms) for user in USERS} <= set(numbers)
    assert {f"transfer.{arm}.{key}" for arm in arms for key in ("gap", "others", f"gain.{arm}")} <= set(numbers)
    cells = pd.read_csv(checkout / RESULT / "tables/cells.csv")
    assert {(row.arm, row.simulator) for row in cells.itertuples() if row.own} == {(arm, arm) for arm in arms}


def test_every_claim_of_this_notebook_can_be_judged(checkout):
    numbers = load_numbers(checkout / RESULT)
    claims = [claim for claim in load_claims(ROOT / "configs/claims.yaml") if claim.notebook == "04_cross_simulator"]
    found = [verdict(claim, numbers) for claim in claims]
    assert len(found) == 2
    assert all(v.outcome != "not run" and v.seeds == "1" for v in found)


def test_the_figures_are_there(checkout):
    for name in ("cells", "gains"):
        assert all((checkout / RESULT / f"figures/{name}.{kind}").stat().st_size for kind in ("svg", "png", "csv"))
