"""What stands in for a language model where only the plumbing matters?

A Llama of two layers with random weights and a byte-level ChatML tokenizer, both made on the spot: the smoke
profile and the tests use it. Its chat template slips in a system prompt of its own when none is given, as that of
SmolLM2 does. One direction of the residual stream is reserved for a preference for small letters and for ending,
so that it says short, readable nonsense.
"""

from __future__ import annotations

import string
from typing import Any

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")  # ids 0, 1, 2, as in SmolLM2
_TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are an uninvited prompt.<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_model(seed: int = 0, dtype: str = "float32", *, special: tuple[str, ...] = SPECIAL) -> tuple[Any, Any]:
    """(model, tokenizer); the weights are a function of `seed` alone. `special` tokens take the first ids."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_tokenizer(special)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, initializer_range=0.2, bos_token_id=1, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    _make_readable(model, tokenizer)
    return model.to(getattr(torch, dtype)).eval(), tokenizer


def tiny_tokenizer(special: tuple[str, ...] = SPECIAL) -> Any:
    """One token a byte, so that any text can be written."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    backend = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[]))
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, chat_template=_TEMPLATE, eos_token="<|im_end|>", pad_token="<|im_end|>"
    )


def _make_readable(model: Any, tokenizer: Any) -> None:
    """Hold the first dimension of the residual stream constant, and let the output layer read a bias off it."""
    import torch

    with torch.no_grad():
        model.model.embed_tokens.weight[:, 0] = 1.0
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight[0] = 0
            layer.mlp.down_proj.weight[0] = 0
        bias = model.lm_head.weight[:, 0].zero_()
        bias[tokenizer(string.ascii_lowercase)["input_ids"]] = 20.0
        bias[tokenizer(" ")["input_ids"]] = 28.0
        bias[tokenizer.eos_token_id] = 38.0
