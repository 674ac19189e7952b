"""What does a machine have to have, so that a profile for GPUs can run on it?

Counted from the profile's settings, as in the plan: the GPUs that one training takes, what each of them and the host
hold while it runs, and the disk for all that is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..config import Config
from ..errors import ReproError
from ..training import user_recipes
from ..training.user_recipes import UserLMRecipe
from .memory import memory
from .stages import stages


@dataclass(frozen=True)
class Needs:
    """GiB are of each GPU, without activations; of the host, while models are fine-tuned; and of disk, at most."""

    n_gpus: int
    gpu_gib: float
    host_gib: float
    disk_gib: float


def needs(config: Config) -> Needs:
    """Raises where no recipe says how large the profile's model is."""
    found = recipes()
    n_parameters = size_of(config.model, found.values())
    if math.isnan(n_parameters):
        raise ReproError(f"no recipe says how large {config.model} is; add one to configs/recipes")
    weights = 2 * n_parameters / 2**30  # in bfloat16
    kept = sum(stage.gib for stage in stages(config, n_parameters, on_corpus(config.model, found.values())))
    n_gpus = max(config.cluster.train_gpus, 2 if config.train.engine == "vllm_server" else 1)
    held = memory(config, n_parameters)
    if held is None:  # nothing is trained: a user and an assistant talk
        return Needs(1, 2 * weights, 0.0, kept + weights)
    return Needs(n_gpus, held.smallest_gpu, held.host, kept + weights)


def recipes() -> dict[str, UserLMRecipe]:
    return {name: user_recipes.load_recipe(name) for name in user_recipes.recipe_names()}


def size_of(model: str, known: Iterable[UserLMRecipe]) -> float:
    """How many weights a model has; NaN where no recipe says."""
    sizes: Mapping[str, float] = {recipe.base: recipe.n_parameters for recipe in known}
    return sizes.get(model, math.nan)


def on_corpus(model: str, known: Iterable[UserLMRecipe]) -> UserLMRecipe | None:
    """How a user language model is trained from this model on a corpus, on GPUs; None where no recipe says."""
    return next((recipe for recipe in known if recipe.base == model and recipe.device == "gpu"), None)
