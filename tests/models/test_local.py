"""Do weights on this machine take part in a dialogue as they should?"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from repro.errors import ReproError
from repro.models import local
from repro.models.base import Sampling
from repro.models.local import LocalModel
from repro.models.tiny import SPECIAL, tiny_model, tiny_tokenizer
from repro.types import Turn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
SYSTEM = Turn("system", "Write what is asked for.")
CONTEXTS = [[SYSTEM, Turn("user", f"a note about {what}")] for what in ("tea", "a very long walk in the hills", "x")]
SEEDS = [7, 8, 9]
SAMPLING = Sampling(max_tokens=24)
END, LEAVE = 2, 3


@pytest.fixture(scope="module")
def speaker():
    return LocalModel(*tiny_model(special=(*SPECIAL, "<|endconversation|>")), name="tiny")


def preferring(*tokens, share=500.0):
    """A tiny model that says one of `tokens` almost always."""
    model, tokenizer = tiny_model(special=(*SPECIAL, "<|endconversation|>"))
    with torch.no_grad():
        model.lm_head.weight[list(tokens), 0] = share
    return LocalModel(model, tokenizer, name="tiny")


def contexts_read(model, monkeypatch):
    """What the decoder is given, as it is given it."""
    seen = []
    generate = model.decoder.generate
    monkeypatch.setattr(model.decoder, "generate", lambda ids, **rest: seen.extend(ids) or generate(ids, **rest))
    return seen


def test_two_folders_of_one_name_are_two_models(tmp_path):
    folders = [tmp_path / place / "writer" for place in ("one", "two", "same")]
    for folder, weights in zip(folders, ("1", "2", "1"), strict=True):
        folder.mkdir(parents=True)
        (folder / "weights").write_text(weights)
    model, tokenizer = tiny_model()
    one, two, same = (LocalModel(model, tokenizer, name="writer", parts=["tiny", f]).identity for f in folders)
    assert one == same != two
    assert one.startswith("tiny+")
    assert LocalModel.from_pretrained("tiny", n_layers=1, dtype="float32").identity == "tiny+1 layers@float32"


def test_token_ids_decode_to_the_text(speaker):
    for turn in speaker.generate(CONTEXTS, sampling=SAMPLING, seeds=SEEDS):
        assert turn.role == "assistant"
        assert speaker.tokenizer.decode(turn.token_ids, skip_special_tokens=True).strip() == turn.text
        assert len(turn.token_ids) == len(turn.logps) <= 24


def test_the_same_text_alone_in_a_batch_and_in_parts(speaker, monkeypatch):
    together = speaker.generate(CONTEXTS, sampling=SAMPLING, seeds=SEEDS)
    alone = [speaker.generate([c], sampling=SAMPLING, seeds=[s])[0] for c, s in zip(CONTEXTS, SEEDS, strict=True)]
    monkeypatch.setattr(local, "MAX_BATCH", 2)
    in_parts = speaker.generate(CONTEXTS, sampling=SAMPLING, seeds=SEEDS)
    assert [t.token_ids for t in together] == [t.token_ids for t in alone] == [t.token_ids for t in in_parts]


def test_a_whole_dialogue_is_the_same_with_and_without_memory_of_its_turns(speaker):
    remembering, forgetful = [list(c) for c in CONTEXTS], [list(c) for c in CONTEXTS]
    for k in range(3):
        for talks in (remembering, forgetful):
            if talks is forgetful:
                speaker.decoder.reset()
            turns = speaker.generate(talks, sampling=SAMPLING, seeds=[s + k for s in SEEDS])
            for talk, turn in zip(talks, turns, strict=True):
                talk += [turn, Turn("user", f"and then {k}?")]
    assert [[t.text for t in talk] for talk in remembering] == [[t.text for t in talk] for talk in forgetful]


def test_logps_of_what_was_sampled_are_those_it_was_sampled_with(speaker):
    turns = speaker.generate(CONTEXTS, sampling=replace(SAMPLING, temperature=0.8, top_p=0.9), seeds=SEEDS)
    for turn, again in zip(turns, speaker.logps(CONTEXTS, turns), strict=True):
        assert again == pytest.approx(turn.logps, abs=1e-4)


def test_logps_of_a_given_turn_are_those_of_a_plain_forward_pass(speaker):
    turn = Turn("assistant", "tea is here")
    ids = speaker.format.ids(CONTEXTS[0], "assistant")
    body = [*speaker.format.encode(turn.text), END]
    with torch.inference_mode():
        logps = speaker.model(input_ids=torch.tensor([ids + body])).logits.log_softmax(-1)[0]
    expected = [logps[len(ids) - 1 + i, token].item() for i, token in enumerate(body)]
    assert speaker.logps(CONTEXTS[:2], [turn, Turn("assistant", "a")])[0] == pytest.approx(expected, abs=1e-4)


def test_a_turn_ends_at_the_end_of_turn_token_and_is_never_empty():
    (turn,) = preferring(END).generate(CONTEXTS[:1], sampling=SAMPLING, seeds=[0])
    assert len(turn.token_ids) == 2  # it may not come first
    assert turn.token_ids[1] == END
    assert turn.flags == ()
    assert not turn.ends


def test_a_turn_cut_off_at_the_maximum_says_so():
    (turn,) = preferring(100).generate(CONTEXTS[:1], sampling=SAMPLING, seeds=[0])
    assert turn.flags == ("truncated",)
    assert len(turn.token_ids) == 24


def test_a_user_can_leave_in_silence():
    (turn,) = preferring(LEAVE).generate([[SYSTEM]], sampling=SAMPLING, seeds=[0], role="user")
    assert turn == Turn("user", "", ends=True, token_ids=(LEAVE,), logps=turn.logps)


@pytest.mark.parametrize("role", ["assistant", "user"])
def test_only_a_user_who_may_leave_draws_the_end_of_conversation(role):
    model = preferring(LEAVE)
    context = [SYSTEM, Turn("user", "hi")] if role == "assistant" else [SYSTEM]
    sampling = SAMPLING if role == "assistant" else replace(SAMPLING, may_end=False)
    (turn,) = model.generate([context], sampling=sampling, seeds=[0], role=role)
    assert LEAVE not in turn.token_ids
    assert not turn.ends


def test_a_user_is_read_under_the_users_header_and_an_assistant_under_its_own(speaker, monkeypatch):
    seen = contexts_read(speaker, monkeypatch)
    said = [SYSTEM, Turn("user", "hi"), Turn("assistant", "hello")]
    speaker.generate([said], sampling=SAMPLING, seeds=[0], role="user")
    speaker.generate([said[:2]], sampling=SAMPLING, seeds=[0])
    user, assistant = (speaker.tokenizer.decode(ids) for ids in seen)
    assert user.endswith("<|im_start|>user\n")
    assert assistant.endswith("<|im_start|>assistant\n")
    assert "uninvited" not in user + assistant


def test_the_users_token_ids_never_reach_the_assistant(speaker, monkeypatch):
    seen = contexts_read(speaker, monkeypatch)
    foreign = [250, 251, 252]
    users = Turn("user", "hi", token_ids=(*foreign, END))
    speaker.generate([[SYSTEM, users], [SYSTEM, Turn("user", "hi")]], sampling=SAMPLING, seeds=[0, 0])
    assert seen[0] == seen[1]
    assert not set(foreign) & set(seen[0])


def test_a_turn_may_not_begin_as_it_must_not():
    letter_a = tiny_tokenizer((*SPECIAL, "<|endconversation|>"))("a")["input_ids"][0]
    free, bound = (
        preferring(letter_a).generate(
            [[SYSTEM]], sampling=replace(SAMPLING, suppress_first=first), seeds=[0], role="user"
        )
        for first in ((), ("apple", ""))
    )
    assert free[0].text[0] == "a"
    assert bound[0].token_ids[0] != letter_a
    assert bound[0].token_ids[1] == letter_a


def test_greedy_does_not_depend_on_the_seed(speaker):
    a, b = (speaker.generate(CONTEXTS, sampling=Sampling(0, max_tokens=8), seeds=seeds) for seeds in (SEEDS, [1, 2, 3]))
    assert [turn.token_ids for turn in a] == [turn.token_ids for turn in b]


def test_a_dialogue_longer_than_the_model_can_read_fails_in_a_sentence():
    model, tokenizer = tiny_model()
    model.config.sliding_window = 120
    short = LocalModel(model, tokenizer, name="tiny")
    long = [SYSTEM, Turn("user", "x" * 50)]
    with pytest.raises(ValueError, match="'tiny' can read 120 tokens; this dialogue needs 1") as caught:
        short.generate([CONTEXTS[2], long], sampling=SAMPLING, seeds=[0, 1])
    assert not isinstance(caught.value, ReproError)  # a rollout keeps it as data
    assert short.generate([CONTEXTS[2]], sampling=SAMPLING, seeds=[0])[0].token_ids


def test_words_put_into_the_speakers_mouth_are_read_as_its_own(speaker):
    (free,) = speaker.generate(CONTEXTS[:1], sampling=SAMPLING, seeds=[0])
    (led,) = speaker.generate(CONTEXTS[:1], sampling=SAMPLING, seeds=[0], prefixes=["Dear all,"])
    assert led.text.startswith("Dear all,")
    assert led.logps is None
    begun = speaker.format.ids(CONTEXTS[0], "assistant") + speaker.format.encode("Dear all,")
    (row,) = speaker.decoder.generate(
        [begun], sampling=SAMPLING, seeds=[0], stop={END, LEAVE}, banned=[LEAVE], banned_first=[END]
    )
    assert list(led.token_ids) == speaker.format.encode("Dear all,") + row.ids
    assert speaker.generate(CONTEXTS[:1], sampling=SAMPLING, seeds=[0], prefixes=[""]) == [free]


def test_nothing_asked_nothing_said(speaker):
    assert speaker.generate([], sampling=SAMPLING, seeds=[]) == []
    assert speaker.logps([], []) == []


def test_a_saved_folder_speaks_as_the_model_did(speaker, tmp_path):
    speaker.model.save_pretrained(tmp_path)
    speaker.tokenizer.save_pretrained(tmp_path)
    loaded = LocalModel.from_pretrained(str(tmp_path), dtype="float32", device="cpu")
    a, b = (m.generate(CONTEXTS, sampling=SAMPLING, seeds=SEEDS) for m in (speaker, loaded))
    assert [t.token_ids for t in a] == [t.token_ids for t in b]


@pytest.mark.parametrize(
    "spoil", [lambda p: (p / "model.safetensors").write_bytes(b"{"), lambda p: (p / "config.json").unlink()]
)
def test_a_folder_that_is_no_checkpoint_is_refused_in_a_sentence(speaker, tmp_path, spoil):
    speaker.model.save_pretrained(tmp_path)
    speaker.tokenizer.save_pretrained(tmp_path)
    spoil(tmp_path)
    with pytest.raises(ReproError, match="no model at"):
        LocalModel.from_pretrained(str(tmp_path))


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """A folder with a LoRA adapter for the tiny model that changes something."""
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(
        tiny_model()[0], LoraConfig(r=2, target_modules=["q_proj", "down_proj"], task_type="CAUSAL_LM")
    )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.2, generator=torch.Generator().manual_seed(0))
    folder = tmp_path_factory.mktemp("adapter")
    model.save_pretrained(folder)
    return folder


def test_adapters_are_merged_one_after_the_other(adapter):
    from safetensors.torch import load_file

    plain, once, twice = (
        LocalModel.from_pretrained("tiny", adapters=[adapter] * n, dtype="float32", device="cpu").model
        for n in (0, 1, 2)
    )
    saved = load_file(adapter / "adapter_model.safetensors")
    stem = "base_model.model.model.layers.1.self_attn.q_proj.lora_"
    delta = saved[f"{stem}B.weight"] @ saved[f"{stem}A.weight"] * (8 / 2)  # PEFT's alpha is 8, r is 2
    q = [m.model.layers[1].self_attn.q_proj.weight for m in (plain, once, twice)]
    assert torch.allclose(q[1] - q[0], delta, atol=1e-5)
    assert torch.allclose(q[2] - q[0], 2 * delta, atol=1e-5)


def test_a_merged_model_keeps_its_type(adapter):
    assert LocalModel.from_pretrained("tiny", adapters=[adapter], device="cpu").model.dtype == torch.bfloat16


def test_a_folder_without_an_adapter_is_refused(tmp_path):
    with pytest.raises(ReproError, match=r"expected a folder with adapter_config\.json"):
        LocalModel.from_pretrained("tiny", adapters=[tmp_path])


@pytest.mark.parametrize("spoiled", ["weights", "config", "shape"])
def test_a_corrupt_adapter_is_refused_in_a_sentence(adapter, tmp_path, spoiled):
    config = json.loads((adapter / "adapter_config.json").read_text())
    weights = (adapter / "adapter_model.safetensors").read_bytes()
    if spoiled == "shape":
        config["r"] = 3
    (tmp_path / "adapter_config.json").write_text("{" if spoiled == "config" else json.dumps(config))
    (tmp_path / "adapter_model.safetensors").write_bytes(weights[:100] if spoiled == "weights" else weights)
    with pytest.raises(ReproError, match="cannot be read; restore it or train it again"):
        LocalModel.from_pretrained("tiny", adapters=[tmp_path])


def test_an_adapter_for_another_model_is_refused(adapter, tmp_path):
    from safetensors.torch import load_file, save_file

    saved = load_file(adapter / "adapter_model.safetensors")
    save_file({k.replace("layers.1", "layers.7"): v for k, v in saved.items()}, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text((adapter / "adapter_config.json").read_text())
    with pytest.raises(ReproError, match="cannot be read"):
        LocalModel.from_pretrained("tiny", adapters=[tmp_path])


def test_a_cut_model_has_the_first_layers_and_no_others():
    whole, cut = LocalModel.from_pretrained("tiny"), LocalModel.from_pretrained("tiny", n_layers=1)
    assert (len(cut.model.model.layers), cut.model.config.num_hidden_layers) == (1, 1)
    assert torch.equal(cut.model.model.layers[0].mlp.up_proj.weight, whole.model.model.layers[0].mlp.up_proj.weight)
    context = [[Turn("system", "Be brief."), Turn("user", "hi")]]
    said = cut.generate(context, sampling=Sampling(temperature=0.0, max_tokens=4), seeds=[0])
    assert said[0].token_ids
    for n in (0, 3):
        with pytest.raises(ReproError, match=f"a model of 2 layers cannot be cut to {n}; give 1 to 2"):
            LocalModel.from_pretrained("tiny", n_layers=n)
