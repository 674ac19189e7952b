"""Who answers in a study?

Any `ChatModel`: adapters on a base model of this machine, an endpoint, or a model in vLLM. An adapter's folder is
looked for beside the study's file, then in the checkout.
"""

from __future__ import annotations

import warnings
from pathlib import Path

from repro.config import repo_root
from repro.errors import ReproError

from ..models.base import ChatModel, Sampling
from ..models.load import load_model
from ..models.served import SCHEME
from ..models.vllm import SCHEME as VLLM
from ..types import Turn
from .design import AssistantSpec, Design


def load_assistants(design: Design, *, beside: Path | None = None) -> dict[str, ChatModel]:
    """Every assistant of the study by name, each warmed up by a word."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # what libraries tell each other would bury the links
        return {name: _load(spec, beside) for name, spec in design.assistants.items()}


def _load(spec: AssistantSpec, beside: Path | None) -> ChatModel:
    if spec.model.startswith((f"{SCHEME}:", f"{VLLM}:")):
        if spec.adapters:
            raise ReproError(f"{spec.model} is served and takes no adapters; serve them there")
        return load_model(spec.model, dtype=spec.dtype)
    from transformers.utils.logging import disable_progress_bar

    from ..models.local import LocalModel

    disable_progress_bar()
    model = LocalModel.from_pretrained(
        spec.model, adapters=[_folder(path, beside) for path in spec.adapters], dtype=spec.dtype
    )
    hello = [Turn("system", "You help."), Turn("user", "hi")]
    model.generate([hello], sampling=Sampling(temperature=0, max_tokens=2), seeds=[0])  # the first turn is the slowest
    return model


def _folder(path: str, beside: Path | None) -> Path:
    for place in (beside, repo_root()):
        if place and (place / path).is_dir():
            return place / path
    raise ReproError(f"no adapter folder {path}, neither beside the study file nor in the checkout")
