"""How do we get text and log-probabilities from weights on this machine?

Any transformers checkpoint (the packaged SmolLM2, a folder, a hub id), on CPU or CUDA, with LoRA adapters merged
in. Generation is batched over dialogues and keeps keys and values between turns; see `decode`.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import ReproError
from ..types import Role, Turn
from .attention import use_grouped_attention
from .base import OnText, Sampling
from .chat import ChatFormat
from .decode import Decoder, OnToken, Sampled
from .hashes import contents
from .pieces import TokenPieces
from .turns import check_length, prompts, rules, text_of, turn_of
from .vocabulary import fit_embeddings

MAX_BATCH = 64  # rows decoded together: speed falls beyond it on two cores


class LocalModel:
    """A causal language model with a chat template, as a `ChatModel`; `parts` are what it was put together from."""

    def __init__(self, model: Any, tokenizer: Any, *, name: str, parts: Sequence[str | Path] = ()) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.name = name
        self.parts = [*map(str, parts)] or [name]
        self.format = ChatFormat(tokenizer)
        self.decoder = Decoder(model)
        sizes = (getattr(model.config, size, None) for size in ("max_position_embeddings", "sliding_window"))
        self.n_readable = min((size for size in sizes if size), default=10**9)  # `decode` attends to all it has read

    @property
    def identity(self) -> str:
        """What tells its answers from those of any other model, as a name for people does not: what folders hold."""
        return f"{contents(self.parts)}@{self.dtype}"

    @property
    def dtype(self) -> str:
        """The type of the weights: "bfloat16", "float32", ..."""
        return str(self.model.dtype).removeprefix("torch.")

    @classmethod
    def from_pretrained(
        cls, name: str = "smollm2", *, adapters: Sequence[str | Path] = (), n_layers: int | None = None,
        dtype: str = "bfloat16", device: str | None = None,
    ) -> LocalModel:  # fmt: skip
        """Load `name` ("smollm2", a folder or a hub id), keep its first `n_layers` and merge `adapters`, in order.

        The folder of an adapter that has a tokenizer of its own says itself which base it belongs on.
        """
        import torch

        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if brings_tokenizer(name):
            name, adapters = base_of(name), [name, *adapters]
        model, tokenizer = load_weights(name, n_layers=n_layers, dtype=dtype)
        for adapter in adapters:
            if brings_tokenizer(adapter):
                tokenizer = load_tokenizer(str(adapter))
                fit_embeddings(model, tokenizer)
            model = merge_adapter(model, adapter)
        parts = [name, *([f"{n_layers} layers"] if n_layers else []), *adapters]
        return cls(model.to(device), tokenizer, name=Path(adapters[-1]).name if adapters else name, parts=parts)

    def generate(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], role: Role = "assistant",
        prefixes: Sequence[str] | None = None, on_text: OnText | None = None,
    ) -> list[Turn]:  # fmt: skip
        """One turn per context, in order; at most `MAX_BATCH` rows at a time. `on_text` hears them being drawn.

        A dialogue that is too long for the model raises a plain ValueError: it is data, not the caller's mistake.
        """
        ids, begun = prompts(self.format, contexts, role, prefixes)
        check_length(ids, sampling, self.n_readable, self.name)
        turns: list[Turn] = []
        for i in range(0, len(ids), MAX_BATCH):
            part = slice(i, i + MAX_BATCH)
            pieces = TokenPieces(self._text, begun[part], on_text, offset=i) if on_text else None
            drawn = self._draw(ids[part], sampling, seeds[part], role, pieces.add if pieces else None)
            new = [turn_of(self.format, role, b, d.ids, d.logps) for b, d in zip(begun[part], drawn, strict=True)]
            if pieces:
                pieces.close([turn.text for turn in new])
            turns += new
        return turns

    def stream(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], on_text: OnText
    ) -> list[Turn]:
        """What `generate` makes of the same arguments, heard while it is drawn."""
        return self.generate(contexts, sampling=sampling, seeds=seeds, on_text=on_text)

    def _draw(
        self, ids: Sequence[list[int]], sampling: Sampling, seeds: Sequence[int], role: Role,
        on_token: OnToken | None = None,
    ) -> list[Sampled]:  # fmt: skip
        rule = rules(self.format, sampling, role)
        return self.decoder.generate(
            ids, sampling=sampling, seeds=seeds, stop=rule.stop, banned=rule.banned, banned_first=rule.banned_first,
            on_token=on_token,
        )  # fmt: skip

    def _text(self, ids: Sequence[int]) -> str:
        return text_of(self.tokenizer, ids)

    def logps(self, contexts: Sequence[Sequence[Turn]], turns: Sequence[Turn]) -> list[list[float]]:
        """Log-probability (nats) of every token of each turn given its context, end token included."""
        out: list[list[float]] = []
        for i in range(0, len(turns), MAX_BATCH):
            part = slice(i, i + MAX_BATCH)
            before = [self.format.ids(c, t.role) for c, t in zip(contexts[part], turns[part], strict=True)]
            out += self._logps(before, [self.format.closed(turn) for turn in turns[part]])
        return out

    def _logps(self, before: Sequence[list[int]], bodies: Sequence[list[int]]) -> list[list[float]]:
        import torch

        rows = [a + b for a, b in zip(before, bodies, strict=True)]
        width = max(map(len, rows))
        ids = torch.tensor([r + [0] * (width - len(r)) for r in rows], device=self.model.device)
        mask = torch.tensor([[1] * len(r) + [0] * (width - len(r)) for r in rows], device=self.model.device)
        with torch.inference_mode():
            hidden = self.model.model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
            out = []
            for h, a, b in zip(hidden, before, bodies, strict=True):
                logits = self.model.lm_head(h[len(a) - 1 : len(a) + len(b) - 1]).float()  # (T, V)
                logp = logits.log_softmax(-1).gather(-1, torch.tensor(b, device=h.device)[:, None])
                out.append(logp[:, 0].tolist())
        return out


def load_weights(name: str, *, n_layers: int | None = None, dtype: str = "bfloat16") -> tuple[Any, Any]:
    """(model, tokenizer) on the CPU, cut off after `n_layers` if that is given.

    "tiny" is a random model made on the spot, for tests and the smoke profile.
    """
    model, tokenizer = _load(name, dtype)
    return (model if n_layers is None else keep_first_layers(model, n_layers)), tokenizer


def keep_first_layers(model: Any, n_layers: int) -> Any:
    """The model without its upper layers. What is left speaks nonsense until it is trained again."""
    have = model.config.num_hidden_layers
    if not 1 <= n_layers <= have:
        raise ReproError(f"a model of {have} layers cannot be cut to {n_layers}; give 1 to {have}")
    model.model.layers = model.model.layers[:n_layers]
    model.config.num_hidden_layers = n_layers
    return model


def _load(name: str, dtype: str) -> tuple[Any, Any]:
    """A folder that is not a checkpoint raises with what was missing."""
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    if name == "tiny":
        from .tiny import tiny_model

        return tiny_model(dtype=dtype)
    tokenizer = load_tokenizer(name)
    try:
        model = AutoModelForCausalLM.from_pretrained(_place(name), dtype=dtype_of(dtype))
    except (OSError, ValueError, SafetensorError) as error:
        raise _no_model(name, error) from error
    return use_grouped_attention(model), tokenizer


def load_tokenizer(name: str) -> Any:
    """The tokenizer of "smollm2", "tiny", a folder or a hub id."""
    from transformers import AutoTokenizer

    if name == "tiny":
        from .tiny import tiny_tokenizer

        return tiny_tokenizer()
    try:
        return AutoTokenizer.from_pretrained(_place(name))
    except (OSError, ValueError) as error:
        raise _no_model(name, error) from error


def _place(name: str) -> str:
    from .unpack import smollm2_folder

    return str(smollm2_folder()) if name == "smollm2" else name


def _no_model(name: str, error: Exception) -> ReproError:
    return ReproError(f"no model at {name!r}; give 'smollm2', 'tiny', a checkpoint folder or a hub id ({error})")


def dtype_of(name: str) -> Any:
    """The torch type named "bfloat16", "float32", ..."""
    import torch

    return getattr(torch, name)


def brings_tokenizer(folder: str | Path) -> bool:
    """Whether this is an adapter with tokens of its own: then it goes on one base only, which it names."""
    return all((Path(folder) / name).is_file() for name in ("adapter_config.json", "tokenizer_config.json"))


def base_of(folder: str | Path) -> str:
    """The base that an adapter was trained on, as we call it if we trained it."""
    said: dict[str, str] = {}
    for name in ("adapter_config.json", "checkpoint.json"):
        path = Path(folder) / name
        said |= json.loads(path.read_text("utf-8")) if path.is_file() else {}
    base = said.get("base") or said.get("base_model_name_or_path")
    if not base:
        raise ReproError(f"the adapter in {folder} does not say which model it belongs on; give that as the base")
    return base


def merge_adapter(model: Any, adapter: str | Path) -> Any:
    """The model with a LoRA adapter folder added to its weights (computed in float32, stored in the model's type)."""
    import torch
    from peft import PeftModel

    if not (Path(adapter) / "adapter_config.json").is_file():
        raise ReproError(f"no adapter in {adapter}; expected a folder with adapter_config.json and weights")
    dtype = model.dtype
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Found missing adapter keys")  # an adapter of another model
            merged = PeftModel.from_pretrained(model.to(torch.float32), str(adapter)).merge_and_unload()
    except Exception as error:  # safetensors, json and peft each raise their own
        raise ReproError(f"the adapter in {adapter} cannot be read; restore it or train it again ({error})") from error
    return merged.to(dtype)
