"""Where does a text lie?

Sentence encoders by name: "minilm" (all-MiniLM-L6-v2, packaged), a folder or a hub id. A text is the mean of its
tokens' last hidden states, scaled to length 1 (mean pooling, as these models are published).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ...errors import ReproError
from ...models.hashes import digest, sha256, tree
from ...models.weights import minilm_path
from .kept_vectors import KeptVectors, Vectors

BATCH_SIZE = 64
MAX_TOKENS = 256  # of a text. all-MiniLM-L6-v2 is published with it


class Encoder(Protocol):
    """Anything with a name that turns texts into vectors of length 1."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """(n, d), one row a text, in order."""
        ...


@dataclass(frozen=True)
class MeanPooled:
    """A transformers encoder. It reads at most `MAX_TOKENS` of a text, and none that `kept` holds."""

    model: Any
    tokenizer: Any
    name: str
    kept: KeptVectors

    def encode(self, texts: Sequence[str]) -> Vectors:
        from tqdm import tqdm

        if not texts:
            raise ReproError("there are no texts to encode")
        known = self.kept.get(texts)
        new = sorted({*texts} - known.keys(), key=lambda text: (len(text), text))  # batches of about one length
        parts = [new[i : i + BATCH_SIZE] for i in range(0, len(new), BATCH_SIZE)]
        for part in tqdm(parts, desc=f"texts encoded by {self.name}", unit="batch", disable=len(parts) < 2):
            vectors = dict(zip(part, self._pooled(part), strict=True))
            self.kept.put(vectors)
            known |= vectors
        return np.stack([known[text] for text in texts])

    def _pooled(self, texts: Sequence[str]) -> Vectors:
        import torch

        read = self.tokenizer(list(texts), padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
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
        model, tokenizer = AutoModel.from_pretrained(where).eval(), AutoTokenizer.from_pretrained(where)
    except (OSError, ValueError) as error:
        raise ReproError(f"no encoder '{name}'; give minilm, a folder or a hub id ({error})") from error
    made_of = tree(Path(where)) if Path(where).is_dir() else [where, getattr(model.config, "_commit_hash", None)]
    return MeanPooled(model, tokenizer, name, KeptVectors(digest([made_of, sha256(Path(__file__))])))
