"""How is a user language model of this size trained, and what will it cost?

A recipe is `configs/recipes/<name>.yaml`, each line ending with its source. The plan counts tokens, memory and
GPU-hours before anything starts: 6 operations per weight and token (8 where activations are computed twice), and 16
bytes per trained weight (weight, gradient and AdamW's two moments, 4 bytes each).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from ..assumptions import DEVICE_GIB, PEAK, USED
from ..config import repo_root
from ..errors import ReproError
from .sft import SFTRecipe


@dataclass(frozen=True)
class UserLMRecipe:
    """How one user language model is trained. `n_conversations` and `n_parameters` are for the plan."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012  read by pydantic

    base: str  # "smollm2", a folder or a hub id
    n_parameters: float
    n_conversations: int  # to train on, where no corpus is at hand to count them
    language: str
    max_length: int  # tokens
    num_train_epochs: float
    learning_rate: float
    min_learning_rate: float  # where the cosine ends
    warmup_ratio: float
    batch_size: int  # rows a step, over all devices
    per_device_train_batch_size: int
    lora_r: int  # 0: all weights are trained
    gradient_checkpointing: bool
    save_steps: int
    seed: int
    device: Literal["cpu", "gpu"]
    n_devices: int
    launch: str  # a file for `accelerate launch` beside the recipe; "" where one process does it all

    @property
    def sft(self) -> SFTRecipe:
        """What `train_rows` is told."""
        shared = {f.name for f in fields(SFTRecipe)} & {f.name for f in fields(self)}
        return SFTRecipe(**{name: getattr(self, name) for name in shared}, save_total_limit=3)


@dataclass(frozen=True)
class Plan:
    """What training by a recipe takes. Tokens are exact where a corpus was counted, else at most."""

    name: str
    recipe: UserLMRecipe
    n_tokens: int  # of one epoch
    exact: bool

    @property
    def operations(self) -> float:
        each = 8 if self.recipe.gradient_checkpointing else 6
        return each * self.recipe.n_parameters * self.n_tokens * self.recipe.num_train_epochs

    @property
    def gpu_hours(self) -> float:
        return self.operations / (PEAK * USED) / 3600

    @property
    def gib(self) -> float:
        """Of weights, gradients and moments over all devices; activations come on top."""
        each = 16 if not self.recipe.lora_r else 4.5  # a few per cent of the weights are trained
        return each * self.recipe.n_parameters / 2**30

    def __str__(self) -> str:
        r = self.recipe
        where, what = f"{r.n_devices} x {r.device}", f"LoRA of rank {r.lora_r}" if r.lora_r else "all weights"
        share = self.gib / r.n_devices
        room = f" of {DEVICE_GIB}" if r.device == "gpu" else ""
        cost = f"{self.gpu_hours:,.1f} H100-hours at {USED:.0%} of peak" if r.device == "gpu" else (
            f"{self.operations:.1e} operations"
        )  # fmt: skip
        return (
            f"{self.name:<18} {r.base}, {r.n_parameters / 1e9:.3g}B parameters, {what}; "
            f"{'' if self.exact else 'at most '}{self.n_tokens:,} tokens x {r.num_train_epochs:g} epochs; "
            f"{self.gib:,.0f} GiB, {share:,.1f}{room} on each of {where}, and activations; {cost}"
        )


def recipe_names(root: Path | None = None) -> list[str]:
    return sorted(path.stem for path in _folder(root).glob("*.yaml"))


def load_recipe(name: str, *, root: Path | None = None) -> UserLMRecipe:
    """The recipe `name` of configs/recipes, or the YAML file at that path."""
    import yaml
    from pydantic import TypeAdapter, ValidationError

    path = Path(name) if name.endswith((".yaml", ".yml")) else _folder(root) / f"{name}.yaml"
    if not path.is_file():
        raise ReproError(f"no recipe '{name}'; have {', '.join(recipe_names(root))}, or give the path of a YAML file")
    try:
        values: Any = yaml.safe_load(path.read_text("utf-8"))
        recipe: UserLMRecipe = TypeAdapter(UserLMRecipe).validate_json(json.dumps(values), strict=True)
    except yaml.YAMLError as error:
        raise ReproError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise ReproError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}; see configs/recipes") from None
    return recipe


def plan(name: str, recipe: UserLMRecipe, *, n_tokens: int | None = None) -> Plan:
    """What `recipe` takes on a corpus of `n_tokens`; without one, on its own number of conversations of full length."""
    return Plan(name, recipe, n_tokens or recipe.n_conversations * recipe.max_length, exact=n_tokens is not None)


def launch_command(recipe: UserLMRecipe, name: str, rest: str) -> str:
    """The command for a recipe of several devices."""
    file = (_folder(None) / recipe.launch).relative_to(repo_root())
    return f"accelerate launch --config_file {file} -m repro train-user {rest} --recipe {name}"


def _folder(root: Path | None) -> Path:
    return (root or repo_root()) / "configs" / "recipes"
