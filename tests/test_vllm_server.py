"""Do role-play, a user language model and a judge work at a real vLLM server?

    make serve-cpu                                              # in one terminal
    REPRO_VLLM_URL=http://127.0.0.1:8731/v1 .venv/bin/python -m pytest tests/test_vllm_server.py

Minutes on two cores; without the variable they are skipped.
"""

from __future__ import annotations

import os
import statistics

import pytest

from repro.data.tasks import make_tasks
from repro.errors import ReproError
from repro.models import LocalModel, Sampling, load_model
from repro.models.base import StreamingModel
from repro.rollouts import rollout
from repro.scoring.judge import Case, Judge
from repro.simulators import load_simulator
from repro.types import Turn

URL = os.environ.get("REPRO_VLLM_URL", "")
pytestmark = pytest.mark.skipif(not URL, reason="no vLLM server: run make serve-cpu, then set REPRO_VLLM_URL")
TASKS = make_tasks(4, split="eval", seed=0)
SHORT = Sampling(temperature=0.7, max_tokens=24)


def talk(user, n=4):
    assistant = load_model(f"openai:{URL}#initial")
    return rollout(TASKS[:n], user=user, assistant=assistant, max_turns=2, sampling=SHORT, seed=0)


def test_a_prompted_user_talks_to_the_initial_assistant():
    done = talk(load_simulator(f"roleplay:openai:{URL}#smollm2"))
    assert [t.error for t in done] == [None] * 4
    assert all(turn.text for t in done for turn in t.assistant_turns)
    assert all(t.user_turns[0].text for t in done)


def test_a_prompted_user_keeps_its_help_where_token_ids_are_sent():
    user = load_simulator(f"roleplay:vllm:{URL}#smollm2")
    done = talk(user)
    assert all(t.user_turns[0].text.startswith("I need") for t in done)
    assert user.model.meter.total.completion_tokens > 0


def test_the_user_model_is_asked_as_it_was_trained():
    user = load_simulator(f"vllm:{URL}#userlm")
    local = load_simulator("userlm").model
    turns = user.reply(TASKS, [[]] * 4, seed=0)
    again = user.reply(TASKS, [[]] * 4, seed=0)
    assert sum(a.text == b.text for a, b in zip(turns, again, strict=True)) >= 3  # bfloat16 may tip a token
    assert not any(turn.ends for turn in turns)  # nobody leaves at turn one
    ours = local.logps([[user.told(task, 0)] for task in TASKS], turns)
    apart = [abs(a - b) for turn, mine in zip(turns, ours, strict=True) for a, b in zip(turn.logps, mine, strict=True)]
    assert statistics.median(apart) < 0.05  # bfloat16, the adapter merged here and apart there
    assert [t.error for t in talk(user)] == [None] * 4


def test_a_judge_is_held_to_its_form(tmp_path):
    cases = [Case(task.id, task.intent, (), ("is short", "is kind")) for task in TASKS[:2]]
    judge = Judge(
        load_model(f"openai:{URL}#smollm2"), tmp_path / "verdicts", sampling=Sampling(temperature=0, max_tokens=300)
    )
    verdicts = judge.checklist(cases, ["Dear all, thank you."] * 2)
    assert any(isinstance(v.value, list) for v in verdicts), [v.reason for v in verdicts]
    assert not any(v.notes.get("repaired") for v in verdicts if v.value)
    assert judge.asker.used().n_calls >= 2
    assert judge.asker.used().completion_tokens > 0


def test_a_reply_is_heard_while_it_is_written():
    model = load_model(f"openai:{URL}#initial")
    assert isinstance(model, StreamingModel)
    heard = []
    context = [[Turn("system", "You help."), Turn("user", "Write an invitation to a party.")]]
    (turn,) = model.stream(context, sampling=SHORT, seeds=[1], on_text=lambda i, piece: heard.append(piece))
    assert "".join(heard) == turn.text
    assert len(heard) > 3
    assert model.meter.total.completion_tokens > 3


def test_too_long_is_the_dialogues_fault_and_a_wrong_name_the_users():
    long = [[Turn("system", "s"), Turn("user", "so " * 3000)], [Turn("system", "s"), Turn("user", "hi")]]
    with pytest.raises(Exception, match="400") as error:
        load_model(f"openai:{URL}#initial").generate(long, sampling=SHORT, seeds=[0, 1])
    assert not isinstance(error.value, ReproError)
    with pytest.raises(ReproError, match=r"it serves smollm2, initial, userlm; start it, or mend the spec"):
        load_model(f"openai:{URL}#nobody").generate(long[1:], sampling=SHORT, seeds=[0])


def test_greedy_tokens_are_those_of_the_weights_for_the_first_words():
    model, local = load_model(f"vllm:{URL}#smollm2"), LocalModel.from_pretrained("smollm2")
    context = [[Turn("system", "You help."), Turn("user", "What is the capital of France?")]]
    greedy = Sampling(temperature=0, max_tokens=6)
    ids = [m.generate(context, sampling=greedy, seeds=[0])[0].token_ids for m in (model, local)]
    assert ids[0] == ids[1]


def test_a_training_step_is_taken_on_what_the_server_drew(tmp_path, monkeypatch):
    """TRL's own client asks; only the weights do not travel, which takes NCCL. At the first step they are the same."""
    pytest.importorskip("trl")
    from trl.generation.vllm_client import VLLMClient
    from trl.generation.vllm_generation import VLLMGeneration

    from repro.scoring import Reward
    from repro.training import assistant

    class WithoutNCCL(VLLMGeneration):
        def _init_vllm(self):
            self.vllm_client = VLLMClient(base_url=URL.removesuffix("/v1"), connection_timeout=10)

        def sync_weights(self):
            pass

    ratios = []

    class Spy(assistant.conversation_trainer()):
        def _compute_loss(self, model, batch):
            ratios.extend(batch["importance_sampling_ratio"].log().sum(1).exp().tolist())  # of each dialogue
            return super()._compute_loss(model, batch)

    monkeypatch.setattr("trl.trainer.grpo_trainer.VLLMGeneration", WithoutNCCL)
    monkeypatch.setattr("trl.generation.vllm_client.is_vllm_available", lambda *_: True)  # it is, over there
    monkeypatch.setattr(assistant, "check_engine", lambda engine: None)
    monkeypatch.setattr(assistant, "conversation_trainer", lambda: Spy)
    monkeypatch.setattr(VLLMClient, "get_server_info", lambda self: {"model_config": {"logprobs_mode": "raw_logprobs"}})
    recipe = assistant.GRPORecipe(
        max_steps=1, n_groups=2, num_generations=2, learning_rate=1e-3, lora_r=2, lora_layers=1, max_turns=2,
        max_tokens=16, micro_batch=2, engine="vllm_server",
    )  # fmt: skip
    user = load_simulator("oracle")
    initial = LocalModel.from_pretrained("smollm2")
    assistant.train_assistant(
        make_tasks(2, split="train", seed=1),
        user=user,
        initial=initial,
        reward=Reward(),
        recipe=recipe,
        folder=tmp_path,
    )
    assert len(ratios) == 4
    assert all(0.5 < ratio < 2 for ratio in ratios), ratios  # bfloat16 there and here
    assert any(ratio != 1 for ratio in ratios)
