"""How well does a model foresee what users say whom it has not met?

Perplexity of the user's turns given the intent and the dialogue before them (arXiv 2510.06552), as
`intrinsic.perplexity` has it: over the tokens of what they say, without the marks that end a turn or the conversation,
because these differ between models. Here for the dialogues of a corpus, each read once; the interval resamples users.
"""

from __future__ import annotations

import math

from ..data.corpora import Corpus
from ..data.flip import IGNORED, MAX_LENGTH, flipped, labelled
from ..errors import ReproError
from ..models.local import LocalModel
from ..training.heads import token_logps
from ..types import Estimate, Task
from .stats import ratio


def heldout_perplexity(
    model: LocalModel, corpus: Corpus, *, max_length: int = MAX_LENGTH, n_boot: int = 2000, seed: int = 0
) -> Estimate:
    """exp(nats per token) of what the users of `corpus` say; of each dialogue the first `max_length` tokens are read.

    n counts conversations, n_unscored those whose user says nothing that is read.
    """
    if not len(corpus):
        raise ReproError("no held-out conversations; split off some users first")
    scored = [_nats(model, task, max_length) for task in corpus]
    nats, tokens = [n for n, _ in scored], [float(n) for _, n in scored]
    e = ratio(nats, tokens, corpus.users, within=None, n_boot=n_boot, seed=seed)
    value, low, high = (math.exp(x) for x in (e.value, e.low, e.high))
    return Estimate(value, low, high, e.n, e.n_unscored, e.n_clusters, unit="perplexity")


def _nats(model: LocalModel, task: Task, max_length: int) -> tuple[float, int]:
    """What a dialogue's user turns cost, and their tokens; NaN where none is read."""
    import torch

    row = labelled(flipped(task, task.human or ()), role="user", chat=model.format)
    device = model.model.device
    ids, labels = (torch.tensor([row[key][:max_length]], device=device) for key in ("input_ids", "labels"))
    chosen = (labels != IGNORED) & (labels != model.format.end_of_turn)  # (1, T)
    if not bool(chosen.any()):
        return math.nan, 0
    with torch.inference_mode():
        logps, _ = token_logps(model.model, ids, torch.ones_like(ids), chosen)
    return -float(logps.sum()), int(chosen.sum())
