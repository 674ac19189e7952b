"""Are all ways of role-play set side by side, from the first cell to the claims? At smoke size."""

from __future__ import annotations

from pathlib import Path

import pytest

from repro.reporting import load_claims, load_numbers, verdict

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
RESULT = "results/smoke/02_persona_ablation"
WAYS = ("roleplay_persona", "roleplay_style", "roleplay_examples", "roleplay_warm", "roleplay_all")


@pytest.fixture(scope="module")
def checkout(at_smoke):
    """A checkout without code, in which notebook 02 has run at smoke, one way with an assistant of its own."""

    def add_an_arm(path: Path) -> None:
        settings = path / "configs" / "smoke.yaml"
        arms = settings.read_text()
        assert "  oracle: 1" in arms
        settings.write_text(arms.replace("  oracle: 1", "  roleplay_all: 1  # a test\n  oracle: 1"))

    return at_smoke("02", {"n_tasks": 3, "n_participants": 4}, prepare=add_an_arm)


def test_every_way_has_its_measures_beside_role_play_and_reference_users(checkout):
    numbers = load_numbers(checkout / RESULT)
    for name in ("roleplay_raw", "roleplay", *WAYS, "userlm", "oracle"):
        assert {f"realism.{name}.{key}" for key in ("revealed_first", "first_turn_diversity", "ends_f1")} <= set(
            numbers
        )


def test_a_way_that_has_an_assistant_is_compared_and_its_claims_judged(checkout):
    numbers = load_numbers(checkout / RESULT)
    claims = [claim for claim in load_claims(ROOT / "configs/claims.yaml") if claim.notebook == "02_persona_ablation"]
    assert {claim.key for claim in claims} <= set(numbers)
    assert all(verdict(claim, numbers).outcome != "not run" for claim in claims)


def test_figures_and_prompts_are_there(checkout):
    for name in ("realism", "win_rates"):
        assert all((checkout / RESULT / f"figures/{name}.{kind}").stat().st_size for kind in ("svg", "png", "csv"))
    assert "Type as people do in a chat" in (checkout / RESULT / "tables/told.csv").read_text()
