"""Are all seven measures taken of every simulator, from the first cell to the claims? At smoke size."""

from __future__ import annotations

from pathlib import Path

import pytest

from repro.errors import ReproError
from repro.reporting import load_claims, load_numbers, verdict

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
RESULT = "results/smoke/06_user_lm"
USERS = ("oracle", "roleplay_raw", "roleplay", "userlm", "exhaustive")
SPEAK = ("roleplay_raw", "roleplay", "userlm")
SHARES = ("first_turn_diversity", "intent_overlap", "termination_f1", "naturalness")
PROBED = ("role_adherence", "intent_adherence")


@pytest.fixture(scope="module")
def checkout(at_smoke):
    """A checkout without code, in which notebook 06 has run at smoke."""
    return at_smoke("06", {"n_tasks": 4, "n_probes": 3})


def test_every_measure_is_taken_of_every_simulator_and_of_users(checkout):
    numbers = load_numbers(checkout / RESULT)
    assert {f"intrinsic.{measure}.{user}" for measure in (*SHARES, *PROBED) for user in USERS} <= set(numbers)
    assert {f"intrinsic.perplexity.{user}" for user in SPEAK} <= set(numbers)
    assert all(numbers[f"intrinsic.{measure}.{user}"].n == 3 for measure in PROBED for user in USERS)


def test_an_assistant_that_there_is_not_is_refused_at_once(at_smoke):
    with pytest.raises(ReproError, match="no assistant 'roleplai' in smoke; `assistants` takes initial, "):
        at_smoke("06", {"assistants": "initial roleplai"})


def test_every_claim_of_this_notebook_can_be_judged(checkout):
    numbers = load_numbers(checkout / RESULT)
    claims = [claim for claim in load_claims(ROOT / "configs/claims.yaml") if claim.notebook == "06_user_lm"]
    assert len(claims) == 7
    assert all(verdict(claim, numbers).outcome != "not run" for claim in claims)


def test_assistants_are_tried_as_users(checkout):
    numbers = load_numbers(checkout / RESULT)
    for arm in ("initial", "roleplay", "userlm"):
        assert {f"assistant.{arm}.met", f"assistant.{arm}.passes_as_user"} <= set(numbers)


def test_the_figures_are_there(checkout):
    for name in ("measures", "manner", "assistants_as_users"):
        assert all((checkout / RESULT / f"figures/{name}.{kind}").stat().st_size for kind in ("svg", "png", "csv"))
