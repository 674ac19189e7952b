"""What does a driver have to know of a model that only its workers load?

Its name, and what its answers are kept under. An endpoint is no burden and is itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ReproError
from ..models.base import ChatModel, Sampling
from ..models.load import identity, load_model
from ..models.usage import Meter
from ..models.vllm import SCHEME, parsed
from ..types import Role, Turn


@dataclass(frozen=True)
class Named:
    """Stands for weights that lie elsewhere, as a `ChatModel` that answers nothing."""

    name: str
    identity: str
    meter: Meter = field(default_factory=Meter, compare=False, repr=False)

    def held_to(self, schema: Mapping[str, Any]) -> Named:
        """Itself."""
        return self

    def generate(
        self, contexts: Sequence[Sequence[Turn]], *, sampling: Sampling, seeds: Sequence[int], role: Role = "assistant",
        prefixes: Sequence[str] | None = None,
    ) -> list[Turn]:  # fmt: skip
        """A plain ValueError: whoever is asked here was asked on a worker, in vain."""
        raise ValueError("no answer of the workers' fits")

    def logps(self, contexts: Sequence[Sequence[Turn]], turns: Sequence[Turn]) -> list[list[float]]:
        """An error: only workers have the weights."""
        raise ReproError(f"{self.name} is loaded by the workers alone; load it here for log-probabilities")


def named(spec: str) -> ChatModel:
    """What `load_model(spec)` would be called, without loading weights; an endpoint as it is."""
    if "://" in spec:
        return load_model(spec)
    name = parsed(spec)[0] if spec.startswith(f"{SCHEME}:") else spec
    called = Path(name).name if (Path(name) / "adapter_config.json").is_file() else name
    return Named(called, identity(spec))
