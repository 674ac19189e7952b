"""Does the main experiment run from its first cell to the paper? At smoke size, in a checkout of its own."""

from __future__ import annotations

import json
import shutil
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

from repro.config import load_profile
from repro.errors import ReproError
from repro.evaluation import ARMS
from repro.paper import build
from repro.reporting import Run, load_claims, load_numbers
from repro.runner import run_notebook

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
RESULT = "results/smoke/01_main_win_rates"
ARMS_TRAINED = ("roleplay_raw", "roleplay", "exhaustive", "userlm", "oracle")


@pytest.fixture(scope="module")
def checkout(at_smoke):
    """A checkout without code, in which notebook 01 has run at smoke."""
    return at_smoke("01")


@pytest.fixture(scope="module")
def numbers(checkout):
    return load_numbers(checkout / RESULT)


@pytest.mark.parametrize("profile", ["smoke", "quick", "cpu"])
def test_every_profile_compares_every_arm(profile):
    assert set(load_profile(profile).arms) >= set(ARMS_TRAINED)


def test_every_pair_of_arms_has_its_numbers(numbers):
    arms = [arm for arm in ARMS if arm in ("initial", *ARMS_TRAINED)]
    for b, a in combinations(arms, 2):
        rate = numbers[f"winrate.{a}_vs_{b}"]
        assert rate.n + rate.n_unscored == 6  # as many users as the profile has, one seed each
        assert 0 <= rate.low <= rate.value <= rate.high <= 1
        assert {f"{name}.{a}_vs_{b}" for name in ("p_holm", "tost_p", "mde", "n_seeds_a", "n_ties")} <= set(numbers)
    assert sum(key.startswith("winrate.") for key in numbers) == 15  # 6 arms


def test_every_claim_of_this_notebook_can_be_judged(numbers):
    assert {claim.key for claim in load_claims(ROOT / "configs/claims.yaml") if claim.notebook[:2] == "01"} <= set(
        numbers
    )


def test_the_record_says_what_it_was_made_from(checkout):
    record = json.loads((checkout / RESULT / "run.json").read_text())
    wanted = "notebook profile params params_overridden seed started seconds git packages hardware inputs prompts"
    assert set(f"{wanted} checkpoints outputs".split()) <= set(record)
    assert set(record["git"]) == {"commit", "dirty"}
    assert set(record["checkpoints"]) == {"initial", "userlm", *(f"assistant-{arm}-s0" for arm in ARMS_TRAINED)}
    assert len(record["prompts"]) == 2
    assert str(checkout) not in (checkout / RESULT / "executed.ipynb").read_text()


def test_figures_and_tables_are_there_and_hold_every_arm(checkout):
    for name in ("win_rates", "behaviour", "training_curves"):
        assert all((checkout / RESULT / f"figures/{name}.{kind}").stat().st_size for kind in ("svg", "png", "csv"))
    behaviour = pd.read_csv(checkout / RESULT / "tables/behaviour.csv")
    talk = pd.read_csv(checkout / RESULT / "tables/example_dialogues.csv")
    assert set(behaviour.arm) == set(talk.arm) == {"initial", *ARMS_TRAINED}
    assert set(pd.read_csv(checkout / RESULT / "figures/training_curves.csv").step) == {1, 2}


def test_a_second_run_has_nothing_to_do(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    assert not run_notebook("01", "smoke", root=checkout)


def test_a_run_that_shows_another_user_takes_up_the_dialogues_that_were_held(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    before = {path: path.stat().st_mtime_ns for path in (checkout / "work").rglob("*.jsonl")}
    assert run_notebook("01", "smoke", {"participant": 1}, root=checkout)
    assert {path: path.stat().st_mtime_ns for path in (checkout / "work").rglob("*.jsonl")} == before
    assert len(before) == 5 + 5 + 1  # five users with the initial assistant, one with five others, the logs


def test_the_first_notebook_runs_on_the_same_models(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    assert run_notebook("00", "smoke", root=checkout)
    turns = pd.read_csv(checkout / "results/smoke/00_start_here/tables/turns.csv")
    assert set(turns.user) == {"roleplay", "userlm", "oracle"}


def test_the_paper_is_built_from_the_smoke_record(checkout):
    assert build("smoke", root=checkout).read_bytes().startswith(b"%PDF")


def test_the_paper_is_not_built_on_a_number_that_was_not_recorded(checkout, tmp_path):
    shutil.copytree(checkout / "paper", tmp_path / "paper")
    shutil.copytree(checkout / "configs", tmp_path / "configs")
    run = Run.start("01_main_win_rates", params={}, seed=0, profile="smoke", results_path=tmp_path / "results")
    for name in ("claims", "pairs", "settings", "example_dialogues", "example_wants"):
        run.table(name, pd.read_csv(checkout / RESULT / f"tables/{name}.csv"))
    recorded = load_numbers(checkout / RESULT)
    run.numbers({key: number for key, number in recorded.items() if key != "winrate.userlm_vs_roleplay"})
    run.finish()
    with pytest.raises(ReproError, match=r"no number winrate.userlm_vs_roleplay in /results/smoke"):
        build("smoke", root=tmp_path)
