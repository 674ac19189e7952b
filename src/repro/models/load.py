"""Which model does this text stand for?"""

from __future__ import annotations

from pathlib import Path

from .base import ChatModel
from .local import LocalModel, brings_tokenizer
from .served import SCHEME, ServedModel


def load_model(spec: str, *, base: str = "smollm2", dtype: str = "bfloat16") -> ChatModel:
    """An endpoint (`openai:http://host:8000/v1#NAME`), a folder or a hub id; an adapter's folder goes on `base`.

    An adapter with a tokenizer of its own goes on the base that it names.
    """
    if spec.startswith(f"{SCHEME}:"):
        return ServedModel.from_spec(spec)
    if (Path(spec) / "adapter_config.json").is_file() and not brings_tokenizer(spec):
        return LocalModel.from_pretrained(base, adapters=[spec], dtype=dtype)
    return LocalModel.from_pretrained(spec, dtype=dtype)
