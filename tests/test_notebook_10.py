"""Does a stranger's simulator get its score card? At smoke size, in a checkout of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from repro.errors import ReproError
from repro.models.hashes import sha256
from repro.reporting import load_numbers
from repro.runner import run_notebook

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
RESULT = "results/smoke/10_your_simulator"
BUDGET = {"steps": 1, "n_dialogues": 3, "n_participants": 4}
TWENTY_LINES = """
from repro import Turn

class Shy:
    name = "shy"

    def reply(self, tasks, dialogues, *, seed):
        return [self.turn(task, dialogue) for task, dialogue in zip(tasks, dialogues)]

    def turn(self, task, dialogue):
        if not dialogue:
            return Turn("user", "could you write something for me")
        told = sum(turn.role == "user" for turn in dialogue) - 1
        if told >= len(task.requirements):
            return Turn("user", "thanks", ends=True)
        return Turn("user", f"well, perhaps {task.requirements[told].value}")
"""


@pytest.fixture(scope="module")
def checkout(at_smoke):
    """A checkout without code, with a simulator in a file of its own, in which notebook 10 has run at smoke."""
    params = {"simulator": "mine.py:Shy", **BUDGET}
    return at_smoke("10", params, prepare=lambda path: (path / "mine.py").write_text(TWENTY_LINES))


def test_the_card_says_what_the_simulator_is_worth(checkout):
    card = json.loads((checkout / RESULT / "scorecard.json").read_text())
    assert card["simulator"] == "shy"
    assert card["made_with"]["steps"] == 1
    assert {"contract", "realism", "gap", "utility", "generalisation", "cost"} <= set(card)
    assert {"shy", "roleplay", "userlm", "exhaustive"} == set(card["gap"])
    assert card["realism"]["revealed_first"]["simulator"]["value"] == 0  # it says nothing at first
    assert card["utility"]["shy_vs_initial"]["n"] + card["utility"]["shy_vs_initial"]["n_unscored"] == 4
    assert {"gain.shy", "gain.userlm", "gain.oracle", "others", "gap"} <= set(card["generalisation"])


def test_its_numbers_are_in_the_record_with_the_figure(checkout):
    numbers = load_numbers(checkout / RESULT)
    assert {"winrate.shy_vs_initial", "generalisation.gap", "realism.shy.ends_f1", "cost.seconds_per_turn"} <= set(
        numbers
    )
    assert all((checkout / RESULT / f"figures/scorecard.{kind}").stat().st_size for kind in ("svg", "png", "csv"))


def test_the_record_has_the_hash_of_its_source(checkout):
    inputs = json.loads((checkout / RESULT / "run.json").read_text())["inputs"]
    assert inputs["mine.py"] == sha256(checkout / "mine.py")


def test_one_that_breaks_the_contract_is_refused_with_one_sentence(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    (checkout / "bad.py").write_text(TWENTY_LINES.replace("        return [self", "        return [] and [self"))
    with pytest.raises(ReproError, match=r"cell \d+: 'bad.py:Shy' does not keep the contract: speaks: asked for"):
        run_notebook("10", "smoke", {"simulator": "bad.py:Shy", **BUDGET}, root=checkout)
