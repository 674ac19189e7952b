"""Do as many participants as planned see what they should, as often as they should?"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from repro.cli import main
from repro.errors import ReproError
from repro.evaluation.planning import Design, design_effect_table, detectable, participants_needed, power_of, shown

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "calibrate_study.py"


def test_one_vote_each_is_the_textbook_number() -> None:
    # d = 0.07 / sqrt(0.57 * 0.43) = 0.1414; (1.960 + 0.842)^2 / d^2 = 392.7, and two more for Student's t
    assert participants_needed(0.57) == 395
    assert participants_needed(0.43) == 395
    assert power_of(0.57, 395) == pytest.approx(0.8, abs=0.001)


def test_votes_of_one_participant_are_worth_less_than_of_several() -> None:
    # sd^2 = (0.25 - 0.2 / 4) (1 + 2 * 0.5) / 3 = 0.1333
    assert Design(3, 0.5, 0.2).sd(0.5) == pytest.approx(0.13333**0.5, rel=1e-4)
    alike, mixed = participants_needed(0.57, design=Design(3, 0.5)), participants_needed(0.57, design=Design(3, 0.0))
    assert mixed < alike < participants_needed(0.57)


def test_the_smallest_detectable_effect_is_detectable() -> None:
    for design in (Design(), Design(4, 0.3, 0.3)):
        assert power_of(0.5 + detectable(283, design=design), 283, design=design) == pytest.approx(0.8, abs=0.002)


@pytest.mark.parametrize("design", [Design(), Design(4, 0.3, 0.3)])
def test_simulated_studies_of_the_planned_size_find_it_as_often_as_planned(design: Design) -> None:
    spec = importlib.util.spec_from_file_location("calibrate_study", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    sys.modules["calibrate_study"] = script
    spec.loader.exec_module(script)
    n, found = participants_needed(0.62, design=design), 0
    study = script.Study(n, design.votes_each, 0.62, design.icc, design.ties, position=0.0, leaves=1e-9)
    for i in range(400):
        votes = script.drawn(study, np.random.default_rng(i))
        means = np.array([v.outcome for v in votes]).reshape(n, design.votes_each).mean(axis=1)
        found += ttest_1samp(means, 0.5).pvalue < 0.05
    assert found / 400 == pytest.approx(0.8, abs=0.06)  # three Monte-Carlo errors


def test_what_283_participants_of_one_vote_show() -> None:
    # se of 0.51: sqrt(0.51 * 0.49 / 283) = 0.02972, t = 1.9684
    found = shown(0.51)
    assert (found.low, found.high) == (pytest.approx(0.4515, abs=1e-4), pytest.approx(0.5685, abs=1e-4))
    assert found.reading == "open: neither different nor shown to be alike"
    assert shown(0.58).reading == "different from one half"
    assert shown(0.51, design=Design(6, 0.0, 0.2)).reading == "no different from one half"
    assert len(design_effect_table([Design(), Design(3)])) == 6


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: participants_needed(0.5), "a win rate between 0 and 1 other than 0.5"),
        (lambda: participants_needed(0.6, power=0.01), "0 < alpha < power < 1"),
        (lambda: Design(0), "1 vote each or more"),
        (lambda: Design(1, 0.0, 0.9).sd(0.6), "no votes have a win rate of 0.6 and 90% ties"),
    ],
)
def test_what_cannot_be_planned_is_said(call, words) -> None:
    with pytest.raises(ReproError, match=words):
        call()


def test_the_planner_can_be_typed(capsys) -> None:
    assert main(["study", "plan", "--effect", "0.57", "--power", "0.8"]) == 0
    assert capsys.readouterr().out.startswith("395 participants, 395 votes on the pair\n")
