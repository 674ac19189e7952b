"""Does a model learn to be a user, and is its folder alone enough to speak with it?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from repro.data.flip import flipped, labelled, left
from repro.errors import ReproError
from repro.models import LocalModel, load_model, user_tokenizer
from repro.models.chat import END_OF_CONVERSATION, ChatFormat
from repro.simulators import UserLM, load_simulator
from repro.training import load_recipe, sft, train_user_lm
from repro.training.user_lm import WORK, untrained
from repro.types import Task, Turn

torch = pytest.importorskip("torch")
pytest.importorskip("trl")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*bf16.*:UserWarning")

INTENT = "You are a user chatting with an assistant language model to get a note."
TALKS = [
    [Turn("user", f"a note {i}"), Turn("assistant", "when?"), Turn("user", "now"), Turn("assistant", "a note now")]
    for i in range(12)
]
SMALL = replace(
    load_recipe("smollm2-135m-cpu"),
    base="tiny", learning_rate=3e-3, min_learning_rate=3e-4, batch_size=4, per_device_train_batch_size=4, save_steps=2,
    lora_r=4,
)  # fmt: skip
FULL = replace(SMALL, lora_r=0)


def rows_of(talks, base="tiny"):
    chat = ChatFormat(user_tokenizer(base))
    return [labelled(flipped(Task("t", "u", INTENT), left(turns)), role="user", chat=chat) for turns in talks]


@pytest.fixture(scope="module", params=["lora", "full"])
def trained(request, tmp_path_factory):
    """The folder of a user language model, an adapter or all weights."""
    out = tmp_path_factory.mktemp("trained") / request.param
    config = SMALL if request.param == "lora" else FULL
    return train_user_lm(rows_of(TALKS), base="tiny", config=config, out_dir=out, record={"steps": ["load: 12 -> 12"]})


def nll(model: LocalModel) -> float:
    """Nats per token of what users say and of their leave, in talks like those that were learned."""
    contexts = [[Turn("system", INTENT), *t[:n]] for t in TALKS[:3] for n in (0, 2, 4)]
    said = [(*t, Turn("user", "", ends=True))[n] for t in TALKS[:3] for n in (0, 2, 4)]
    logps = model.logps(contexts, said)
    return -sum(map(sum, logps)) / sum(map(len, logps))


def test_the_folder_alone_brings_back_a_model_that_learned(trained):
    model = LocalModel.from_pretrained(str(trained), dtype="float32")
    assert nll(model) < 0.8 * nll(untrained("tiny", dtype="float32"))
    assert model.format.end_of_conversation == model.tokenizer.convert_tokens_to_ids(END_OF_CONVERSATION)


def test_the_new_token_was_learned_and_is_saved(trained):
    model, before = LocalModel.from_pretrained(str(trained), dtype="float32"), untrained("tiny", dtype="float32")
    new = model.format.end_of_conversation
    rows = [m.get_output_embeddings().weight[new] for m in (model.model, before.model)]
    assert rows[0].shape == rows[1].shape
    assert not torch.allclose(*rows)
    leave = [[[Turn("system", INTENT), *TALKS[0]]], [Turn("user", "", ends=True)]]
    assert model.logps(*leave)[0][0] > before.logps(*leave)[0][0] + 0.5


def test_transformers_and_peft_load_it_without_us(trained):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(trained)
    assert END_OF_CONVERSATION in tokenizer.get_vocab()
    if (trained / "adapter_config.json").is_file():
        assert json.loads((trained / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny"
    else:
        model = AutoModelForCausalLM.from_pretrained(trained)
        assert model.get_input_embeddings().weight.shape[0] == len(tokenizer)


@pytest.mark.parametrize("name", ["", "userlm:"])
def test_it_is_a_simulator_by_its_folder(trained, name):
    user = load_simulator(f"{name}{trained}", dtype="float32")
    assert isinstance(user, UserLM)
    (turn,) = user.reply([Task("t", "u", INTENT)], [[]], seed=0)
    assert turn.text
    assert load_model(str(trained)).tokenizer.convert_tokens_to_ids(END_OF_CONVERSATION) == 259


def test_the_record_and_the_card_say_what_it_is(trained):
    record = json.loads((trained / "checkpoint.json").read_text())
    assert (record["base"], record["n_rows"], record["steps"]) == ("tiny", 12, ["load: 12 -> 12"])
    card = (trained / "README.md").read_text()
    assert "load: 12 -> 12" in card
    assert "no substitute for studies with people" in card


def test_a_finished_run_is_not_trained_again_and_another_is_refused(trained, monkeypatch):
    monkeypatch.setattr("repro.training.user_lm.train_rows", lambda *_, **__: pytest.fail("it was trained"))
    config = SMALL if trained.name == "lora" else FULL
    assert train_user_lm(rows_of(TALKS), base="tiny", config=config, out_dir=trained) == trained
    with pytest.raises(ReproError, match="made from something else"):
        train_user_lm(rows_of(TALKS[:5]), base="tiny", config=config, out_dir=trained)


@pytest.mark.parametrize("config", [SMALL, FULL], ids=["lora", "full"])
def test_a_run_that_was_stopped_ends_with_the_same_weights(config, tmp_path, monkeypatch):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train_user_lm(rows_of(TALKS), base="tiny", config=config, out_dir=whole)
    steps = []

    class Stops(sft._trainer()):
        def compute_loss(self, *args, **rest):
            steps.append(1)
            if len(steps) == 4:  # checkpoints are at 2, 4 and 6
                raise KeyboardInterrupt
            return super().compute_loss(*args, **rest)

    with monkeypatch.context() as patch:
        patch.setattr(sft, "_trainer", lambda: Stops)
        with pytest.raises(KeyboardInterrupt):
            train_user_lm(rows_of(TALKS), base="tiny", config=config, out_dir=broken)
    assert not (broken / "checkpoint.json").exists()
    train_user_lm(rows_of(TALKS), base="tiny", config=config, out_dir=broken)
    one, other = (LocalModel.from_pretrained(str(path), dtype="float32").model.state_dict() for path in (whole, broken))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_any_checkpoint_can_be_gone_on_from(tmp_path):
    first = train_user_lm(rows_of(TALKS), base="tiny", config=SMALL, out_dir=tmp_path / "first")
    early = first / WORK / "checkpoint-2"
    again = train_user_lm(rows_of(TALKS), base="tiny", config=SMALL, out_dir=tmp_path / "again", resume_from=early)
    one, other = (LocalModel.from_pretrained(str(path), dtype="float32").model.state_dict() for path in (first, again))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_rows_of_another_tokenizer_are_refused(tmp_path):
    with pytest.raises(ReproError, match="no rows"):
        train_user_lm([], base="tiny", config=SMALL, out_dir=tmp_path)
    with pytest.raises(ReproError, match="no row holds the end of a conversation"):
        train_user_lm([{"input_ids": [1, 2], "labels": [-100, 2]}], base="tiny", config=SMALL, out_dir=tmp_path)
    beyond = [*rows_of(TALKS[:1]), {"input_ids": [999], "labels": [999]}]
    with pytest.raises(ReproError, match="tokens that the base lacks"):
        train_user_lm(beyond, base="tiny", config=SMALL, out_dir=tmp_path)
