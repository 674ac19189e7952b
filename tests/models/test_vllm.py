"""Does vLLM in this process say what transformers says? Run where vllm is installed (see `make serve-cpu`)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from repro.errors import ReproError
from repro.models import load_model
from repro.models.base import MeteredModel, Sampling
from repro.models.local import LocalModel
from repro.models.merged import merged_folder
from repro.models.vllm import VLLMModel, parsed
from repro.types import Turn

needs_vllm = pytest.mark.skipif(find_spec("vllm") is None, reason="vllm is not installed here; see make serve-cpu")
ROOT = Path(__file__).resolve().parents[2]
GREEDY = Sampling(temperature=0, max_tokens=16)
CONTEXTS = [
    [Turn("system", "You are a user chatting with an assistant language model to get a note for the landlord.")],
    [Turn("system", "You help."), Turn("user", "Write a line about rain."), Turn("assistant", "It rains."),
     Turn("user", "Again.")],
]  # fmt: skip
CPU = {"enforce_eager": True, "max_model_len": 512, "max_num_seqs": 8}


@pytest.fixture(scope="module")
def models():
    """(vLLM, transformers), both float32, with the user's adapter: once by request, once merged."""
    adapters = [ROOT / "checkpoints" / "userlm"]
    mine = LocalModel.from_pretrained("smollm2", adapters=adapters, dtype="float32", device="cpu")
    return VLLMModel.from_pretrained("smollm2", adapters=adapters, dtype="float32", **CPU), mine


@needs_vllm
@pytest.mark.parametrize(
    ("which", "role", "more"),
    [
        (0, "user", {}),  # the user's first turn
        (0, "user", {"may_end": False, "suppress_first": ("I", "Create")}),
        (1, "assistant", {}),
    ],
)
def test_the_same_tokens_are_read_and_greedily_drawn_with_the_same_log_probabilities(models, which, role, more):
    sampling = Sampling(temperature=0, max_tokens=16, **more)
    theirs, ours = (model.generate([CONTEXTS[which]], sampling=sampling, seeds=[0], role=role)[0] for model in models)
    assert theirs.token_ids == ours.token_ids
    assert theirs.logps == pytest.approx(ours.logps, abs=1e-3)
    assert (theirs.text, theirs.ends, theirs.flags) == (ours.text, ours.ends, ours.flags)
    scored = [model.logps([CONTEXTS[which]], [ours])[0] for model in models]
    assert scored[0] == pytest.approx(scored[1], abs=1e-3)


@needs_vllm
def test_a_seed_gives_the_same_words_and_prefixes_are_kept(models):
    vllm = models[0]
    sampling = Sampling(max_tokens=8, top_p=0.8)
    said = [vllm.generate(CONTEXTS[:1] * 2, sampling=sampling, seeds=seeds, role="user") for seeds in ([1, 2], [2, 1])]
    assert said[0] == said[1][::-1]
    (turn,) = vllm.generate(CONTEXTS[:1], sampling=GREEDY, seeds=[0], role="user", prefixes=["I need"])
    assert turn.text.startswith("I need")
    assert turn.logps is None
    assert isinstance(vllm, MeteredModel)
    assert vllm.meter.total.n_calls >= 5


@needs_vllm
def test_what_is_held_to_a_schema_is_json_and_what_is_too_long_is_data(models):
    import json

    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}, "required": ["n"]}
    held = models[0].held_to({**schema, "additionalProperties": False})
    (turn,) = held.generate(CONTEXTS[1:], sampling=Sampling(temperature=0, max_tokens=30), seeds=[0])
    assert set(json.loads(turn.text)) == {"n"}
    with pytest.raises(ValueError, match="can read 512 tokens; this dialogue needs") as error:
        models[0].generate([[Turn("system", "so " * 600)]], sampling=GREEDY, seeds=[0], role="user")
    assert not isinstance(error.value, ReproError)


@needs_vllm
def test_what_trl_is_told_to_ban_is_what_our_processor_bans(models):
    from vllm import SamplingParams

    from repro.training.engines import generation_kwargs

    model, ids = models[0], models[0].format.ids(CONTEXTS[1], "assistant")
    params = SamplingParams(temperature=0, logprobs=0, **generation_kwargs(model.format, GREEDY))
    done = model.llm.generate([{"prompt_token_ids": ids}], params, lora_request=model.adapter, use_tqdm=False)
    (turn,) = model.generate(CONTEXTS[1:], sampling=GREEDY, seeds=[0])
    assert tuple(done[0].outputs[0].token_ids) == turn.token_ids


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vllm is installed here")
def test_without_vllm_one_sentence_says_how_to_install_it(monkeypatch):
    with pytest.raises(ReproError, match=r"^vllm is not installed; .* pip install -e '\.\[cuda\]'"):
        load_model("vllm:smollm2")


def test_a_spec_may_hold_arguments_of_the_engine():
    assert parsed("vllm:owner/model?tensor_parallel_size=2&gpu_memory_utilization=0.5&enforce_eager=true&dtype=x") == (
        "owner/model", {"tensor_parallel_size": 2, "gpu_memory_utilization": 0.5, "enforce_eager": True, "dtype": "x"}
    )  # fmt: skip
    for spec in ("vllm:", "vllm:m?tensor_parallel_size="):
        with pytest.raises(ReproError, match=r"is no model for vLLM; write vllm:FOLDER_OR_HUB_ID"):
            parsed(spec)


def test_adapters_are_merged_once_in_order_into_a_folder_that_says_the_same(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    from repro.models.tiny import tiny_model
    from repro.training.lora import new_adapter

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    base, tokenizer = tiny_model()
    base.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    for seed in (1, 2):
        policy = new_adapter(base, r=2, n_layers=2, seed=seed)
        for name, weight in policy.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.5, generator=torch.Generator().manual_seed(seed))
        policy.save_pretrained(tmp_path / f"adapter{seed}")
    adapters = [tmp_path / "adapter1", tmp_path / "adapter2"]
    name = str(tmp_path / "base")
    folder = merged_folder(name, adapters, dtype="float32")
    assert (
        merged_folder(name, adapters, dtype="float32") == folder != merged_folder(name, adapters[:1], dtype="float32")
    )
    assert merged_folder(name) == name
    one, other = (
        LocalModel.from_pretrained(*args, dtype="float32", device="cpu", **kw)
        for args, kw in (([folder], {}), ([name], {"adapters": adapters}))
    )
    said = [model.generate(CONTEXTS[1:], sampling=Sampling(max_tokens=12), seeds=[3])[0] for model in (one, other)]
    assert said[0] == said[1]
    assert (
        said[0]
        != LocalModel(base, tokenizer, name="b").generate(CONTEXTS[1:], sampling=Sampling(max_tokens=12), seeds=[3])[0]
    )
