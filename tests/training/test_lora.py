"""Do adapters start, travel and come back exactly?"""

from __future__ import annotations

import copy

import pytest

from repro.errors import ReproError
from repro.models import LocalModel, Sampling
from repro.models.tiny import tiny_model
from repro.training.lora import LINEAR, Shadow, extract_adapter, new_adapter, restore_adapter
from repro.types import Turn

torch = pytest.importorskip("torch")
pytest.importorskip("peft")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")
CONTEXT = [[Turn("system", "Be brief."), Turn("user", "a note")]]


def adapter(dtype="float32", seed=0, n_layers=1):
    return new_adapter(tiny_model(dtype=dtype)[0], r=2, n_layers=n_layers, seed=seed)


def lora_weights(model):
    return {name: weight for name, weight in model.named_parameters() if "lora_" in name}


def stir(model, seed=0, scale=0.3):
    """Adapters that change something."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in lora_weights(model).values():
            weight += scale * torch.randn(weight.shape, generator=generator).to(weight.dtype)


def test_a_new_adapter_sits_on_the_upper_layers_changes_nothing_and_is_all_that_learns():
    model = adapter()
    assert {name.split(".layers.")[1][0] for name in lora_weights(model)} == {"1"}
    assert all(not weight.any() for name, weight in lora_weights(model).items() if "lora_B" in name)
    assert {n for n, p in model.named_parameters() if p.requires_grad} == set(lora_weights(model))
    ids = torch.tensor([[1, 50, 60]])
    with torch.no_grad():
        assert torch.equal(model(input_ids=ids).logits, tiny_model()[0](input_ids=ids).logits)


def test_more_layers_than_there_are_means_all():
    assert {name.split(".layers.")[1][0] for name in lora_weights(adapter(n_layers=9))} == {"0", "1"}


def test_a_new_adapter_is_a_function_of_the_seed_and_leaves_its_model_alone():
    base = tiny_model()[0]
    before = copy.deepcopy(base.state_dict())
    torch.manual_seed(5)
    first = lora_weights(new_adapter(base, r=2, n_layers=1, seed=0))
    torch.manual_seed(6)
    again, other = lora_weights(adapter()), lora_weights(adapter(seed=1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert base.state_dict().keys() == before.keys()
    assert all(torch.equal(weight, before[name]) for name, weight in base.state_dict().items())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_restoring_is_bitwise_and_in_float32(tmp_path, dtype):
    saved, restored = adapter(dtype), adapter(dtype, seed=1)
    stir(saved)
    saved.save_pretrained(tmp_path)
    places = {name: weight.data_ptr() for name, weight in lora_weights(restored).items()}
    restore_adapter(restored, tmp_path)
    for name, weight in lora_weights(restored).items():
        assert torch.equal(weight, lora_weights(saved)[name])
        assert weight.dtype == torch.float32  # whatever the model's type
        assert weight.requires_grad
        assert weight.data_ptr() == places[name]  # the optimiser holds on to it


def test_a_checkpoint_of_another_shape_is_refused(tmp_path):
    adapter(n_layers=1).save_pretrained(tmp_path)
    with pytest.raises(ReproError, match="does not fit this model"):
        restore_adapter(adapter(n_layers=2), tmp_path)


def test_the_shadow_has_the_merged_weights_and_follows_the_policy():
    model, tokenizer = tiny_model()
    policy = new_adapter(model, r=2, n_layers=2, seed=0)
    shadow = Shadow(policy, LocalModel(model, tokenizer, name="tiny"))
    for seed in range(2):  # twice: nothing of the first may be left in the second
        stir(policy, seed)
        merged = copy.deepcopy(policy).merge_and_unload().state_dict()
        for name, weight in shadow.synced().model.state_dict().items():
            assert torch.allclose(weight, merged[name], atol=1e-6), name


def test_the_shadow_leaves_the_initial_model_and_the_policys_base_alone():
    model, tokenizer = tiny_model()
    policy = new_adapter(model, r=2, n_layers=2, seed=0)
    shadow = Shadow(policy, LocalModel(model, tokenizer, name="tiny"))
    stir(policy)
    shadow.synced()
    fresh = tiny_model()[0].state_dict()
    assert all(torch.equal(weight, fresh[name]) for name, weight in model.state_dict().items())
    q = policy.get_base_model().model.layers[1].self_attn.q_proj.base_layer.weight
    assert torch.equal(q, fresh["model.layers.1.self_attn.q_proj.weight"])


def test_the_shadow_forgets_what_it_read_with_other_weights():
    model, tokenizer = tiny_model()
    policy = new_adapter(model, r=2, n_layers=2, seed=0)
    shadow = Shadow(policy, LocalModel(model, tokenizer, name="tiny"))
    sampling = Sampling(0, max_tokens=12)
    (before,) = shadow.synced().generate(CONTEXT, sampling=sampling, seeds=[0])
    stir(policy)
    longer = [[*CONTEXT[0], before, Turn("user", "again")]]
    (after,) = shadow.synced().generate(longer, sampling=sampling, seeds=[0])
    merged = LocalModel(copy.deepcopy(policy).merge_and_unload(), tokenizer, name="merged")
    assert after.token_ids == merged.generate(longer, sampling=sampling, seeds=[0])[0].token_ids


def test_an_extracted_adapter_is_a_low_rank_difference():
    base, tuned = tiny_model()[0], tiny_model()[0]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, layer in tuned.named_modules():
            if name.rsplit(".", 1)[-1] in LINEAR:
                n_out, n_in = layer.weight.shape
                left, right = (torch.randn(n, 3, generator=generator) for n in (n_out, n_in))
                layer.weight += 0.05 * left @ right.T  # rank 3
    merged = extract_adapter(tuned, copy.deepcopy(base), r=3).merge_and_unload().state_dict()
    for name, weight in tuned.state_dict().items():
        assert torch.allclose(merged[name], weight, atol=1e-4), name
    rough = extract_adapter(tuned, copy.deepcopy(base), r=1).merge_and_unload().state_dict()
    name = "model.layers.0.mlp.up_proj.weight"
    difference = tuned.state_dict()[name] - base.state_dict()[name]
    values = torch.linalg.svdvals(difference)
    error = torch.linalg.norm(rough[name] - tuned.state_dict()[name])
    assert error.item() == pytest.approx((values[1:] ** 2).sum().sqrt().item(), rel=0.01)  # Eckart and Young
