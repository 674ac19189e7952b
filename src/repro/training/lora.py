"""How do adapters start, travel and come back exactly?

New adapters sit on the upper layers, in float32 whatever the model's type; the rollout engine speaks with a copy of
the weights into which they are merged after each step; restoring copies tensors in place, so that no type changes on
the way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import ReproError
from ..models.local import LocalModel

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def new_adapter(model: Any, *, r: int, n_layers: int, seed: int) -> Any:
    """A copy of `model` with a fresh trainable adapter on its top `n_layers` layers. alpha = 2 r."""
    import copy

    import torch
    from peft import LoraConfig, get_peft_model

    total = model.config.num_hidden_layers
    layers = list(range(max(0, total - n_layers), total))
    config = LoraConfig(r=r, lora_alpha=2 * r, target_modules=LINEAR, layers_to_transform=layers, task_type="CAUSAL_LM")
    torch.manual_seed(seed)  # PEFT draws the A matrices from the global generator
    return get_peft_model(copy.deepcopy(model), config)  # float32: in bfloat16 small steps would be rounded away


def restore_adapter(model: Any, folder: str | Path) -> None:
    """Copy the adapter weights saved in `folder` into `model`, in place and in their own type."""
    import torch
    from peft import get_peft_model_state_dict
    from safetensors.torch import load_file

    saved = load_file(str(Path(folder) / "adapter_model.safetensors"))
    with torch.no_grad():
        for name, tensor in get_peft_model_state_dict(model).items():
            if name not in saved or saved[name].shape != tensor.shape:
                raise ReproError(f"the checkpoint in {folder} does not fit this model: {name}; remove it to start over")
            tensor.copy_(saved[name])


class Shadow:
    """The policy as a rollout engine: a model of its own whose weights are base plus adapter, merged when asked."""

    def __init__(self, policy: Any, initial: LocalModel) -> None:
        import copy

        self.policy = policy
        self.model = LocalModel(copy.deepcopy(initial.model), initial.tokenizer, name="policy")
        named = dict(self.model.model.named_modules())
        prefix = "base_model.model."
        adapted = [(name, layer) for name, layer in policy.named_modules() if hasattr(layer, "lora_A")]
        self.pairs = [(layer, named[name.removeprefix(prefix)]) for name, layer in adapted]

    def synced(self) -> LocalModel:
        """The engine with the policy's present weights."""
        import torch

        with torch.no_grad():
            for layer, plain in self.pairs:
                delta = whole(layer.get_delta_weight("default")).float()
                plain.weight.copy_(whole(layer.get_base_layer().weight).float() + delta)
        self.model.decoder.reset()
        return self.model


def whole(weight: Any) -> Any:
    """The weight itself; of one that FSDP has shared out, all parts, which every process has to ask for."""
    return weight.full_tensor() if hasattr(weight, "full_tensor") else weight


def extract_adapter(tuned: Any, base: Any, *, r: int) -> Any:
    """The best rank-`r` adapter for the weight difference of two models: truncated SVD per linear layer.

    Returns a PeftModel around `base`, which may lie on the CPU while `tuned` lies on a GPU. Differences outside the
    linear layers (norms, embeddings) are lost.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=r, lora_alpha=r, target_modules=LINEAR, task_type="CAUSAL_LM")
    model = get_peft_model(base, config, autocast_adapter_dtype=False)
    named = dict(tuned.named_modules())
    with torch.no_grad():
        for name, layer in model.named_modules():
            if not hasattr(layer, "lora_A"):
                continue
            learned = whole(named[name.removeprefix("base_model.model.")].weight)
            delta = learned.float() - layer.get_base_layer().weight.to(learned.device).float()
            u, s, vt = torch.linalg.svd(delta, full_matrices=False)
            root = s[:r].sqrt()
            layer.lora_A["default"].weight.copy_(root[:, None] * vt[:r])
            layer.lora_B["default"].weight.copy_(u[:, :r] * root)
    return model
