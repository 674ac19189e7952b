"""Are votes analysed from the first cell to the last, those of reference users and those of a file? At smoke size."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from repro.evaluation.preference import Vote
from repro.evaluation.votes import votes_frame
from repro.reporting import load_numbers
from repro.runner import run_notebook

pytestmark = pytest.mark.slow
RESULT = "results/smoke/08_human_study"
PAIRS = ("roleplay_vs_initial", "userlm_vs_initial", "userlm_vs_roleplay")


@pytest.fixture(scope="module")
def checkout(at_smoke):
    """A checkout without code, in which notebook 08 has run at smoke."""
    return at_smoke("08", {"n_participants": 4})


def test_every_pair_has_its_numbers(checkout):
    numbers = load_numbers(checkout / RESULT)
    assert all(numbers[f"study.{pair}"].n == 4 for pair in PAIRS)
    assert {f"study.{pair}.{key}" for pair in PAIRS for key in ("p_holm", "tost_p", "mde", "no_ties")} <= {
        key.replace("winrate_no_ties", "no_ties") for key in numbers
    }
    assert numbers["study.n_participants"].value == 4
    assert numbers["plan.n_for_57"].value == 395


def test_the_calibration_that_is_recorded_is_the_one_that_was_measured(checkout):
    cells = pd.read_csv(checkout / RESULT / "tables/calibration_cells.csv")
    numbers = load_numbers(checkout / RESULT)
    mine = cells[(cells.estimator == "win_rate") & (cells.what == "coverage")].value
    assert numbers["calibration.win_rate.coverage"].value == pytest.approx(mine.mean())
    assert (cells.n + cells.n_silent >= 500).all()


def test_the_figures_are_there(checkout):
    for name in ("win_rates", "power"):
        assert all((checkout / RESULT / f"figures/{name}.{kind}").stat().st_size for kind in ("svg", "png", "csv"))


def test_votes_of_a_file_are_analysed_alike(checkout, tmp_path, monkeypatch):
    shutil.copytree(checkout, tmp_path / "checkout", ignore=shutil.ignore_patterns("work", "results"))
    where = ("a_first", "b_first")
    votes = [
        Vote(f"p{i}", f"t{i}", a, b, None, None, [1.0, 0.0, 0.5, 1.0][(i + k) % 4], where[i % 2])
        for i in range(12)
        for k, (a, b) in enumerate([("x", "y"), ("z", "y")])
    ]
    votes_frame(votes, {f"t{i}": "ab"[i % 2] for i in range(12)}).to_csv(tmp_path / "votes.csv", index=False)
    monkeypatch.chdir(tmp_path / "checkout")
    assert run_notebook("08", "smoke", {"votes_path": str(tmp_path / "votes.csv")}, root=tmp_path / "checkout")
    numbers = load_numbers(tmp_path / "checkout" / RESULT)
    assert numbers["study.n_votes"].value == 24
    assert numbers["study.y_vs_x"].value == pytest.approx(3 / 8)  # x took 6 wins, 3 ties and 3 losses of 12
    assert Path(tmp_path / "checkout" / RESULT / "tables/parts.csv").read_text().count('"y_vs_x"') == 2
