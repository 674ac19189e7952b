"""Are models made once, by one process, and taken from the release where a profile does not train?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from filelock import FileLock

from repro.config import load_profile
from repro.errors import ReproError
from repro.training import checkpoints
from repro.training.lab import Lab

SMOKE = load_profile("smoke")


class Counted(Lab):
    """Makes empty adapters, and counts."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.made: list[str] = []

    def _warm_up(self, folder):
        self.made.append("initial")
        return Empty(), {"on": []}

    def train(self, arm, seed, folder, *, steps=None):
        self.made.append(f"{arm}-{seed}")
        return Empty(), {"trained_against": arm}


class Empty:
    def save_pretrained(self, folder) -> None:
        (folder / "adapter_config.json").write_text("{}")
        (folder / checkpoints.WEIGHTS).write_bytes(b"")


def test_what_is_missing_is_made_once_the_initial_assistant_first(tmp_path):
    lab = Counted(SMOKE, root=tmp_path)
    folder = lab.adapter("oracle", 1)
    assert folder == lab.adapter("oracle", 1)
    assert lab.made == ["initial", "oracle-1"]
    assert json.loads((folder / "checkpoint.json").read_text())["trained_against"] == "oracle"


def test_a_queue_says_what_became_of_each(tmp_path):
    lab = Counted(SMOKE, root=tmp_path)
    assert lab.make("assistant-oracle-s0") == "trained"
    assert lab.make("assistant-oracle-s0") == "finished before"
    with FileLock(lab.work / ".assistant-userlm-s0.lock"):
        assert lab.make("assistant-userlm-s0") == "another process trains it"


def test_a_profile_that_does_not_train_takes_the_released_ones_or_says_which_is_missing(tmp_path):
    lab = Counted(replace(SMOKE, released=True), root=tmp_path)
    with pytest.raises(ReproError, match=r"no finished adapter in .*checkpoints/initial"):
        lab.adapter("initial")
    checkpoints.save(Empty(), tmp_path / "checkpoints" / "initial", name="initial")
    assert lab.adapter("initial") == tmp_path / "checkpoints" / "initial"
    assert lab.made == []


def test_an_unknown_simulator_is_named(tmp_path):
    with pytest.raises(ReproError, match="no simulator 'nobody'; have"):
        Lab(SMOKE, root=tmp_path).simulator("nobody")


def test_every_arm_learns_on_the_same_tasks(tmp_path):
    assert Lab(SMOKE, root=tmp_path).train_tasks == Lab(SMOKE, root=tmp_path).train_tasks
    assert len(Lab(SMOKE, root=tmp_path).train_tasks) == SMOKE.train.steps * SMOKE.train.n_groups
