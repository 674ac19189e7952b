"""Are cut models healed, fine-tuned, trained against and compared, from the first cell to the claims? At smoke size."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from repro.reporting import load_numbers

pytestmark = pytest.mark.slow
RESULT = "results/smoke/03_scaling"
ARMS = "arms: {roleplay: 1, roleplay_depth1: 1, userlm: 1, userlm_depth1: 1}  # a test\ntrain:"


@pytest.fixture(scope="module")
def checkout(at_smoke):
    """A checkout without code, in which notebook 03 has run at smoke; the tiny model has two layers."""

    def cut(path: Path) -> None:
        settings = path / "configs" / "smoke.yaml"
        before, _, rest = settings.read_text().partition("arms:")
        settings.write_text(before + ARMS + rest.partition("\ntrain:")[2])

    return at_smoke("03", {"n_tasks": 3, "n_participants": 4}, prepare=cut)


def test_every_size_has_a_perplexity_and_a_win_rate(checkout):
    numbers = load_numbers(checkout / RESULT)
    for arm in ("roleplay", "roleplay_depth1", "userlm", "userlm_depth1"):
        assert numbers[f"perplexity.{arm}"].value > 1
        assert f"winrate.{arm}_vs_initial" in numbers
    assert numbers["perplexity.roleplay_depth1"].value != numbers["perplexity.roleplay"].value


def test_a_cut_model_says_what_it_stands_on(checkout):
    models = checkout / "work/smoke/models"
    records = {
        name: json.loads((models / name / "checkpoint.json").read_text()) for name in ("depth1", "userlm_depth1")
    }
    assert records["depth1"]["n_layers"] == records["userlm_depth1"]["n_layers"] == 1
    assert records["userlm_depth1"]["on"] == ["depth1"]
    assert set(records["userlm_depth1"]["made_from"]["parents"]) == {"initial", "depth1"}
    assert "n_layers=1" in (models / "userlm_depth1" / "README.md").read_text()


def test_the_figure_holds_both_measures_at_both_sizes(checkout):
    drawn = pd.read_csv(checkout / RESULT / "figures/scaling.csv")
    assert {*map(tuple, drawn[["kind", "n_layers"]].to_numpy())} == {
        ("roleplay", 1), ("roleplay", 2), ("userlm", 1), ("userlm", 2),
    }  # fmt: skip
    assert set(drawn.measure) == {"perplexity", "win_rate"}
    assert all((checkout / RESULT / f"figures/scaling.{kind}").stat().st_size for kind in ("svg", "png"))
