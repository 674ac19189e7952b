"""Which value is in force, and why?

One dial, the profile. Every value lives in `configs/<profile>.yaml`, each line ending with its source, and
can be overridden by name (`{"train.steps": 2}`). A key that nobody reads and a value of the wrong kind are
errors, so that what the file says is what runs.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_type_hints

from repro.errors import ReproError

PROFILES = ("smoke", "quick", "cpu", "paper")
_MAY_BE_ZERO = (  # greedy, no cut, nobody
    "temperature_train", "temperature_eval", "min_p", "warmup.p_talkative", "cluster.train_gpus", "cluster.talk_gpus",
    "cluster.judge_gpus",
)  # fmt: skip
_FORBID_UNKNOWN = {"extra": "forbid"}  # read by pydantic


@dataclass(frozen=True)
class TrainConfig:
    """How one arm learns. A step sees `n_groups` tasks, each `group_size` times."""

    __pydantic_config__ = _FORBID_UNKNOWN

    steps: int
    n_groups: int
    group_size: int
    learning_rate: float
    lora_r: int
    lora_layers: int  # adapters sit on the top layers only
    save_steps: int
    micro_batch: int  # dialogues per backward pass
    engine: Literal["transformers", "vllm", "vllm_server"]  # what the assistant speaks with while it learns
    vllm_gpu_memory_utilization: float  # the share of a GPU that engine vllm takes, weights and cache
    gradient_checkpointing: bool  # of fine-tuning too: activations are computed twice, and take less memory


@dataclass(frozen=True)
class SFTConfig:
    """How a model learns from dialogues."""

    __pydantic_config__ = _FORBID_UNKNOWN

    n_dialogues: int
    num_train_epochs: float
    learning_rate: float
    batch_size: int
    lora_r: int  # of the adapter that is shipped


@dataclass(frozen=True)
class WarmupConfig(SFTConfig):
    """The warm-up learns from scripted assistants, and some of its users are made talkative."""

    __pydantic_config__ = _FORBID_UNKNOWN

    p_talkative: float  # share of users who say nearly everything at once


@dataclass(frozen=True)
class ClusterConfig:
    """What one task takes of a machine, where `--cluster` asks for many of them."""

    __pydantic_config__ = _FORBID_UNKNOWN

    train_cpus: int
    train_gpus: int
    talk_cpus: int  # a user and an assistant, about some tasks
    talk_gpus: int
    judge_cpus: int  # also of annotations
    judge_gpus: int
    launch_sft: str  # a file of configs/recipes: how one fine-tuning uses several GPUs; "" for one process
    launch_grpo: str  # the same for an assistant


@dataclass(frozen=True)
class Config:
    """The settings of one profile."""

    __pydantic_config__ = _FORBID_UNKNOWN

    profile: str
    model: str  # "smollm2", "tiny", a folder or a hub id
    dtype: Literal["bfloat16", "float32"]
    max_turns: int  # assistant turns
    user_max_tokens: int
    assistant_max_tokens: int
    temperature_train: float
    temperature_eval: float
    min_p: float
    n_participants: int
    released: bool  # take the adapters in checkpoints/ instead of training them
    arms: dict[str, int]  # what an assistant is trained against -> training seeds
    train: TrainConfig
    warmup: WarmupConfig
    user_lm: SFTConfig
    healing: SFTConfig
    cluster: ClusterConfig

    def __post_init__(self) -> None:
        for key, value in flat(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if not math.isfinite(value) or value < 0 or (value == 0 and key not in _MAY_BE_ZERO):
                raise ReproError(f"{key} is {value} in profile {self.profile}; it has to be positive")
        n_rows, part = self.train.n_groups * self.train.group_size, self.train.micro_batch
        if n_rows % part:
            raise ReproError(f"train.micro_batch is {part}; it has to divide the {n_rows} dialogues of a step")
        if (share := self.train.vllm_gpu_memory_utilization) > 1:
            raise ReproError(f"train.vllm_gpu_memory_utilization is {share}; it is a share, at most 1")
        if self.train.group_size < 2:
            raise ReproError("train.group_size is 1; GRPO compares the dialogues of a group, so it takes 2 or more")


def repo_root(start: Path | None = None) -> Path:
    """The checkout: the nearest folder with `configs/`, from `start` (the working directory) up, else the package's."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        if (folder / "configs" / "quick.yaml").is_file():
            return folder
    raise ReproError(f"no configs/quick.yaml above {here}; run from inside the checkout of the repository")


def profile_path(name: str, root: Path | None = None) -> Path:
    path = (root or repo_root()) / "configs" / f"{name}.yaml"
    if name not in PROFILES or not path.is_file():
        raise ReproError(f"no profile '{name}'; have {', '.join(PROFILES)}")
    return path


def load_profile(name: str, overrides: Mapping[str, object] | None = None, *, root: Path | None = None) -> Config:
    """The settings of `name`. Keys of `overrides` are dotted names: `train.steps`, `arms.userlm`."""
    import yaml

    path = profile_path(name, root)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ReproError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ReproError(f"{path} has to hold settings, a name and a value a line; restore it from git")
    for key, value in (overrides or {}).items():
        _set(values, key, value)
    return _validated({"profile": name, **values}, name)


def _set(values: dict[str, Any], key: str, value: object) -> None:
    *sections, leaf = key.split(".")
    for section in sections:
        values = values.get(section, {})
        if not values or not isinstance(values, dict):
            raise ReproError(f"no setting '{key}'; have {', '.join(setting_names())}")
    values[leaf] = value


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Config)


def _validated(values: Mapping[str, object], name: str) -> Config:
    from pydantic import ValidationError

    try:
        config: Config = _adapter().validate_json(json.dumps(values, default=str), strict=True)  # "60" is no number
        return config
    except ValidationError as error:
        first = error.errors()[0]
        raise ReproError(_sentence(first, name)) from None


def _sentence(error: Mapping[str, Any], name: str) -> str:
    key = ".".join(map(str, error["loc"]))
    match error["type"]:
        case "unexpected_keyword_argument":
            return f"no setting '{key}'; have {', '.join(setting_names())}"
        case "missing":
            return f"configs/{name}.yaml does not set {key}; add it with its source"
        case "value_error":
            return str(error["ctx"]["error"])
        case _:
            return f"{key} is {error['input']!r} in profile {name}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def setting_names() -> list[str]:
    """Every setting a profile has, dotted."""
    sections: dict[str, Any] = {name: kind for name, kind in get_type_hints(Config).items() if is_dataclass(kind)}
    nested = [f"{name}.{item.name}" for name, kind in sections.items() for item in fields(kind)]
    return [item.name for item in fields(Config) if item.name not in ("profile", *sections)] + nested


def sources(name: str, *, root: Path | None = None) -> dict[str, str]:
    """Why each value is what it is: the comment at the end of its line, by dotted name."""
    found: dict[str, str] = {}
    section = ""
    for line in profile_path(name, root).read_text(encoding="utf-8").splitlines():
        if match := re.match(r"(\s*)([\w.-]+):\s*(.*?)\s*(?:#\s*(.*))?$", line):
            indent, key, value, comment = match.groups()
            section = section if indent else key
            if value:
                found[f"{section}.{key}" if indent else key] = comment or ""
    return found


def flat(config: Config) -> dict[str, object]:
    """The settings by dotted name, as they are in force."""
    rows: dict[str, object] = {}
    for key, value in vars(config).items():
        nested = vars(value) if is_dataclass(value) else value
        rows |= {f"{key}.{k}": v for k, v in nested.items()} if isinstance(nested, dict) else {key: value}
    return rows
