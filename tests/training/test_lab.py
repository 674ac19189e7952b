"""Are models made once, by one process, and taken from the release where a profile does not train?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from filelock import FileLock

from repro.config import load_profile
from repro.errors import ReproError
from repro.models import LocalModel
from repro.simulators import Exhaustive, ReferenceUsers
from repro.training import checkpoints, recipes
from repro.training.lab import Lab

SMOKE = load_profile("smoke")


class Counted(Lab):
    """Makes empty adapters, and counts."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.made: list[str] = []

    def below(self, name):
        return self.warm_up  # what `warms_up` calls

    def warm_up(self):
        self.made.append("initial")
        return Empty(), {}

    def train(self, user, seed, folder, *, steps=None):
        self.made.append(f"{user.name}-{seed}")
        return Empty(), {"trained_against": user.name}


@pytest.fixture(autouse=True)
def warms_up(monkeypatch):
    real = recipes.initial
    monkeypatch.setattr(recipes, "initial", lambda below, **how: below() if callable(below) else real(below, **how))


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
    with FileLock(lab.work / ".assistant-exhaustive-s0.lock"):
        assert lab.make("assistant-exhaustive-s0") == "another process trains it"


def test_a_profile_that_does_not_train_takes_the_released_ones_or_says_which_is_missing(tmp_path):
    lab = Counted(replace(SMOKE, released=True), root=tmp_path)
    with pytest.raises(ReproError, match=r"no finished adapter in .*checkpoints/initial"):
        lab.adapter("initial")
    checkpoints.save(Empty(), tmp_path / "checkpoints" / "initial", name="initial")
    assert lab.adapter("initial") == tmp_path / "checkpoints" / "initial"
    assert lab.made == []


def test_what_was_made_with_other_settings_is_not_taken_for_what_is_asked_for(tmp_path):
    Counted(SMOKE, root=tmp_path).adapter("oracle", 0)
    longer = replace(SMOKE, train=replace(SMOKE.train, steps=SMOKE.train.steps + 1))
    sentence = rf"assistant-oracle-s0 was made from something else \(steps was {SMOKE.train.steps}, is"
    with pytest.raises(ReproError, match=sentence):
        Counted(longer, root=tmp_path).adapter("oracle", 0)
    saved_more_often = replace(SMOKE, train=replace(SMOKE.train, save_steps=1, micro_batch=2))
    Counted(saved_more_often, root=tmp_path).adapter("oracle", 0)  # the same in the end


def test_nor_is_a_training_that_was_begun_with_others(tmp_path):
    class Stopped(Counted):
        def train(self, *_, **__):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Stopped(SMOKE, root=tmp_path).adapter("oracle", 0)
    longer = replace(SMOKE, train=replace(SMOKE.train, steps=SMOKE.train.steps + 1))
    with pytest.raises(ReproError, match=r"assistant-oracle-s0.training was made from something else"):
        Counted(longer, root=tmp_path).adapter("oracle", 0)
    Counted(SMOKE, root=tmp_path).adapter("oracle", 0)


def test_a_child_of_another_parent_is_refused(tmp_path):
    lab = Counted(SMOKE, root=tmp_path)
    lab.adapter("oracle", 0)
    (lab.work / "initial" / checkpoints.WEIGHTS).write_bytes(b"trained anew")
    record = checkpoints.json.loads((lab.work / "initial" / "checkpoint.json").read_text())
    record["sha256"] = checkpoints.sha256_of(lab.work / "initial" / checkpoints.WEIGHTS)
    (lab.work / "initial" / "checkpoint.json").write_text(json.dumps(record))
    with pytest.raises(ReproError, match="other parents"):
        lab.adapter("oracle", 0)


def test_once_it_is_filed_nothing_is_left_of_the_training(tmp_path):
    lab = Counted(SMOKE, root=tmp_path)
    lab.adapter("oracle", 0)
    assert sorted(path.name for path in lab.work.iterdir() if path.is_dir()) == ["assistant-oracle-s0", "initial"]


def test_an_arm_against_nobody_is_found_before_anything_is_trained(tmp_path):
    with pytest.raises(ReproError, match="profile smoke has an arm against 'nobody'; simulators are exhaustive"):
        Lab(replace(SMOKE, arms={"nobody": 1}), root=tmp_path)


def test_an_unknown_simulator_is_named(tmp_path):
    with pytest.raises(ReproError, match="no simulator 'nobody'; have"):
        Lab(SMOKE, root=tmp_path).simulator("nobody")


@pytest.mark.parametrize(("engine", "place"), [("transformers", None), ("vllm", "cpu"), ("vllm_server", "cpu")])
def test_weights_that_are_only_copied_from_stay_on_the_cpu(tmp_path, monkeypatch, engine, place):
    asked = []
    monkeypatch.setattr(LocalModel, "from_pretrained", lambda *_, device, **how: asked.append(device) or Loaded())
    monkeypatch.setattr("repro.training.making.ensure", lambda lab, name: None)
    monkeypatch.setattr("repro.training.recipes.assistant", lambda *_, **how: (None, {}))
    lab = Lab(replace(SMOKE, train=replace(SMOKE.train, engine=engine)), root=tmp_path)
    lab.train(ReferenceUsers(), 0, tmp_path)
    lab.below("userlm")
    assert asked == [place, "cpu"]


class Loaded:
    model = tokenizer = None


def test_every_arm_learns_on_the_same_tasks_in_a_short_run_too(tmp_path, monkeypatch):
    seen = []

    def recipe(config, user, *, initial, tasks, seed, folder, steps):
        seen.append(tasks)
        return None, {}

    monkeypatch.setattr("repro.training.recipes.assistant", recipe)
    for user in (ReferenceUsers(), Exhaustive()):
        Lab(SMOKE, root=tmp_path).train(user, 0, tmp_path)
        Lab(SMOKE, root=tmp_path).train(user, 0, tmp_path, steps=1)
    assert seen[0] == seen[1] == seen[2] == seen[3]
    assert len(seen[0]) == SMOKE.train.steps * SMOKE.train.n_groups
