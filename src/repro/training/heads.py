"""What does the loss need of the model?

Log-probabilities at the tokens trained on, and nowhere else: on two cores the 49,152-way output layer over every
position (prompts, padding, the other side's words) costs more than the rest of a training step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")


def token_logps(
    model: Any, ids: Tensor, attention: Tensor, chosen: Tensor, *, temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Log-probabilities and entropies (nats) of the chosen tokens, both (n_chosen,) in row-major order.

    `ids`, `attention` and `chosen` are (B, T); position 0 has no prediction and is never chosen. Entropies carry
    no gradient.
    """
    import torch

    causal = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = causal.model(input_ids=ids, attention_mask=attention, use_cache=False).last_hidden_state  # (B, T, H)
    logits = causal.lm_head(hidden[:, :-1][chosen[:, 1:]]).float() / temperature  # (n_chosen, V)
    log_z = logits.logsumexp(-1)
    logps = logits.gather(-1, ids[:, 1:][chosen[:, 1:]][:, None])[:, 0] - log_z
    with torch.no_grad():
        entropies = log_z - (logits.softmax(-1) * logits).sum(-1)
    return logps, entropies


def through(wrapped: Any, plain: Any, read: Callable[..., T], *tensors: Tensor) -> T:
    """`read(plain, *tensors)`, called through what several processes put around a model.

    The wrapper (DDP, FSDP) gathers weights before and averages gradients after its own call, and after no other.
    """
    before = plain.__dict__.get("forward")
    plain.forward = lambda *args: read(plain, *args)
    try:
        found: T = wrapped(*tensors)
    finally:
        del plain.forward
        if before is not None:
            plain.forward = before
    return found
