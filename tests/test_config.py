from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repro import config
from repro.config import PROFILES, flat, load_profile, repo_root, setting_names, sources
from repro.errors import ReproError


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_loads_and_every_value_has_a_source(name, root):
    settings = flat(load_profile(name, root=root))
    why = sources(name, root=root)
    assert set(settings) - {"profile"} == set(why)
    assert [key for key, comment in why.items() if not comment] == []


def test_quick_and_cpu_differ_in_size_not_in_kind(root):
    quick, cpu = load_profile("quick", root=root), load_profile("cpu", root=root)
    assert (quick.n_participants, cpu.n_participants) == (64, 283)  # 283 is the published number
    same = {"model", "dtype", "max_turns", "user_max_tokens", "assistant_max_tokens", "temperature_eval", "min_p"}
    assert {key: getattr(quick, key) for key in same} == {key: getattr(cpu, key) for key in same}
    assert dataclasses.replace(quick.train, steps=60, save_steps=5, n_groups=4) == cpu.train
    assert (quick.warmup, quick.user_lm) == (cpu.warmup, cpu.user_lm)


def test_settings_are_frozen(root):
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_profile("quick", root=root).max_turns = 4  # type: ignore[misc]


def test_an_override_is_in_force_and_changes_nothing_else(root):
    plain = flat(load_profile("quick", root=root))
    changed = flat(load_profile("quick", {"train.steps": 7, "arms.exhaustive": 2, "min_p": 0.1}, root=root))
    assert {key: value for key, value in changed.items() if value != plain.get(key)} == {
        "train.steps": 7,
        "arms.exhaustive": 2,
        "min_p": 0.1,
    }


@settings(deadline=None)
@given(st.integers(1, 10**6), st.floats(1e-8, 1, allow_nan=False))
def test_any_positive_override_comes_back_as_it_was_given(steps, rate):
    found = load_profile("cpu", {"train.steps": steps, "train.learning_rate": rate}, root=config.repo_root())
    assert (found.train.steps, found.train.learning_rate) == (steps, rate)


def test_an_unknown_profile_lists_the_known_ones(root):
    with pytest.raises(ReproError, match=r"no profile 'fast'; have smoke, quick, cpu, paper"):
        load_profile("fast", root=root)


def test_a_profile_name_cannot_reach_other_files(root):
    with pytest.raises(ReproError, match="no profile"):
        load_profile("../configs/quick", root=root)


@pytest.mark.parametrize("key", ["max_turn", "train.step", "training.steps", "model.name"])
def test_an_unknown_setting_lists_the_known_ones(root, key):
    with pytest.raises(ReproError, match=rf"no setting '{key}'; have model, .*train.steps"):
        load_profile("quick", {key: 1}, root=root)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("train.steps", "many", "train.steps is 'many' in profile quick"),
        ("max_turns", 2.5, "max_turns is 2.5 in profile quick"),
        ("dtype", "float8", "'bfloat16' or 'float32'"),
        ("n_participants", 0, "n_participants is 0 in profile quick; it has to be positive"),
        ("train.steps", -1, "train.steps is -1"),
        ("arms.roleplay", -1, "arms.roleplay is -1"),
        ("arms", ["roleplay"], "arms is"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(root, key, value, words):
    with pytest.raises(ReproError, match=words):
        load_profile("quick", {key: value}, root=root)


@pytest.mark.parametrize("key", ["min_p", "temperature_eval"])
def test_zero_means_off_where_it_can(root, key):
    assert getattr(load_profile("quick", {key: 0}, root=root), key) == 0


def test_a_setting_missing_from_the_file_is_named(project):
    path = project / "configs/quick.yaml"
    path.write_text("".join(line for line in path.open() if not line.startswith("max_turns")))
    with pytest.raises(ReproError, match=r"configs/quick.yaml does not set max_turns"):
        load_profile("quick")


def test_a_file_that_is_not_yaml_is_named_in_one_line(project):
    (project / "configs/quick.yaml").write_text("model: [\n")
    with pytest.raises(ReproError, match=r"quick.yaml is not YAML") as caught:
        load_profile("quick")
    assert "\n" not in str(caught.value)


def test_the_checkout_is_found_from_any_folder_in_it(project, monkeypatch):
    monkeypatch.chdir(project / "notebooks")
    assert repo_root() == project


def test_outside_of_any_checkout_the_package_knows_its_own(tmp_path, root):
    assert repo_root(tmp_path) == root


def test_setting_names_are_those_of_the_files(root):
    names = {key for key in sources("cpu", root=root) if not key.startswith("arms.")} | {"arms"}
    assert set(setting_names()) == names


def test_configs_are_the_four_profiles_and_the_claims(root):
    assert {path.stem for path in Path(root / "configs").glob("*.yaml")} <= {*PROFILES, "claims"}


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"train.steps": True}, "train.steps is True in profile quick"),
        ({"train.steps": "60"}, "train.steps is '60' in profile quick"),
        ({"train.learning_rate": float("nan")}, "train.learning_rate is nan"),
        ({"train.micro_batch": 5}, "train.micro_batch is 5; it has to divide the 16 dialogues of a step"),
        ({"train.vllm_gpu_memory_utilization": 1.5}, "train.vllm_gpu_memory_utilization is 1.5; it is a share"),
        ({"train.group_size": 1, "train.micro_batch": 1}, "train.group_size is 1; GRPO compares"),
    ],
)
def test_values_that_make_no_sense_are_refused(root, overrides, sentence):
    with pytest.raises(ReproError, match=sentence):
        load_profile("quick", overrides, root=root)


@pytest.mark.parametrize("text", [b"- a\n", b"plain text", b"model: \xff\n"])
def test_a_file_that_holds_no_settings_costs_one_sentence(project, text):
    (project / "configs/quick.yaml").write_bytes(text)
    with pytest.raises(ReproError, match=r"quick\.yaml (is not YAML|has to hold settings)"):
        load_profile("quick", root=project)
