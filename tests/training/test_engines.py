"""Is an assistant trained on what vLLM says it drew, and weighed by how much that differs from the policy?

vLLM itself cannot be given weights in memory on a CPU. `Engine` stands where TRL puts it: it draws from the policy's
merged weights, and claims log-probabilities that are off by `off` nats a token.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from repro.errors import ReproError
from repro.models import LocalModel, Sampling
from repro.models.tiny import tiny_model
from repro.training import assistant, engines
from repro.training.assistant import GRPORecipe, train_assistant
from repro.training.engines import check_engine, generation_kwargs, longest_read, sampled_logps, trl_settings
from repro.training.lora import Shadow
from repro.types import Score, Task, Turn

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

TASKS = [Task(f"t{i}", f"u{i}", f"get note {i}") for i in range(4)]
RECIPE = GRPORecipe(
    max_steps=1, n_groups=2, num_generations=2, learning_rate=0.02, lora_r=4, lora_layers=2, max_turns=2, max_tokens=8,
    micro_batch=2, save_steps=1, engine="vllm",
)  # fmt: skip


class Users:
    name = "users"

    def reply(self, tasks, dialogues, *, seed):
        return [Turn("user", f"{t.intent} {len(d)}") for t, d in zip(tasks, dialogues, strict=True)]


class ShareOfE:
    name = "share of e"

    def __call__(self, trajectories):
        return [Score(sum(turn.text.count("e") for turn in t.assistant_turns)) for t in trajectories]


class Engine:
    """In place of trl.generation.vllm_generation.VLLMGeneration."""

    off = 0.0
    gone = False  # whether vLLM cannot say how likely a token was
    made: list

    def __init__(
        self, *, model, processing_class, mode, temperature, generation_kwargs, max_model_length, **_
    ):  # fmt: skip
        self.shadow = Shadow(model, LocalModel(*tiny_model(), name="tiny"))
        self.kwargs, self.temperature, self.mode = generation_kwargs, temperature, mode
        self.n_synced, self.drawn, self.max_model_length = 0, [], max_model_length
        type(self).made.append(self)

    def sync_weights(self):
        self.speaker, self.n_synced = self.shadow.synced(), self.n_synced + 1

    def generate(self, *, prompts, images, num_generations, profiler=None):
        assert num_generations == 1
        stop, banned = self.kwargs["stop_token_ids"], list(self.kwargs["logit_bias"])
        drawn = self.speaker.decoder.generate(
            prompts, sampling=Sampling(temperature=self.temperature, max_tokens=self.kwargs["max_tokens"]),
            seeds=[len(self.drawn) + i for i in range(len(prompts))], stop=frozenset(stop), banned=banned,
            banned_first=stop if self.kwargs["min_tokens"] else [],
        )  # fmt: skip
        self.drawn += [tuple(one.ids) for one in drawn]
        claimed = [[[None if self.gone else logp + self.off] for logp in one.logps] for one in drawn]
        return prompts, [one.ids for one in drawn], claimed, None


@pytest.fixture
def engine(monkeypatch):
    kind = type("Engine", (Engine,), {"made": []})
    monkeypatch.setattr("trl.trainer.grpo_trainer.VLLMGeneration", kind)
    monkeypatch.setattr(assistant, "check_engine", lambda engine: None)
    return kind


def train(folder, recipe=RECIPE):
    torch.set_num_threads(1)
    initial = LocalModel(*tiny_model(), name="tiny")
    return train_assistant(TASKS, user=Users(), initial=initial, reward=ShareOfE(), recipe=recipe, folder=folder)


def masks(batch):
    return (batch["completion_mask"] * batch["tool_mask"]).bool()


def test_what_vllm_drew_is_what_is_trained_on_with_its_log_probabilities_in_place(tmp_path, engine, watched):
    policy = train(tmp_path)
    (made,) = engine.made
    assert made.n_synced == 1
    trained = [tuple(r[m].tolist()) for b in watched for r, m in zip(b["completion_ids"], masks(b), strict=True)]
    assert sorted(sum(trained, ())) == sorted(sum(made.drawn, ()))
    for batch in watched:
        on = masks(batch)
        old, sampled = batch["old_per_token_logps"], batch["sampling_per_token_logps"]
        assert torch.allclose(old[on], sampled[on], atol=1e-4)  # the engine speaks with the policy's own weights
        assert not sampled[~on].any()
        assert batch["importance_sampling_ratio"][on].tolist() == pytest.approx([1.0] * int(on.sum()), abs=1e-3)
    assert any(weight.any() for name, weight in policy.named_parameters() if "lora_B" in name)


def test_each_token_is_weighed_by_how_much_likelier_it_is_to_the_policy(tmp_path, engine, watched):
    engine.off = -0.02  # vLLM thinks each token is 0.02 nats less likely: each weighs exp(0.02), in a long turn too
    train(tmp_path)
    for batch in watched:
        weights = batch["importance_sampling_ratio"][masks(batch)]
        assert weights.tolist() == pytest.approx([math.exp(0.02)] * len(weights), rel=1e-3)


def test_no_token_weighs_more_than_three_and_no_dialogue_is_left_out(tmp_path, engine, watched):
    engine.off = -2.0  # exp(2) is 7.4
    policy = train(tmp_path)
    for batch in watched:
        assert (batch["importance_sampling_ratio"][masks(batch)] == 3).all()
    assert any(weight.any() for name, weight in policy.named_parameters() if "lora_B" in name)


def test_a_log_probability_that_vllm_cannot_give_corrects_nothing(tmp_path, engine, watched):
    engine.gone = True
    policy = train(tmp_path)
    for batch in watched:
        assert (batch["importance_sampling_ratio"] == 1).all()
    assert all(weight.isfinite().all() for weight in policy.parameters())


def test_both_engines_learn_the_same_from_the_same_dialogues(tmp_path, engine, monkeypatch):
    """The ratio is 1, and what was drawn is given back to the transformers engine: the weights have to agree."""
    by_vllm = train(tmp_path / "a")
    left = list(engine.made[0].drawn)

    def said_before(self, contexts, *, sampling, seeds, role="assistant", prefixes=None):
        from repro.models.turns import turn_of

        return [turn_of(self.format, role, [], ids, [0.0] * len(ids)) for ids in (left.pop(0) for _ in contexts)]

    monkeypatch.setattr(LocalModel, "generate", said_before)
    by_transformers = train(tmp_path / "b", replace(RECIPE, engine="transformers"))
    others = dict(by_transformers.named_parameters())
    for name, weight in by_vllm.named_parameters():
        assert torch.allclose(weight, others[name], atol=1e-4), name


@pytest.mark.parametrize(("engine_name", "mode"), [("vllm", "colocate"), ("vllm_server", "server")])
def test_trl_is_told_what_an_assistant_may_draw_and_to_correct(engine_name, mode):
    chat = LocalModel(*tiny_model(), name="tiny").format
    settings = trl_settings(engine_name, chat, Sampling(max_tokens=9), 0.4, 500)
    assert (settings["use_vllm"], settings["vllm_mode"]) == (True, mode)
    assert settings["vllm_importance_sampling_correction"]
    assert (settings["vllm_gpu_memory_utilization"], settings["vllm_max_model_length"]) == (0.4, 500)
    assert settings["generation_kwargs"] == generation_kwargs(chat, Sampling(max_tokens=9)) == {
        "max_tokens": 9, "stop_token_ids": [0, 2], "ignore_eos": True, "min_tokens": 1, "logit_bias": {0: -100.0},
    }  # fmt: skip
    assert trl_settings("transformers", chat, Sampling(), 0.4, 500) == {}


def test_vllm_makes_room_for_the_longest_dialogue_and_no_more(tmp_path, engine):
    train(tmp_path, replace(RECIPE, vllm_max_model_length=500))
    assert [made.max_model_length for made in engine.made] == [500]
    model, _ = tiny_model()  # reads 2,048 tokens
    assert [longest_read(asked, model) for asked in (None, 500, 20_992)] == [None, 500, 2048]


def test_log_probabilities_stand_where_the_mask_is_and_what_was_said_before_is_unknown():
    turns = [Turn("assistant", "x", logps=(-1.0, -2.0)), Turn("assistant", "y", logps=(-3.0,))]
    assert sampled_logps([1, 1, 0, 0, 1], turns) == [-1.0, -2.0, 0.0, 0.0, -3.0]
    before = sampled_logps([1, 0, 1, 1, 0, 1], turns)
    assert math.isnan(before[0])
    assert before[1:] == [0.0, -1.0, -2.0, 0.0, -3.0]


def test_without_a_gpu_or_vllm_one_sentence_says_what_is_lacking(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    with pytest.raises(
        ReproError, match=r"train\.engine is vllm, and this machine lacks vllm and a GPU; see docs/scale\.md"
    ):
        train(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(engines, "find_spec", lambda name: name)
    check_engine("vllm_server")
    monkeypatch.setenv("WORLD_SIZE", "2")
    check_engine("vllm")
    with pytest.raises(ReproError, match="serves one training process"):
        check_engine("vllm_server")
