"""Is the gap measured, split up, read and mixed, from the first cell to the claims? At smoke size."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from repro.evaluation.gap import READINGS
from repro.models.hashes import sha256
from repro.reporting import load_claims, load_numbers, verdict

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
RESULT = "results/smoke/05_distributional_gap"
PEOPLE = [("need a note", "saturday"), ("Could you write me an invitation?", "no, on Monday"), ("hi", "a poem pls")]


@pytest.fixture(scope="module")
def checkout(at_smoke):
    """A checkout without code, with a file of people's conversations, in which notebook 05 has run at smoke."""

    def write(path: Path) -> None:
        talks = [
            [
                {"role": "user", "content": one},
                {"role": "assistant", "content": "When?"},
                {"role": "user", "content": two},
            ]
            for one, two in PEOPLE * 8
        ]
        (path / "people.jsonl").write_text("".join(json.dumps({"messages": talk}) + "\n" for talk in talks))

    return at_smoke("05", {"n_conversations": 16, "k": 3, "real_path": "people.jsonl"}, prepare=write)


def test_every_simulator_has_its_gap_and_its_p(checkout):
    numbers = load_numbers(checkout / RESULT)
    for name in ("roleplay", "roleplay_warm", "userlm", "exhaustive", "assistant_as_user", "other_users", "replay"):
        assert {f"gap.{name}.js", f"gap.{name}.js_corrected", f"gap.{name}.p_holm"} <= set(numbers)
    assert numbers["gap.exhaustive.js"].value > numbers["gap.floor.js"].value
    assert numbers["gap.mixture.certificate"].value < 1e-8
    assert {f"gap.{name}.n_cut" for name in ("real", "roleplay", "userlm")} <= set(numbers)
    for name in ("mixture", "mixture_prompted"):
        assert 0 < numbers[f"largest_weight.{name}.gain"].value <= 1
        assert f"room.{name}.gain" in numbers


def test_the_controls_that_are_users_are_counted_in_every_representation(checkout):
    cells, numbers = pd.read_csv(checkout / RESULT / "tables/controls.csv"), load_numbers(checkout / RESULT)
    assert len(cells) == 2 * 10  # six facets, all of them together, three raw representations
    assert {*cells.simulator} == {"other_users", "replay"}
    for what in ("below_zero", "above_zero", "small_p"):
        assert numbers[f"gap.controls.{what}"].value == cells[what].sum()
        assert numbers[f"gap.controls.{what}"].n == 20
    gaps = pd.read_csv(checkout / RESULT / "tables/gaps.csv").set_index("simulator")
    assert gaps.paired["other_users"]  # each beside a user with the same kind of document


def test_likeness_is_asked_of_all_simulators_that_are_no_users_and_of_one_of_a_kind(checkout):
    table, numbers = pd.read_csv(checkout / RESULT / "tables/likeness.csv"), load_numbers(checkout / RESULT)
    sets = {row.set: {*row.simulators.split(", ")} for row in table.itertuples()}
    assert sets["likeness"] >= {"exhaustive", "roleplay_warm", "userlm", "assistant_as_user"}
    assert not sets["likeness"] & {"other_users", "replay"}
    assert sets["likeness_one_of_a_kind"] == {"roleplay_raw", "roleplay", "userlm", "exhaustive", "assistant_as_user"}
    assert sets["likeness"] - sets["likeness_as_before"] == {"exhaustive"}  # smoke has one size
    assert all(numbers[f"gap.simulators.{row.set}"].value == pytest.approx(row.value) for row in table.itertuples())


def test_the_claims_are_judged(checkout):
    numbers = load_numbers(checkout / RESULT)
    claims = [claim for claim in load_claims(ROOT / "configs/claims.yaml") if claim.notebook == "05_distributional_gap"]
    assert len(claims) == 5
    assert all(verdict(claim, numbers).outcome != "not run" for claim in claims)


def test_the_record_has_the_hash_of_the_people_s_conversations(checkout):
    inputs = json.loads((checkout / RESULT / "run.json").read_text())["inputs"]
    assert inputs["checkout/people.jsonl"] == sha256(checkout / "people.jsonl")


def test_figures_and_tables_are_there(checkout):
    for name in (
        "gaps",
        "components",
        "map",
        "by_facet",
        "facets",
        "representations",
        "pairwise",
        "mixtures",
        "people",
    ):
        assert all((checkout / RESULT / f"figures/{name}.{kind}").stat().st_size for kind in ("svg", "png", "csv"))
    read = pd.read_csv(checkout / RESULT / "tables/behaviours.csv")
    assert set(read.reading) <= set(READINGS)
    assert set(read.meaning) <= set(READINGS.values())
    table = pd.read_csv(checkout / RESULT / "tables/gaps.csv")
    assert {"n_unscored", "n_cut", "paired", "n_unpaired", "p_is_least"} <= set(table)
