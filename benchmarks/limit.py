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
from repro.simulators.userlm import UserLM
from repro.types import Trajectory

ROLES = ("assistant", "user")
SIDE = 2048  # of the matrices that say what the processor can multiply


def n_distinct(rows: Iterable[Sequence[int]]) -> int:
    """Tokens that have to be read when what rows begin with in common is read once."""
    seen: dict[tuple[int, int], int] = {}
    for row in rows:
        node = 0
        for token in row:
            node = seen.setdefault((node, token), len(seen) + 1)
    return len(seen)


def rows_read(user: UserLM, assistant: LocalModel, held: Sequence[Trajectory]) -> list[list[list[int]]]:
    """What the assistant's model and the user's have to have read of these conversations: rows of token ids of each."""
    told = {"assistant": lambda d: system_prompt(), "user": lambda d: user.told(d.task, d.seed)}
    found = []
    for model, role in ((assistant, "assistant"), (user.model, "user")):
        rows = [model.format.labelled([told[role](d), *d.turns], role)[0][:-1] for d in held]
        found.append([row for row in rows if row])  # of each row the last token is read by nobody
    return found


def needed(talk: Talks) -> float:
    """Operations (GFLOP) of both models, for the conversations that were held last."""
    rows = rows_read(talk.user, talk.assistant, talk.held)
    drawn = [sum(len(t.token_ids or ()) for d in talk.held for t in d.turns if t.role == r) for r in ROLES]
    return sum(map(_flops, (talk.assistant, talk.user.model), rows, drawn)) / 1e9


def _flops(model: LocalModel, rows: Sequence[Sequence[int]], n_drawn: int) -> float:
    """Multiplications and additions: layers for each distinct token, the output layer for those drawn."""
    c = model.model.config
    layers = sum(p.numel() for p in model.model.model.layers.parameters() if p.dim() == 2)
    seen = sum(len(row) ** 2 / 2 for row in rows) / sum(map(len, rows))  # mean tokens attended to
    attention = 2 * seen * c.hidden_size * c.num_hidden_layers  # scores, and the mean of values
    return 2 * (n_distinct(rows) * (layers + attention) + n_drawn * c.hidden_size * c.vocab_size)


def multiplied(dtype: torch.dtype) -> Work:
    """Large matrix products, and the operations they take."""
    a = torch.randn(SIDE, SIDE).to(dtype)

    def work(turn: int) -> dict[str, float]:
        for _ in range(3):
            a @ a
        return {"GFLOP": 3 * 2 * SIDE**3 / 1e9}

    return work
