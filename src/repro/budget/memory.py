"""How much memory is taken while the models of a profile learn?

Of each GPU: weights, gradients, the optimiser's moments, and what vLLM sets aside; activations, and what libraries and
caches of dialogues take, come on top. Of the host: the copies in float32 from which fine-tuning starts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..assumptions import DEVICE_GIB, LORA_SHARE
from ..config import Config
from ..simulators.registry import ON_A_MODEL
from ..training import names

_LEARNS = 16  # bytes of a weight that is trained: itself, gradient and AdamW's two moments in float32


@dataclass(frozen=True)
class Memory:
    """GiB by what takes them: of a GPU that fine-tunes, of one that trains an assistant, and of the host."""

    tuned: Mapping[str, float]
    assistants: Mapping[str, float]
    host: float
    weights: float  # of the model, as an assistant speaks with it
    vllm_share: float  # of whatever a GPU has, set aside for vLLM; `assistants` has the rest

    def of_assistants(self, gpu_gib: float) -> dict[str, float]:
        """All that a GPU of that size holds while an assistant learns."""
        return {**self.assistants, **({"vLLM": self.vllm_share * gpu_gib} if self.vllm_share else {})}

    @property
    def smallest_gpu(self) -> float:
        """GiB of a GPU on which both fit, and vLLM's weights in its share."""
        shared = sum(self.assistants.values()) / (1 - self.vllm_share) if self.vllm_share < 1 else math.inf
        in_share = self.weights / self.vllm_share if self.vllm_share else 0.0
        return max(sum(self.tuned.values()), shared, in_share)


def memory(config: Config, n_parameters: float) -> Memory | None:
    """None where nothing is trained or nobody knows how large the model is."""
    if config.released or math.isnan(n_parameters):
        return None
    c, n = config.cluster, n_parameters / 2**30
    n_each = max(1, c.train_gpus)
    tuned = {"weights, gradients and moments": _LEARNS * n / (n_each if _shares(c.launch_sft) else 1)}
    weights = n * (2 if config.dtype == "bfloat16" else 4)
    share = config.train.vllm_gpu_memory_utilization if config.train.engine == "vllm" else 0.0
    return Memory(tuned, _assistants(config, n, weights), 2 * 4 * n * n_each, weights, share)


def memory_lines(config: Config, n_parameters: float) -> list[str]:
    """A line for each way of training; none where nothing is trained or nobody knows how large the model is."""
    if (held := memory(config, n_parameters)) is None:
        return []
    n_each = max(1, config.cluster.train_gpus)
    host = f"  host         {held.host:,.0f} GiB: two copies in float32 for each of {n_each} that fine-tune"
    return [
        "", f"memory of each GPU, of {DEVICE_GIB} GiB; activations come on top:",
        _line("fine-tuning", held.tuned), _line("assistants", held.of_assistants(DEVICE_GIB)), host,
    ]  # fmt: skip


def _shares(launch: str) -> bool:
    """Whether several GPUs hold one model between them."""
    return bool(launch) and "ddp" not in launch


def _assistants(config: Config, n: float, weights: float) -> dict[str, float]:
    """GiB of what one GPU holds that trains an assistant, without vLLM; `n` is 2**30 weights, which take `weights`."""
    parts = {"weights": weights, "adapter": _LEARNS * LORA_SHARE * n}
    if any(names.kind_of(arm) in ON_A_MODEL for arm in config.arms):
        parts["user"] = weights
    if config.train.engine == "transformers":
        parts["start and speaker"] = 2 * weights
    return parts


def _line(what: str, parts: Mapping[str, float]) -> str:
    total = sum(parts.values())
    said = ", ".join(f"{gib:,.0f} {name}" for name, gib in parts.items())
    return f"  {what:<12} {total:,.0f} GiB: {said}{'' if total < DEVICE_GIB else '; more than there is'}"
