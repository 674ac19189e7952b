"""Are the models of a profile made in an order in which each finds what it stands on?"""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

from repro import cluster
from repro.cluster import models
from repro.cluster.models import launched, waves
from repro.config import load_profile
from repro.errors import ReproError
from repro.training.checkpoints import load_record
from repro.training.lab import Lab
from repro.training.names import in_order, parents_of
from repro.training.queue import work_through


def test_what_others_stand_on_comes_first_and_everything_once():
    names = in_order({"roleplay": 2, "userlm": 1, "userlm_depth10": 1})
    found = waves(names)
    assert found[0] == ["initial"]
    assert sorted(name for wave in found for name in wave) == sorted(names)
    made = set()
    for wave in found:
        assert all(set(parents_of(name)) <= made for name in wave)
        made |= {*wave}
    assert {"assistant-roleplay-s0", "assistant-roleplay-s1"} <= {*found[1]}  # arms and seeds side by side


def test_what_is_missing_below_a_named_model_does_not_hold_it_up():
    assert waves(["assistant-userlm-s0"]) == [["assistant-userlm-s0"]]


def test_several_gpus_are_used_through_a_launch_file_and_one_process_needs_none(tmp_path):
    lab = Lab(load_profile("paper"), root=tmp_path)
    start = [sys.executable, "-m", "accelerate.commands.launch", "--config_file"]
    train = ["-m", "repro", "train"]
    assert launched(lab, "assistant-userlm-s0") == [
        *start, "configs/recipes/launch/ddp-8gpu.yaml", *train, "assistant-userlm-s0", "--profile", "paper",
    ]  # fmt: skip
    assert launched(lab, "userlm")[4] == "configs/recipes/launch/fsdp-8gpu.yaml"
    assert launched(Lab(load_profile("cpu"), root=tmp_path), "userlm") == []
    assert launched(Lab(load_profile("cpu"), root=tmp_path, seed=3), "userlm") == []
    with pytest.raises(ReproError, match="several processes train userlm with seed 0 only, not 3"):
        launched(Lab(load_profile("paper"), root=tmp_path, seed=3), "userlm")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (True, True, "finished before"), (False, True, "trained"), (False, False, "another process trains it"),
    ],
)  # fmt: skip
def test_what_several_processes_made_of_a_model_is_said(project, monkeypatch, before, after, said):
    finished = iter([before, after])
    monkeypatch.setattr(models, "is_finished", lambda folder: next(finished))
    monkeypatch.setattr(models.subprocess, "run", lambda command, **_: SimpleNamespace(returncode=0))
    assert models._made("userlm", profile="paper", root=str(project), seed=0) == said


def test_an_unknown_model_is_refused_before_anything_is_trained(project):
    with pytest.raises(ReproError, match="no model 'nobody' in profile smoke"):
        cluster.train(Lab(load_profile("smoke"), root=project), ["nobody"], on_ray=False)


@pytest.mark.slow
def test_one_after_the_other_it_makes_what_the_queue_makes(project, tmp_path, capsys):
    names = ["initial", "assistant-exhaustive-s0"]
    config = load_profile("smoke", root=project)
    mine, other = Lab(config, root=project), Lab(config, root=tmp_path / "other")
    assert cluster.train(mine, names, on_ray=False) == dict.fromkeys(names, "trained")
    assert cluster.train(mine, names, on_ray=False) == dict.fromkeys(names, "finished before")
    work_through(other, names)
    weights = [[load_record(lab.work / name)["sha256"] for name in names] for lab in (mine, other)]
    assert weights[0] == weights[1]
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.endswith(": trained")] == 2 * [f"{name}: trained" for name in names]


def test_a_cluster_needs_a_profile_with_its_resources(project):
    config = load_profile("smoke", root=project)
    assert (config.cluster.train_cpus, config.cluster.train_gpus) == (1, 0)
    with pytest.raises(ReproError, match=r"cluster.train_cpus is 0 in profile smoke"):
        replace(config, cluster=replace(config.cluster, train_cpus=0))
