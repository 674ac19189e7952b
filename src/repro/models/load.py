"""Which model does this text stand for?

    smollm2, path/to/folder, owner/model   weights, read by transformers; an adapter's folder goes on `base`
    openai:http://host:8000/v1#NAME        any endpoint that speaks OpenAI's chat completions
    vllm:path/to/folder, vllm:owner/model  the same as without `vllm:`, read by vLLM in this process
    vllm:http://host:8000/v1#NAME          a vLLM server that is sent token ids; `base` names its tokenizer

Relative paths start at the working directory, as for any command.
"""

from __future__ import annotations

from pathlib import Path

from .base import ChatModel
from .hashes import contents
from .local import LocalModel, base_of, brings_tokenizer
from .served import SCHEME, ServedModel
from .served_tokens import ServedTokens
from .vllm import SCHEME as VLLM
from .vllm import VLLMModel, identified, parsed


def load_model(spec: str, *, base: str = "smollm2", dtype: str = "bfloat16") -> ChatModel:
    """The model that `spec` stands for. An adapter with a tokenizer of its own goes on the base that it names."""
    if spec.startswith(f"{SCHEME}:"):
        return ServedModel.from_spec(spec)
    if spec.startswith((f"{VLLM}:http://", f"{VLLM}:https://")):
        return ServedTokens.from_spec(spec, tokenizer=base)
    if spec.startswith(f"{VLLM}:"):
        name, engine = parsed(spec)
        on = (base, [name]) if needs_base(name) else (name, [])
        return VLLMModel.from_pretrained(on[0], adapters=on[1], **{"dtype": dtype} | engine)
    if needs_base(spec):
        return LocalModel.from_pretrained(base, adapters=[spec], dtype=dtype)
    return LocalModel.from_pretrained(spec, dtype=dtype)


def identity(spec: str) -> str:
    """What `load_model(spec)` would say that it is, of weights that are not loaded."""
    name, engine = parsed(spec) if spec.startswith(f"{VLLM}:") else (spec, {})
    parts = ["smollm2", name] if needs_base(name) else [name]
    if spec.startswith(f"{VLLM}:"):
        return identified(parts, str(engine.pop("dtype", "bfloat16")), engine)
    return f"{contents([base_of(name), name] if brings_tokenizer(name) else parts)}@bfloat16"


def needs_base(folder: str) -> bool:
    """Whether this is an adapter that does not say itself what it goes on."""
    return (Path(folder) / "adapter_config.json").is_file() and not brings_tokenizer(folder)
