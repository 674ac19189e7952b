"""Is the table of how often estimators are right what was measured, and are its ranges applied as stated?"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from repro.evaluation.calibration import Cell, calibration_numbers, read_cells, summary

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("calibrate_study", ROOT / "scripts" / "calibrate_study.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibrate_study"] = module
    spec.loader.exec_module(module)
    return module


def cell(value: float, setting: str = "s", n: int = 1000) -> Cell:
    return Cell("pair", setting, "win_rate", "coverage", value, 0.007, n, 0)


def test_a_cell_is_outside_its_range_and_surely_so_beyond_two_monte_carlo_errors():
    assert [cell(v).outside for v in (0.93, 0.929, 0.97, 0.971)] == [False, True, False, True]
    assert [cell(v).surely_outside for v in (0.917, 0.915, 0.983, 0.985)] == [False, True, False, True]


def test_cells_are_summed_up_by_estimator():
    (found,) = summary([cell(0.92), cell(0.95, "t"), cell(0.96, "u")])
    assert (found.n_cells, found.low, found.high, found.n_outside, found.n_surely_outside) == (3, 0.92, 0.96, 1, 0)
    number = calibration_numbers([cell(0.92), cell(0.96, "t")])["calibration.win_rate.coverage"]
    assert (number.value, number.low, number.high, number.n) == (pytest.approx(0.94), 0.92, 0.96, 2000)


def test_what_ships_was_measured_on_five_hundred_studies_or_more_and_covers_every_cell(script):
    cells = read_cells()
    assert {(c.kind, c.setting) for c in cells} == {
        (k, script.setting(k, s)) for k, (_, ss) in script.CELLS.items() for s in ss
    }
    assert all(c.n + c.n_silent >= 500 for c in cells)
    assert all(c.n_silent <= 0.02 * (c.n + c.n_silent) for c in cells)


def test_the_page_shows_the_table_that_ships(script):
    page = (ROOT / "docs" / "statistics.md").read_text()
    assert page.split(script.BEGIN)[1].split(script.END)[0].strip() == script.as_markdown(read_cells())


def test_studies_are_drawn_as_they_are_described(script):
    study = script.Study(20_000, 3, 0.58, icc=0.3, ties=0.2, position=0.2, leaves=0.2)
    votes = script.drawn(study, np.random.default_rng(0))
    outcomes = np.array([v.outcome for v in votes])
    first = np.array([v.outcome if v.position == "a_first" else 1 - v.outcome for v in votes])
    assert outcomes.mean() == pytest.approx(0.58, abs=0.01)
    assert (outcomes == 0.5).mean() == pytest.approx(0.2, abs=0.01)
    assert outcomes[outcomes != 0.5].mean() == pytest.approx(study.decided, abs=0.01)
    assert first.mean() == pytest.approx(0.5 + study.first / 2, abs=0.01)
    # of three votes with a chance of 0.2 to leave after each: 1 + 0.8 + 0.64 votes
    assert len(votes) / 20_000 == pytest.approx(2.44, abs=0.03)


def test_a_run_that_was_stopped_goes_on_where_it_was(script, tmp_path, monkeypatch):
    small = [script.Study(12, 1, 0.5), script.Study(12, 2, 0.5)]
    monkeypatch.setattr(script, "CELLS", {"agreement": (script.of_agreement, small)})
    path = tmp_path / "cells.csv"
    assert len(list(script.run(path, 3))) == 2
    assert list(script.run(path, 3)) == []
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    assert [c.setting for c in script.run(path, 3)] == [script.setting("agreement", small[1])]


def test_the_table_is_put_between_the_markers(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script, "CELLS", {"seeds": (script.of_seeds, [script.Retrained(12, 3, 1, 0.0)])})
    page = tmp_path / "page.md"
    page.write_text(f"before\n{script.BEGIN}\nold\n{script.END}\nafter\n")
    given = ["--studies", "2", "--out", str(tmp_path / "cells.csv"), "--docs", str(page)]
    assert script.main(given) == 0
    assert page.read_text().startswith("before\n")
    assert "| seeds_alike | coverage at least |" in page.read_text()
    page.write_text("no markers")
    assert script.main(given) == 2
    assert "needs one line <!-- calibration:begin -->" in capsys.readouterr().err
