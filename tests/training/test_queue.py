"""Does the queue know its order, pass over what is done, and release what is shipped?"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from repro.config import load_profile
from repro.errors import ReproError
from repro.provenance import sha256_of
from repro.training import queue
from repro.training.identity import made_from
from repro.training.lab import Lab
from repro.training.names import in_order, parents_of

CPU = replace(load_profile("cpu"), arms={"roleplay": 2, "userlm": 2, "oracle": 1})


class Silent(Lab):
    """Trains nothing and says what it was asked for."""

    def make(self, name: str) -> str:
        return "trained"


def finished(lab, name):
    folder = lab.work / name
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(name.encode())
    weights = {parent: sha256_of(lab.work / parent / "adapter_model.safetensors") for parent in parents_of(name)}
    record = {
        "name": name,
        "sha256": sha256_of(folder / "adapter_model.safetensors"),
        "made_from": {"parents": weights},
    }
    (folder / "checkpoint.json").write_text(json.dumps(record))


def test_all_or_what_was_asked_for(tmp_path, capsys):
    lab = Silent(CPU, root=tmp_path)
    queue.work_through(lab, [])
    assert capsys.readouterr().out.splitlines() == [f"{name}: trained" for name in in_order(CPU.arms)]
    queue.work_through(lab, ["userlm"])
    assert capsys.readouterr().out == "userlm: trained\n"


def test_an_unknown_model_is_refused_before_anything_is_trained(tmp_path, capsys):
    with pytest.raises(ReproError, match="no model 'nobody' in profile cpu; have initial, userlm, assist"):
        queue.work_through(Silent(CPU, root=tmp_path), ["userlm", "nobody"])
    assert capsys.readouterr().out == ""


def test_released_are_the_finished_ones_of_every_seed(tmp_path):
    lab = Lab(CPU, root=tmp_path)
    for name in ("initial", "userlm", "assistant-userlm-s0", "assistant-userlm-s1"):
        finished(lab, name)
    (lab.work / "assistant-roleplay-s0").mkdir()  # begun
    released = ["initial", "userlm", "assistant-userlm-s0", "assistant-userlm-s1"]
    assert queue.release_finished(lab) == released
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == set(released)


def test_a_child_of_other_parents_is_not_released(tmp_path):
    lab = Lab(CPU, root=tmp_path)
    for name in ("initial", "assistant-oracle-s0"):
        finished(lab, name)
    (lab.work / "initial" / "adapter_model.safetensors").write_bytes(b"trained anew")
    record = {"name": "initial", "sha256": sha256_of(lab.work / "initial" / "adapter_model.safetensors")}
    (lab.work / "initial" / "checkpoint.json").write_text(json.dumps(record))
    with pytest.raises(ReproError, match="assistant-oracle-s0 was trained with another initial"):
        queue.release_finished(lab)
    assert not (tmp_path / "checkpoints").exists()


def test_adopted_is_what_was_made_just_as_the_profile_says(tmp_path):
    there = Lab(CPU, root=tmp_path / "there")
    for name in ("initial", "userlm", "assistant-userlm-s0", "assistant-oracle-s0"):
        finished(there, name)
        parents = {parent: there.work / parent for parent in parents_of(name)}
        record = json.loads((there.work / name / "checkpoint.json").read_text())
        record["made_from"] = made_from(name, CPU, seed=0, parents=parents)
        if name == "assistant-oracle-s0":
            record["made_from"]["steps"] += 1
        (there.work / name / "checkpoint.json").write_text(json.dumps(record))
    queue.release_finished(there)
    here = Lab(CPU, root=tmp_path / "here")
    shutil.copytree(tmp_path / "there" / "checkpoints", tmp_path / "here" / "checkpoints")
    assert queue.adopt_released(here) == ["initial", "userlm", "assistant-userlm-s0"]
    assert [here.make(name) for name in ("initial", "userlm", "assistant-userlm-s0")] == ["finished before"] * 3
    assert queue.adopt_released(here) == []
    other = Lab(replace(CPU, warmup=replace(CPU.warmup, n_dialogues=7)), root=tmp_path / "here")
    other.work = tmp_path / "other"
    assert queue.adopt_released(other) == []  # not the initial one, so none of its children


def test_toys_are_not_released(tmp_path):
    with pytest.raises(ReproError, match="what is released is trained at profile cpu, not smoke"):
        queue.release_finished(Lab(load_profile("smoke"), root=tmp_path))


def test_more_jobs_than_cores_are_refused():
    with pytest.raises(ReproError, match="9999 jobs need 9999 cores"):
        queue.side_by_side(9999, [])
