"""How are many turns generated at once, each from its own seed?

One batch: reuse what the cache already holds of each context and what all begin with, read the rest in left-padded
blocks of rows of like length, then draw a token per row and step. Rows that have ended are dropped from the batch, and
the cache keeps their keys.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from .base import Sampling
from .cache import SlotCache
from .packed import Packed
from .sampling import sample, uniforms

if TYPE_CHECKING:
    from torch import Tensor

_N_PAST = 3  # batches remembered: a turn, its redrawn rows, and the other user turns of a dialogue's start
_N_MODELS = 3  # models that remember: those that talk with each other, and one more
OnToken = Callable[[int, int], None]  # told (row, token) as each is drawn
_N_COMMON = 16  # tokens in common from which on it pays to read them apart
_N_TOGETHER = 8  # rows of like length read at once on a CPU: hardly any padding
_KEEP = 0.75  # rows are dropped once fewer than this share of them is still speaking


@dataclass
class Sampled:
    """What one row drew: ids with the end token if it came, and their log-probabilities (nats)."""

    ids: list[int]
    logps: list[float]


class Decoder:
    """Generates with one transformers model; remembers the last batch so that the next turn starts from it."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.packed = Packed(model)
        self.past: list[_Past] = []  # of the latest batches, newest last

    def reset(self) -> None:
        """Forget everything: the weights have changed."""
        self.past = []
        self.packed.reset()

    def generate(
        self, contexts: Sequence[Sequence[int]], *, sampling: Sampling, seeds: Sequence[int], stop: frozenset[int],
        banned: Sequence[int] = (), banned_first: Sequence[int] = (), on_token: OnToken | None = None,
    ) -> list[Sampled]:  # fmt: skip
        """Ids and logps for each context of token ids; stops at a token of `stop` or after `max_tokens`."""
        import torch

        with torch.inference_mode(), self.packed:
            logits, cache = self._read(contexts, sampling.max_tokens)
            u = uniforms(seeds, sampling.max_tokens).to(logits.device)
            drawn = [Sampled([], []) for _ in contexts]
            positions = torch.tensor([len(c) for c in contexts], device=logits.device)
            self._speak(drawn, logits, cache, positions, u, sampling, stop, list(banned), list(banned_first), on_token)
        rows = [[*c, *s.ids[:-1]] for c, s in zip(contexts, drawn, strict=True)]
        self.past = [*self.past, _Past(cache, rows)][-_N_PAST:]
        _spoke(self)
        return drawn

    def _speak(
        self, drawn: list[Sampled], logits: Tensor, cache: SlotCache, positions: Tensor, u: Tensor,
        sampling: Sampling, stop: frozenset[int], banned: list[int], banned_first: list[int], on_token: OnToken | None,
    ) -> None:  # fmt: skip
        """Draw tokens for all rows until each has stopped; `drawn` and `cache` are filled in place."""
        import torch

        live = torch.arange(len(drawn), device=logits.device)  # row of the batch -> row of `drawn`
        work, start = cache, cache.fill
        speaking = [True] * len(drawn)
        for step in range(sampling.max_tokens):
            tokens, logps = sample(logits, u[live, step], sampling, banned if step else banned + banned_first)
            for row, token, logp in zip(live.tolist(), tokens.tolist(), logps.tolist(), strict=True):
                if speaking[row]:
                    drawn[row].ids.append(token)
                    drawn[row].logps.append(logp)
                    speaking[row] = token not in stop
                    if on_token:
                        on_token(row, token)
            keep = torch.tensor([speaking[row] for row in live.tolist()], device=live.device)
            n_speaking = int(keep.sum())
            if n_speaking == 0 or step == sampling.max_tokens - 1:
                break
            if n_speaking < _KEEP * len(live):
                if work is not cache:
                    cache.put(live, work, start)
                chosen = keep.nonzero()[:, 0]
                work, live, tokens, start = work.rows(chosen), live[chosen], tokens[chosen], work.fill
                keep = keep[chosen]
            logits = self._step(tokens[:, None], (positions[live] + step)[:, None], work, keep[:, None])
        if work is not cache:
            cache.put(live, work, start)

    def _read(self, contexts: Sequence[Sequence[int]], n_room: int) -> tuple[Tensor, SlotCache]:
        """Logits (B, V) after each context and the cache that holds it; equal contexts are read once."""
        import torch

        unique = list(dict.fromkeys(tuple(c) for c in contexts))
        past, matches = self._best_past(unique)
        if past is None:
            past, matches = self._beginning(unique)
        order = sorted(range(len(unique)), key=lambda i: len(unique[i]) - matches[i][1])  # like lengths together
        matches = [matches[i] for i in order]
        news = [unique[i][n:] for i, (_, n) in zip(order, matches, strict=True)]
        cache = self._start(past, matches, len(news[-1]) + n_room)
        logits = self._read_new(news, [n for _, n in matches], cache)
        row_of = {unique[i]: row for row, i in enumerate(order)}
        rows = [row_of[tuple(c)] for c in contexts]
        if rows == [*range(len(unique))]:
            return logits, cache
        spread = torch.tensor(rows, device=logits.device)
        return logits[spread], cache.rows(spread)

    def _read_new(self, news: Sequence[Sequence[int]], starts: Sequence[int], cache: SlotCache) -> Tensor:
        """Read the new ids of each row, shortest first, from its position in `starts` on; logits (B, V)."""
        import torch

        width = len(news[-1])
        ids = torch.zeros(len(news), width, dtype=torch.long)
        real = torch.zeros(len(news), width, dtype=torch.bool)
        positions = torch.zeros(len(news), width, dtype=torch.long)
        for i, (new, n) in enumerate(zip(news, starts, strict=True)):
            ids[i, width - len(new) :] = torch.tensor(new)
            real[i, width - len(new) :] = True
            positions[i, width - len(new) :] = torch.arange(n, n + len(new))
        device, found = self.model.device, []
        n_together = _N_TOGETHER if device.type == "cpu" else len(news)
        for i in range(0, len(news), n_together):
            rows = slice(i, i + n_together)
            skipped = width - max(map(len, news[rows]))
            block = [x[rows, skipped:].to(device) for x in (ids, positions, real)]
            found.append(self._step(block[0], block[1], cache.part(rows, skipped), block[2]))
        cache.fill += width
        return torch.cat(found)

    def _beginning(self, contexts: Sequence[tuple[int, ...]]) -> tuple[_Past | None, list[tuple[int, int]]]:
        """What all contexts begin with, as a past of one row, if that is long: a system prompt is read once."""
        nothing = (None, [(0, 0)] * len(contexts))
        pairs = zip(min(contexts), max(contexts), strict=False)  # those of all contexts that differ the soonest
        common = [a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)][: min(map(len, contexts)) - 1]
        if len(contexts) == 1 or len(common) < _N_COMMON:
            return nothing
        past = _Past(self._read([common], 0)[1], [common])
        return past, [past.match(context) for context in contexts]

    def _step(self, ids: Tensor, positions: Tensor, cache: SlotCache, real: Tensor) -> Tensor:
        """Logits (B, V) of the last position after reading `ids` (B, T); slots where `real` is false stay empty."""
        import torch

        n_new = ids.shape[1]
        cache.valid[:, cache.fill : cache.fill + n_new] = real
        causal = torch.ones(n_new, cache.valid.shape[1], dtype=torch.bool, device=ids.device).tril(cache.fill)
        own = causal & ~causal.tril(cache.fill - 1)  # a padded query sees itself, or softmax has no support
        seen = (cache.valid[:, None, None] & causal) | own  # (B, 1, T, S)
        bias = torch.zeros(seen.shape, dtype=self.model.dtype, device=ids.device)
        bias.masked_fill_(~seen, torch.finfo(self.model.dtype).min)
        out = self.model(
            input_ids=ids, position_ids=positions, attention_mask=bias, past_key_values=cache, use_cache=True,
            logits_to_keep=1,
        )  # fmt: skip
        cache.fill += n_new
        logits: Tensor = out.logits[:, -1]
        return logits

    def _best_past(self, contexts: Sequence[tuple[int, ...]]) -> tuple[_Past | None, list[tuple[int, int]]]:
        """The remembered batch that spares the most reading, and for each context its (row, length) there."""
        best: tuple[_Past | None, list[tuple[int, int]]] = (None, [(0, 0)] * len(contexts))
        for past in reversed(self.past):
            matches = [past.match(context) for context in contexts]
            if sum(n for _, n in matches) > sum(n for _, n in best[1]):
                best = past, matches
        return best

    def _start(self, past: _Past | None, matches: Sequence[tuple[int, int]], n_room: int) -> SlotCache:
        """A cache whose rows begin with the matched past."""
        import torch

        if past is not None:
            return past.cache.repacked([row for row, _ in matches], [n for _, n in matches], n_room)
        c = self.model.config
        head_dim = getattr(c, "head_dim", None) or c.hidden_size // c.num_attention_heads
        shape = (len(matches), c.num_key_value_heads, n_room, head_dim)
        kind = {"dtype": self.model.dtype, "device": self.model.device}
        layers = [(torch.zeros(shape, **kind), torch.zeros(shape, **kind)) for _ in range(c.num_hidden_layers)]
        return SlotCache(layers, torch.zeros(len(matches), n_room, dtype=torch.bool, device=self.model.device), 0)


_lately: list[weakref.ref[Decoder]] = []


def _spoke(decoder: Decoder) -> None:
    """Only the models that spoke lately keep what they have read: it can be two gigabytes for each."""
    _lately[:] = [*(one for one in _lately if one() not in (None, decoder)), weakref.ref(decoder)]
    while len(_lately) > _N_MODELS:
        if quiet := _lately.pop(0)():
            quiet.past = []


class _Past:
    """One batch that was read: its cache and the ids each row holds."""

    def __init__(self, cache: SlotCache, rows: Sequence[Sequence[int]]) -> None:
        import numpy as np

        self.cache = cache
        self.ids = np.full((len(rows), max(map(len, rows))), -1)
        for i, row in enumerate(rows):
            self.ids[i, : len(row)] = row

    def match(self, context: Sequence[int]) -> tuple[int, int]:
        """The row with the longest beginning in common with `context`, and that length; one token stays to be read."""
        import numpy as np

        width = min(self.ids.shape[1], len(context) - 1)
        same = (self.ids[:, :width] == np.asarray(context[:width])).cumprod(1).sum(1)
        row = int(same.argmax())
        return row, int(same[row])
