"""How do packaged weights become a folder that transformers loads in a second?

Reading the GGUF file takes ten seconds or more and leaves the weights quantised. It is done once: the checked
file is dequantised and written as a bfloat16 checkpoint folder to the user's cache, whole or not at all.
"""

from __future__ import annotations

from pathlib import Path

from .hashes import cache_path
from .made import made_once
from .weights import SMOLLM2_SHA256, smollm2_path


def smollm2_folder() -> Path:
    """The checkpoint folder of SmolLM2-135M-Instruct, made from the packaged file on first use."""
    folder = cache_path() / f"smollm2-135m-instruct-{SMOLLM2_SHA256[:12]}"
    return made_once(folder, "model.safetensors", lambda staging: _convert(smollm2_path(), staging))


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, LlamaConfig, LlamaForCausalLM

    packed = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True)
    )
    config = {k: v for k, v in packed.config.to_dict().items() if k not in ("quantization_config", "_name_or_path")}
    model = LlamaForCausalLM(LlamaConfig(**config)).to(torch.bfloat16)  # the GGUF model itself cannot be saved
    model.load_state_dict(packed.state_dict())
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
