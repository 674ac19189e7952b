"""Do models learn from whole dialogues, however long a profile lets them be?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from repro.config import load_profile
from repro.models.chat import ChatFormat
from repro.models.tiny import tiny_model
from repro.rollouts.dialogue import system_prompt
from repro.training import recipes, sft
from repro.training.checkpoints import recipe_of
from repro.training.lengths import kept, row_tokens
from repro.training.sft import SFTRecipe, share
from repro.training.warmup import warmup_dialogues
from repro.types import Task, Trajectory, Turn

pytest.importorskip("trl")
PAPER, SMOKE = load_profile("paper"), load_profile("smoke")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*bf16.*:UserWarning")


def recipe_for(config):
    return recipes._sft_recipe(config, config.user_lm, linear_only=True, seed=0)


@pytest.mark.parametrize("profile", ["smoke", "quick", "cpu"])
def test_short_dialogues_are_learned_from_as_ever(profile):
    config = load_profile(profile)
    how = config.user_lm
    plain = SFTRecipe(how.learning_rate, how.batch_size, num_train_epochs=how.num_train_epochs, linear_only=True)
    assert recipe_for(config) == plain
    assert (plain.max_length, plain.per_device_train_batch_size) == (1024, 8)


def test_scripted_dialogues_of_smoke_fit_though_each_byte_is_a_token():
    said = [[system_prompt(), *dialogue.turns] for dialogue in warmup_dialogues(8, seed=0, p_talkative=0.35)]
    found = sft.rows(said, role="assistant", chat=ChatFormat(tiny_model()[1]))
    assert len(found) == 8
    assert max(len(row["input_ids"]) for row in found) <= 1024


def test_long_dialogues_are_read_whole_and_one_at_a_time(monkeypatch):
    found = recipe_for(PAPER)
    assert found.max_length == row_tokens(PAPER) == 8 * (512 + 2048) + 512
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert share(found) == (1, 8)  # 64 rows a step


def test_a_user_learns_the_last_turn_and_the_end_of_a_dialogue_of_full_length(tmp_path, monkeypatch, capsys):
    config = replace(SMOKE, user_max_tokens=250, assistant_max_tokens=350)
    both = [(Turn("user", said * 249), Turn("assistant", "a" * 349)) for said in "uv"]
    turns = (*both[0], *both[1], Turn("user", "", ends=True))
    log = Trajectory(Task("t", "p", "get a note"), turns, "users", "initial", 0, "user_ended")
    seen = []

    class Spy(sft._trainer()):
        def compute_loss(self, model, inputs, *args, **rest):
            seen.extend(inputs["labels"].tolist())
            return super().compute_loss(model, inputs, *args, **rest)

    monkeypatch.setattr(sft, "_trainer", lambda: Spy)
    base, tokenizer = tiny_model()
    recipes.userlm((base, tokenizer), 4 * [log], config=config, seed=0, folder=tmp_path)
    assert len(seen) == 4
    for labels in seen:
        said = tokenizer.decode([label for label in labels if label != -100])
        assert len(labels) > 1024
        assert said == "u" * 249 + "<|im_end|>" + "v" * 249 + "<|im_end|>" + "<|endoftext|>"
    assert "fine-tuning" not in capsys.readouterr().out


@pytest.mark.parametrize(("config", "longest"), [(PAPER, 20_992), (SMOKE, None)])
def test_vllm_is_told_how_long_dialogues_are_where_it_speaks(config, longest, monkeypatch, tmp_path):
    asked = {}

    class Stop(Exception):
        pass

    def train(tasks, **how):
        asked.update(how)
        raise Stop

    monkeypatch.setattr(recipes, "train_assistant", train)
    with pytest.raises(Stop):
        recipes.assistant(config, None, initial=None, tasks=[], seed=0, folder=tmp_path)
    assert asked["recipe"].vllm_max_model_length == longest


def test_a_record_from_before_vllm_was_told_is_that_of_one_without_vllm():
    early = {"max_steps": 3, "seed": 1}
    assert recipe_of({"recipe": early}) == recipe_of({"recipe": early | {"vllm_max_model_length": None}})


def test_what_is_left_is_said_with_what_was_cut_and_lost():
    assert kept(1200, n_cut=3, n_lost=0) == "1,200 rows (3 cut), 0 left out with nothing to learn"
