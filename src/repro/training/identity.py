"""Is a model that lies there the one that the settings ask for?

Every adapter says in `checkpoint.json` what it was made from: the settings that matter and its parents' weights. A
model made from something else is never taken for the one asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..config import Config, SFTConfig, TrainConfig
from ..errors import ReproError
from . import checkpoints, processes
from .names import is_assistant, kind_of

_TALK = ("max_turns", "user_max_tokens", "assistant_max_tokens", "temperature_train", "min_p")
_FOR_THE_MACHINE = (  # change how it is made, not what is made
    "save_steps", "micro_batch", "engine", "vllm_gpu_memory_utilization", "gradient_checkpointing",
)  # fmt: skip


def made_from(name: str, config: Config, *, seed: int, parents: Mapping[str, Path]) -> dict[str, Any]:
    """What decides how `name` comes out: settings, and the SHA-256 of its parents' weights."""
    section = _settings(name, config)
    said: dict[str, Any] = {"name": name, "model": config.model, "dtype": config.dtype, "seed": seed}
    said |= {key: value for key, value in asdict(section).items() if key not in _FOR_THE_MACHINE}
    if name != "initial":
        said |= talk(config)
    hashes = {parent: checkpoints.load_record(folder)["sha256"] for parent, folder in parents.items()}
    return {**said, "parents": hashes}


def _settings(name: str, config: Config) -> TrainConfig | SFTConfig:
    if is_assistant(name):
        return config.train
    if name == "initial":
        return config.warmup
    return config.user_lm if kind_of(name) == "userlm" else config.healing


def talk(config: Config) -> dict[str, Any]:
    """How dialogues are held in training."""
    return {key: getattr(config, key) for key in _TALK}


def check(folder: Path, expected: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    """Raise if what is in `folder` was made from something else."""
    if difference := _difference(record, expected):
        raise ReproError(
            f"{folder.name} was made from something else ({difference}); set it back, or remove {folder} to train anew"
        )


def is_made_from(folder: Path, expected: Mapping[str, Any]) -> bool:
    """Whether the finished adapter in `folder` was made from just that."""
    return not _difference(checkpoints.load_record(folder).get("made_from", {}), expected)


def check_begun(folder: Path, expected: Mapping[str, Any]) -> None:
    """The same for a training folder, which is marked when it is new."""
    mark = folder / "made_from.json"
    if processes.is_first() and not mark.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps(expected, indent=2) + "\n", "utf-8")
    processes.wait()
    check(folder, expected, json.loads(mark.read_text("utf-8")))


def check_parents(folder: Path, parents: Mapping[str, Path]) -> None:
    """Raise if an adapter was trained on other parents than those that lie beside it."""
    said = checkpoints.load_record(folder).get("made_from", {}).get("parents", {})
    for name, path in parents.items():
        if said.get(name) != checkpoints.load_record(path)["sha256"]:
            raise ReproError(f"{folder.name} was trained with another {name} than the one in {path}; get both anew")


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    new = json.loads(json.dumps(new))  # as it was written
    keys = [key for key in dict.fromkeys([*new, *old]) if old.get(key) != new.get(key)]
    if not keys:
        return ""
    return "other parents" if keys[0] == "parents" else f"{keys[0]} was {old.get(keys[0])}, is {new.get(keys[0])}"
