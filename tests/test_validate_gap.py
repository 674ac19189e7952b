"""Does the script that checks the gap draw what it says, and write its table where it belongs?"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "validate_gap.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("validate_gap", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["validate_gap"] = module
    spec.loader.exec_module(module)
    return module


def test_samples_are_of_the_population_that_is_named(script):
    setting = script.Setting(3000, 6, most=4, paired=True)
    here, there = script.populations(setting, 1.0)
    side = script.drawn(setting, here, "u", np.random.default_rng(0))
    assert np.bincount(side.labels, minlength=6) / len(side.labels) == pytest.approx(here, abs=0.02)
    assert len(set(side.users)) == 3000 < len(side.users) < 12000
    assert abs(here - there).max() > 0.05
    assert (script.populations(setting, 0.0)[1] == here).all()


def test_clusters_are_found_again(script):
    setting = script.Setting(100, 6, clustered=True)
    side = script.drawn(setting, script.populations(setting, 0.0)[0], "u", np.random.default_rng(0))
    (again,) = script.found_again([side], setting, np.random.default_rng(1))
    pairs = pd.DataFrame({"was": side.labels, "is": again.labels}).drop_duplicates()
    assert len(pairs) <= 8  # six kinds, six clusters, hardly any row elsewhere


def test_the_table_is_put_between_the_markers(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script, "SETTINGS", [script.Setting(30, 3)])
    monkeypatch.setattr(script, "N_PERMUTATIONS", 19)
    page = tmp_path / "page.md"
    page.write_text(f"before\n{script.BEGIN}\nof yesterday\n{script.END}\nafter\n")
    assert script.main(["--repetitions", "3", "--docs", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "of yesterday" not in text
    assert text.count("| 30 users, k = 3, 1 conversation each |") == len(script.AWAY)
    page.write_text("no markers")
    assert script.main(["--repetitions", "2", "--docs", str(page)]) == 2
    assert "needs one line <!-- coverage:begin -->" in capsys.readouterr().err


def test_what_mixtures_gain_has_a_table_of_its_own(script, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "N_SPLITS", 2)
    monkeypatch.setattr(script, "N_REPLICATES", 2)
    whole = script.gain_table
    monkeypatch.setattr(script, "gain_table", lambda n: whole(n, n=40, k=4))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{script.GAIN_BEGIN}\n{script.GAIN_END}\nafter\n")
    assert script.main(["--gain", "--repetitions", "2", "--docs", str(page)]) == 0
    rows = [line.split("|") for line in page.read_text().splitlines() if line.startswith(("| three", "| users"))]
    assert [float(row[2]) > 0 for row in rows[1:]] == [False, False, True]
