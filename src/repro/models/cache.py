"""What has the model already read?

Keys and values of every dialogue stay in memory between its turns, so a turn costs only its new tokens. Rows
are gathered (one row of the past can serve several contexts that begin alike), packed to the right and written
in place: nothing is concatenated while decoding, and attention reads all slots, since a slice would be copied at each
step. Positions are explicit and empty slots masked, so they do no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class SlotCache:
    """Keys and values (B, heads, S, D) per layer, written at `fill`; what a transformers model needs of a Cache."""

    is_compileable = False

    def __init__(self, layers: list[tuple[Tensor, Tensor]], valid: Tensor, fill: int) -> None:
        self.layers = layers
        self.valid = valid  # (B, S) bool: which slots hold a token of the row
        self.fill = fill
        self.n_new = 0

    def update(self, keys: Tensor, values: Tensor, layer: int, *_: object, **__: object) -> tuple[Tensor, Tensor]:
        """Write the new keys and values of one layer and return all slots, the empty ones too."""
        end = self.fill + keys.shape[2]
        for old, new in zip(self.layers[layer], (keys, values), strict=True):
            old[:, :, self.fill : end] = new
        return self.layers[layer]

    def get_seq_length(self, layer: int = 0) -> int:
        return self.fill

    def rows(self, chosen: Tensor) -> SlotCache:
        """A copy of the rows with these numbers, in this order."""
        layers = [(k.index_select(0, chosen), v.index_select(0, chosen)) for k, v in self.layers]
        return SlotCache(layers, self.valid[chosen], self.fill)

    def part(self, rows: slice, n_skipped: int) -> SlotCache:
        """These rows, not copied: what is written there, `n_skipped` slots further on, is written here."""
        layers = [(k[rows], v[rows]) for k, v in self.layers]
        return SlotCache(layers, self.valid[rows], self.fill + n_skipped)

    def put(self, rows: Tensor, part: SlotCache, start: int) -> None:
        """Copy the slots from `start` on of `part` back into `rows`."""
        for (k, v), (pk, pv) in zip(self.layers, part.layers, strict=True):
            k[rows, :, start : part.fill] = pk[:, :, start : part.fill]
            v[rows, :, start : part.fill] = pv[:, :, start : part.fill]
        self.valid[rows] = part.valid
        self.fill = part.fill

    def repacked(self, sources: Sequence[int], lengths: Sequence[int], n_room: int) -> SlotCache:
        """Row i = the first `lengths[i]` tokens of row `sources[i]`, packed to the right, with `n_room` free slots."""
        import torch

        width = max(lengths)
        slots = torch.zeros(len(sources), width + n_room, dtype=torch.long)  # what an empty slot holds is not read
        valid = torch.zeros(len(sources), width + n_room, dtype=torch.bool)
        for i, (source, n) in enumerate(zip(sources, lengths, strict=True)):
            if n:
                slots[i, width - n : width] = self.valid[source].nonzero()[:n, 0].cpu()
                valid[i, width - n : width] = True
        device = self.valid.device
        n_heads, n_slots = self.layers[0][0].shape[1:3]
        heads = torch.tensor(sources)[:, None] * n_heads + torch.arange(n_heads)  # (B, heads)
        flat = (heads[:, :, None] * n_slots + slots[:, None]).flatten().to(device)

        def packed(x: Tensor) -> Tensor:
            return x.view(-1, x.shape[3]).index_select(0, flat).view(len(sources), n_heads, -1, x.shape[3])

        return SlotCache([(packed(k), packed(v)) for k, v in self.layers], valid.to(device), width)
