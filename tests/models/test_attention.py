"""Attention written out: what transformers' own gives, whatever the mask, and it can be learned through."""

import pytest
import torch

from repro.models.attention import NAME, grouped_attention, use_grouped_attention
from repro.models.tiny import tiny_model


class Module:
    training = False


def reference(query, key, value, bias, scaling):
    share = query.shape[1] // key.shape[1]
    key, value = (x.repeat_interleave(share, dim=1) for x in (key, value))
    weights = torch.softmax(query @ key.transpose(2, 3) * scaling + bias, dim=-1)
    return (weights @ value).transpose(1, 2)


@pytest.mark.parametrize(("n_new", "n_seen"), [(1, 9), (4, 9), (9, 9)])
def test_it_is_attention(n_new, n_seen):
    torch.manual_seed(0)
    query = torch.randn(2, 6, n_new, 8, requires_grad=True)
    key, value = (torch.randn(2, 2, n_seen + 3, 8)[:, :, :n_seen] for _ in range(2))  # slices of a longer cache
    bias = torch.zeros(2, 1, n_new, n_seen).masked_fill_(torch.rand(2, 1, n_new, n_seen) < 0.3, -1e4)
    found, _ = grouped_attention(Module, query, key, value, bias, 0.3)
    expected = reference(query, key, value, bias, 0.3)
    torch.testing.assert_close(found, expected)
    (gradient,) = torch.autograd.grad(found.square().sum(), query)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected.square().sum(), query)[0])


def test_a_model_says_the_same_with_it_and_without():
    model, ids = tiny_model(dtype="float32")[0].eval(), torch.tensor([[5, 6, 7, 8], [0, 0, 9, 4]])
    seen = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])
    model.set_attn_implementation("eager")
    with torch.no_grad():
        plain = model(input_ids=ids, attention_mask=seen).logits
        use_grouped_attention(model)
        grouped = model(input_ids=ids, attention_mask=seen).logits
    assert model.config._attn_implementation == NAME
    torch.testing.assert_close(grouped[seen.bool()], plain[seen.bool()])


def test_other_architectures_keep_their_own_attention():
    model = tiny_model(dtype="float32")[0]
    model.set_attn_implementation("eager")
    model.config.model_type = "gemma2"  # soft caps: not what is written out here
    assert use_grouped_attention(model).config._attn_implementation == "eager"
