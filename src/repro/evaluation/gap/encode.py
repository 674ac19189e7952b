"""Where does a text lie?

Sentence encoders by name: "minilm" (all-MiniLM-L6-v2, packaged), a folder or a hub id. A text is the mean of its
tokens' last hidden states, or that of its first or last token where the encoder's sentence-transformers files say so,
scaled to length 1. It is cut where they, or else its tokenizer and configuration, say that the encoder's reading ends.

Departures: arXiv 2605.07847 takes the first 1,024 dimensions of Qwen3-Embedding-8B; here all dimensions count, and no
instruction is put before a text. Pooling of any other kind is taken for the mean.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from ...errors import ReproError
from ...models.hashes import digest, sha256, tree
from ...models.weights import minilm_path
from .kept_vectors import KeptVectors, Vectors

BATCH_SIZE = 64
AT_ONCE = 1000  # texts whose tokens are counted together
Pooling = Literal["mean_tokens", "cls_token", "lasttoken"]  # as sentence-transformers names them
POOLING: tuple[Pooling, ...] = ("mean_tokens", "cls_token", "lasttoken")


class Encoder(Protocol):
    """Anything with a name that turns texts into vectors of length 1."""

    @property
    def name(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """(n, d), one row a text, in order."""
        ...


@dataclass(frozen=True)
class Pooled:
    """A transformers encoder. It reads at most `max_tokens` of a text, and none that `kept` holds."""

    model: Any
    tokenizer: Any
    name: str
    kept: KeptVectors
    max_tokens: int
    pooling: Pooling = "mean_tokens"

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

    def n_cut(self, texts: Sequence[str]) -> int:
        """How many of the texts are longer than what is read of them."""
        parts = (list(texts[i : i + AT_ONCE]) for i in range(0, len(texts), AT_ONCE))
        read = (self.tokenizer(part, truncation=False, verbose=False)["input_ids"] for part in parts)
        return sum(len(tokens) > self.max_tokens for part in read for tokens in part)

    def _pooled(self, texts: Sequence[str]) -> Vectors:
        import torch

        how = {"padding": True, "truncation": True, "max_length": self.max_tokens, "return_tensors": "pt"}
        read = self.tokenizer(list(texts), **how)
        with torch.inference_mode():
            hidden = self.model(**read).last_hidden_state  # (n, t, d)
        vectors = _over_tokens(hidden, read["attention_mask"], self.pooling)
        return np.asarray(torch.nn.functional.normalize(vectors, dim=1).float().numpy())


def _over_tokens(hidden: Any, mask: Any, pooling: Pooling) -> Any:
    """(n, t, d) and (n, t), 1 for a token and 0 for padding on either side, to (n, d)."""
    import torch

    if pooling == "mean_tokens":
        return (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
    places = mask * torch.arange(1, mask.shape[1] + 1)  # from 1, so that padding is lowest
    place = mask.argmax(1) if pooling == "cls_token" else places.argmax(1)
    return hidden[torch.arange(len(hidden)), place]


def n_cut(encoder: Encoder, texts: Sequence[str]) -> int:
    """How many texts `encoder` does not read to their end; 0 for encoders of one's own, which do not say."""
    return encoder.n_cut(texts) if isinstance(encoder, Pooled) else 0


def load_encoder(name: str = "minilm") -> Pooled:
    """The encoder called `name`; what is neither known, a folder nor a hub id raises with what can be given."""
    from transformers import AutoModel, AutoTokenizer

    where = str(minilm_path()) if name == "minilm" else name
    try:
        model, tokenizer = AutoModel.from_pretrained(where).eval(), AutoTokenizer.from_pretrained(where)
    except (OSError, ValueError) as error:
        raise ReproError(f"no encoder '{name}'; give minilm, a folder or a hub id ({error})") from error
    made_of = tree(Path(where)) if Path(where).is_dir() else [where, getattr(model.config, "_commit_hash", None)]
    kept = KeptVectors(digest([made_of, sha256(Path(__file__))]))
    return Pooled(model, tokenizer, name, kept, _max_tokens(where, model, tokenizer), _pooling(where))


def _max_tokens(where: str, model: Any, tokenizer: Any) -> int:
    """What the encoder is published to read; without a word on that, what its tokenizer and its places allow."""
    places = getattr(model.config, "max_position_embeddings", tokenizer.model_max_length)
    return int(
        _said(where, "sentence_bert_config.json").get("max_seq_length") or min(tokenizer.model_max_length, places)
    )


def _pooling(where: str) -> Pooling:
    said = _said(where, "1_Pooling/config.json")
    return next((mode for mode in POOLING if said.get(f"pooling_mode_{mode}")), "mean_tokens")


def _said(where: str, file: str) -> dict[str, Any]:
    """What a file of the encoder's folder or repository holds; nothing if there is none."""
    from transformers.utils import cached_file

    quiet = dict.fromkeys(("missing_entries", "connection_errors", "gated_repo"), False)
    path = cached_file(where, file, **{f"_raise_exceptions_for_{name}": raises for name, raises in quiet.items()})
    return dict(json.loads(Path(path).read_text("utf-8"))) if path else {}
