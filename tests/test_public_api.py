from __future__ import annotations

import json
import subprocess
import sys

import pytest

import repro

NAMES = [
    *("Estimate", "ReproError", "Requirement", "Run", "Score", "Task", "Trajectory", "Turn"),
    *("load_simulator", "rollout"),
]
HEAVY = {"torch", "transformers", "pandas", "scipy", "matplotlib", "seaborn", "pydantic", "papermill", "trl"}
PROBE = """
import json, sys, time
start = time.perf_counter()
import repro
seconds = time.perf_counter() - start
repro.Turn, repro.Run, repro.ReproError
print(json.dumps([seconds, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def test_the_window_shows_these_names():
    assert sorted(repro.__all__) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_name_in_the_window_is_there_and_is_what_it_says(name):
    assert getattr(repro, name).__name__ == name
    assert name in dir(repro)


def test_a_name_that_is_not_there_lists_those_that_are():
    with pytest.raises(AttributeError, match="no attribute 'Simulator'; have Estimate"):
        _ = repro.Simulator


def test_importing_takes_less_than_a_second_and_nothing_heavy(root):
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=root, capture_output=True, text=True, check=True)
    seconds, modules = json.loads(done.stdout)
    assert HEAVY & set(modules) == set()
    assert seconds < 1
