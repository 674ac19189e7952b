"""How fast could it be at most?

A token must pass the weights once, however often it is part of a context, and what several conversations begin with
passes once for all. The operations for that, over those that the processor does in a second in large matrix products,
are the least time that conversations can take.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from side_by_side import Work
from talking import Talks

from repro.models.local import LocalModel
from repro.rollouts.dialogue import system_prompt
from repro.types import Role, Trajectory, Turn

SIDE = 2048  # of the matrices that say what the processor can multiply


def n_distinct(rows: Iterable[Sequence[int]]) -> int:
    """Tokens that have to be read when what rows begin with in common is read once."""
    seen: dict[tuple[int, int], int] = {}
    for row in rows:
        node = 0
        for token in row:
            node = seen.setdefault((node, token), len(seen) + 1)
    return len(seen)


def needed_flops(model: LocalModel, rows: Sequence[Sequence[int]], n_drawn: int) -> float:
    """Multiplications and additions for `rows`: layers for each distinct token, the output layer for those drawn."""
    c = model.model.config
    layers = sum(p.numel() for name, p in model.model.model.layers.named_parameters() if p.dim() == 2)
    seen = sum(len(row) ** 2 / 2 for row in rows) / sum(map(len, rows))  # mean tokens attended to
    attention = 2 * seen * c.hidden_size * c.num_hidden_layers  # scores, and the mean of values
    return 2 * (n_distinct(rows) * (layers + attention) + n_drawn * c.hidden_size * c.vocab_size)


def needed(talk: Talks) -> float:
    """Operations of both models, for the conversations that were held last."""
    flops = 0.0
    for model, role in ((talk.assistant, "assistant"), (talk.user.model, "user")):
        rows = [model.format.labelled([_told(talk, d, role), *d.turns], role)[0][:-1] for d in talk.held]
        drawn = sum(len(t.token_ids or ()) for d in talk.held for t in d.turns if t.role == role)
        flops += needed_flops(model, [row for row in rows if row], drawn)  # the last token of a row is read by nobody
    return flops


def _told(talk: Talks, dialogue: Trajectory, role: Role) -> Turn:
    return system_prompt() if role == "assistant" else talk.user.told(dialogue.task, dialogue.seed)


def multiplied(dtype: torch.dtype) -> Work:
    """Large matrix products, and the operations they take."""
    a = torch.randn(SIDE, SIDE).to(dtype)

    def work(turn: int) -> dict[str, float]:
        for _ in range(3):
            a @ a
        return {"GFLOP": 3 * 2 * SIDE**3 / 1e9}

    return work
