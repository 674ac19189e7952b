"""Where does a text lie?

Sentence encoders by name: "minilm" (all-MiniLM-L6-v2, packaged), a folder or a hub id. A text is the mean of its
tokens' last hidden states, scaled to length 1 (mean pooling, as these models are published).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ...errors import ReproError
from ...models.weights import minilm_path

Vectors = npt.NDArray[np.float32]
BATCH_SIZE = 64


class Encoder(Protocol):
    """Anything with a name that turns texts into vectors of length 1."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """(n, d), one row a text, in order."""
        ...


@dataclass(frozen=True)
class MeanPooled:
    """A transformers encoder. What goes beyond `max_tokens` of a text is not read; no text is read twice."""

    model: Any
    tokenizer: Any
    name: str
    max_tokens: int = 256
    known: dict[str, Vectors] = field(default_factory=dict, compare=False, repr=False)

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            raise ReproError("there are no texts to encode")
        new = sorted({*texts} - self.known.keys(), key=lambda text: (len(text), text))  # batches of about one length
        for i in range(0, len(new), BATCH_SIZE):
            part = new[i : i + BATCH_SIZE]
            self.known.update(zip(part, self._pooled(part), strict=True))
        return np.stack([self.known[text] for text in texts])

    def _pooled(self, texts: Sequence[str]) -> Vectors:
        import torch

        read = self.tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.max_tokens, return_tensors="pt"
        )
        with torch.inference_mode():
            hidden = self.model(**read).last_hidden_state  # (n, t, d)
        mask = read["attention_mask"][..., None]
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        return np.asarray(torch.nn.functional.normalize(mean, dim=1).float().numpy())


def load_encoder(name: str = "minilm") -> MeanPooled:
    """The encoder called `name`; what is neither known, a folder nor a hub id raises with what can be given."""
    from transformers import AutoModel, AutoTokenizer

    where = str(minilm_path()) if name == "minilm" else name
    try:
        return MeanPooled(AutoModel.from_pretrained(where).eval(), AutoTokenizer.from_pretrained(where), name)
    except (OSError, ValueError) as error:
        raise ReproError(f"no encoder '{name}'; give minilm, a folder or a hub id ({error})") from error
