"""Does each recipe say what the papers say, where it is from, and what it costs?"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml

from repro.assumptions import PEAK, USED
from repro.config import PROFILES, load_profile, repo_root
from repro.errors import ReproError
from repro.training.user_recipes import launch_command, load_recipe, plan, recipe_names

FOLDER = repo_root() / "configs" / "recipes"
NAMES = ["llama-3-8b", "llama-3.2-1b", "qwen2.5-14b", "qwen2.5-32b", "qwen2.5-7b", "smollm2-135m-cpu"]


def test_these_are_there():
    assert recipe_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_line_ends_in_its_source(name):
    lines = (FOLDER / f"{name}.yaml").read_text().splitlines()
    assert all(re.search(r"# (arXiv|ours|the model's card)", line) for line in lines[1:])


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("qwen")])
def test_the_fine_tuned_user_is_trained_as_published(name):
    r = load_recipe(name)  # arXiv 2605.09808
    assert (r.learning_rate, r.min_learning_rate, r.warmup_ratio) == (2e-5, 2e-6, 0.1)
    assert (r.num_train_epochs, r.batch_size, r.lora_r) == (2, 64, 0)
    assert "Instruct" in r.base


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("llama")])
def test_the_user_language_model_is_trained_as_published(name):
    r = load_recipe(name)  # arXiv 2510.06552
    assert (r.learning_rate, r.batch_size, r.max_length, r.n_conversations) == (2e-5, 1024, 2048, 343_951)
    assert "Instruct" not in r.base


@pytest.mark.parametrize("name", NAMES)
def test_several_devices_have_a_launch_file_that_fits(name):
    r = load_recipe(name)
    assert r.batch_size % (r.per_device_train_batch_size * r.n_devices) == 0
    assert bool(r.launch) == (r.n_devices > 1)
    if r.launch:
        launch = yaml.safe_load((FOLDER / r.launch).read_text())
        assert launch["num_processes"] == r.n_devices
        assert launch["fsdp_config"]["fsdp_state_dict_type"] == "FULL_STATE_DICT"  # or the model is not saved
        assert launch_command(r, name, "wildchat").startswith(
            f"accelerate launch --config_file configs/recipes/{r.launch}"
        )


@pytest.mark.parametrize("path", sorted((FOLDER / "launch").glob("*.yaml")), ids=lambda path: path.stem)
def test_accelerate_reads_every_launch_file(path):
    read = pytest.importorskip("accelerate.commands.config.config_args").load_config_from_file(str(path))
    n_gpus = int(re.search(r"-(\d+)gpu", path.stem)[1])
    assert read.num_processes == n_gpus
    kind = {"ddp": "MULTI_GPU", "fsdp": "FSDP", "zero3": "DEEPSPEED"}[path.stem.split("-")[0]]
    assert read.distributed_type == kind


@pytest.mark.parametrize("profile", PROFILES)
def test_the_launch_files_of_a_profile_exist_and_fit_its_gpus(profile):
    c = load_profile(profile).cluster
    for file in filter(None, [c.launch_sft, c.launch_grpo]):
        assert yaml.safe_load((FOLDER / file).read_text())["num_processes"] == c.train_gpus


def test_the_plan_counts_operations_and_bytes():
    r = replace(load_recipe("qwen2.5-7b"), n_parameters=1e9, num_train_epochs=2, gradient_checkpointing=True)
    found = plan("one", r, n_tokens=1_000_000)
    # 8 operations x 1e9 weights x 1e6 tokens x 2 epochs
    assert found.operations == 1.6e16
    assert found.gpu_hours == pytest.approx(1.6e16 / (PEAK * USED) / 3600)
    assert found.gib == pytest.approx(16e9 / 2**30)
    assert "at most" not in str(found)
    assert "at most 704,411,648 tokens" in str(plan("all", r))  # 343,951 x 2,048


def test_a_mistake_in_a_recipe_gets_a_sentence(tmp_path):
    with pytest.raises(ReproError, match="no recipe 'qwen3'; have llama-3-8b"):
        load_recipe("qwen3")
    values = yaml.safe_load((FOLDER / "qwen2.5-7b.yaml").read_text())
    for wrong, sentence in (({"rate": 1}, "rate"), ({"batch_size": "64"}, "batch_size")):
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump(values | wrong))
        with pytest.raises(ReproError, match=sentence):
            load_recipe(str(tmp_path / "mine.yaml"))


def test_what_training_is_told_is_what_the_recipe_says():
    told = load_recipe("qwen2.5-14b").sft
    assert (told.learning_rate, told.min_learning_rate, told.gradient_checkpointing, told.max_length) == (
        2e-5, 2e-6, True, 2048,
    )  # fmt: skip
