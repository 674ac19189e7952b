"""How much memory is taken while the models of a profile learn?

Of each GPU: weights, gradients, the optimiser's moments, and what vLLM sets aside; activations, and what libraries and
caches of dialogues take, come on top. Of the host: the copies in float32 from which fine-tuning starts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..assumptions import DEVICE_GIB, LORA_SHARE
from ..config import Config
from ..simulators.registry import ON_A_MODEL
from ..training import names

_LEARNS = 16  # bytes of a weight that is trained: itself, gradient and AdamW's two moments in float32


def memory_lines(config: Config, n_parameters: float) -> list[str]:
    """A line for each way of training; none where nothing is trained or nobody knows how large the model is."""
    if config.released or math.isnan(n_parameters):
        return []
    c, n = config.cluster, n_parameters / 2**30
    n_each = max(1, c.train_gpus)
    tuned = {"weights, gradients and moments": _LEARNS * n / (n_each if _shares(c.launch_sft) else 1)}
    host = f"  host         {2 * 4 * n * n_each:,.0f} GiB: two copies in float32 for each of {n_each} that fine-tune"
    return [
        "", f"memory of each GPU, of {DEVICE_GIB} GiB; activations come on top:",
        _line("fine-tuning", tuned), _line("assistants", _assistants(config, n)), host,
    ]  # fmt: skip


def _shares(launch: str) -> bool:
    """Whether several GPUs hold one model between them."""
    return bool(launch) and "ddp" not in launch


def _assistants(config: Config, n: float) -> dict[str, float]:
    """GiB of what one GPU holds that trains an assistant; `n` is 2**30 weights."""
    weights = n * (2 if config.dtype == "bfloat16" else 4)
    parts = {"weights": weights, "adapter": _LEARNS * LORA_SHARE * n}
    if any(names.kind_of(arm) in ON_A_MODEL for arm in config.arms):
        parts["user"] = weights
    if config.train.engine == "transformers":
        parts["start and speaker"] = 2 * weights
    if config.train.engine == "vllm":
        parts["vLLM"] = config.train.vllm_gpu_memory_utilization * DEVICE_GIB
    return parts


def _line(what: str, parts: Mapping[str, float]) -> str:
    total = sum(parts.values())
    said = ", ".join(f"{gib:,.0f} {name}" for name, gib in parts.items())
    return f"  {what:<12} {total:,.0f} GiB: {said}{'' if total < DEVICE_GIB else '; more than there is'}"
