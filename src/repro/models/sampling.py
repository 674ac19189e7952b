"""Which token comes next?

Inverse-CDF sampling with one uniform number per row and step, so that a row's text depends on its own seed and
not on its neighbours. The search is in two levels (blocks of the vocabulary, then tokens of one block), which
costs a few per cent of a decoding step where `torch.multinomial` over 49,152 tokens costs a quarter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..seeds import rng
from .base import Sampling

if TYPE_CHECKING:
    from torch import Tensor

_BLOCK = 256
_HEAD = 512  # tokens looked at first for a nucleus


def uniforms(seeds: Sequence[int], n_steps: int) -> Tensor:
    """Numbers in [0, 1): (B, n_steps), row b a function of seeds[b] alone."""
    import numpy as np
    import torch

    return torch.from_numpy(np.stack([rng(seed, "tokens").random(n_steps) for seed in seeds])).float()


def sample(logits: Tensor, u: Tensor, sampling: Sampling, banned: Sequence[int] = ()) -> tuple[Tensor, Tensor]:
    """Draw one token per row from `logits` (B, V) with `u` (B,); returns tokens (B,) and their logps (B,).

    Tokens of `banned` are never drawn. The log-probabilities are the model's own (temperature 1, before cuts and
    bans), in nats.
    """
    import torch

    p = logits.softmax(-1, dtype=torch.float32)  # (B, V)
    if sampling.temperature == 0:
        allowed = logits.clone()
        allowed[:, list(banned)] = -torch.inf
        tokens = allowed.argmax(-1)
    else:
        warmed = p if sampling.temperature == 1 else (logits / sampling.temperature).softmax(-1, dtype=torch.float32)
        warmed[:, list(banned)] = 0  # p is not read at these again
        tokens = _inverse_cdf(_cut(warmed, sampling), u)
    return tokens, p.gather(-1, tokens[:, None])[:, 0].log()


def _cut(weights: Tensor, sampling: Sampling) -> Tensor:
    """Probabilities (B, V) with those below min_p (relative to the likeliest) and outside top_p set to 0."""
    if sampling.min_p > 0:
        weights = weights * (weights >= sampling.min_p * weights.amax(-1, keepdim=True))
    if sampling.top_p < 1:
        ordered, index = _sorted(weights, sampling.top_p)
        before = ordered.cumsum(-1) - ordered
        ordered = ordered * (before < sampling.top_p * weights.sum(-1, keepdim=True))
        weights = weights.new_zeros(weights.shape).scatter(-1, index, ordered)
    return weights


def _sorted(weights: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """The weights in falling order, as many as the nucleus of every row needs: seldom the whole vocabulary."""
    n = min(_HEAD, weights.shape[-1])
    head, index = weights.topk(n, dim=-1)
    if bool((head.sum(-1) >= top_p * weights.sum(-1)).all()):
        return head, index
    return weights.sort(-1, descending=True)


def _inverse_cdf(weights: Tensor, u: Tensor) -> Tensor:
    """The first token at which the cumulative weight passes u times the total."""
    from torch.nn.functional import pad

    n_rows, n_tokens = weights.shape
    blocks = pad(weights, (0, -n_tokens % _BLOCK)).view(n_rows, -1, _BLOCK)
    mass = blocks.sum(-1).double().cumsum(-1)  # (B, n_blocks)
    target = u.double().clamp(max=1 - 1e-9) * mass[:, -1]
    block = (mass > target[:, None]).int().argmax(-1)  # (B,)
    rows = block.new_tensor(range(n_rows))
    below = mass[rows, block] - blocks[rows, block].double().sum(-1)
    inner = blocks[rows, block].double().cumsum(-1) + below[:, None]
    hit = (inner > target[:, None]) & (blocks[rows, block] > 0)
    fallback = blocks[rows, block].argmax(-1)  # rounding can leave no token past the target
    token = hit.int().argmax(-1).where(hit.any(-1), fallback)
    return block * _BLOCK + token
