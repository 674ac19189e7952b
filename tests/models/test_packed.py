"""Weights in oneDNN's order: the same numbers, and the model is as it was afterwards."""

import copy

import pytest
import torch

from repro.models.packed import Packed
from repro.models.tiny import tiny_model


@pytest.fixture
def model():
    return tiny_model(dtype="bfloat16")[0].eval()


def forwards(model):
    return [layer for layer in model.modules() if "forward" in vars(layer)]


@pytest.mark.parametrize("n_rows", [1, 16, 50])
def test_the_logits_are_the_same_bit_by_bit(model, n_rows):
    ids = torch.arange(n_rows * 7).reshape(n_rows, 7) % 100
    with torch.inference_mode():
        plain = model(input_ids=ids).logits
        with Packed(model):
            assert forwards(model)
            packed = model(input_ids=ids).logits
    assert torch.equal(plain, packed)


def test_outside_the_model_can_be_copied_and_trained(model):
    packed = Packed(model)
    with pytest.raises(RuntimeError, match="stop here"), packed:
        raise RuntimeError("stop here")
    assert not forwards(model)
    copy.deepcopy(model)(input_ids=torch.tensor([[1, 2]])).logits.sum().backward()


def test_after_a_reset_the_new_weights_speak(model):
    packed, ids = Packed(model), torch.tensor([[1, 2, 3]])
    with torch.no_grad(), packed:
        before = model(input_ids=ids).logits
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(1.5)
        packed.reset()
        plain = model(input_ids=ids).logits
        with packed:
            after = model(input_ids=ids).logits
    assert torch.equal(plain, after)
    assert not torch.equal(before, after)


def test_float32_weights_are_left_alone():
    model = tiny_model(dtype="float32")[0]
    with Packed(model):
        assert not forwards(model)
