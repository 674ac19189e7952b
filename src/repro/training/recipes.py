"""How is each model of a profile made?

Each function trains in `folder`, where it goes on if it was stopped, and returns the adapter with what its record says.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..config import Config, SFTConfig
from ..data.flip import flipped
from ..models.local import LocalModel, dtype_of
from ..rollouts.dialogue import system_prompt
from ..scoring.rules import Reward
from ..simulators.base import UserSimulator
from ..simulators.roleplay import RolePlay
from ..types import Role, Task, Trajectory, Turn
from .assistant import GRPORecipe, train_assistant
from .curves import total_seconds
from .lengths import row_tokens
from .lora import extract_adapter
from .sft import SFTRecipe, train_sft
from .warmup import warmup_dialogues

Start = tuple[Any, Any]  # a model in float32 on the CPU, which is trained in place, and its tokenizer
Made = tuple[Any, dict[str, Any]]  # a PeftModel and its record


def initial(start: Start, *, config: Config, seed: int, folder: Path) -> Made:
    """The initial assistant: fine-tuned on scripted assistants."""
    w = config.warmup
    dialogues = warmup_dialogues(w.n_dialogues, seed=seed, p_talkative=w.p_talkative)
    rows = [[system_prompt(), *dialogue.turns] for dialogue in dialogues]
    return _fine_tuned(start, config, w, rows, "assistant", seed=seed, folder=folder, linear_only=False)


def userlm(start: Start, logs: Sequence[Trajectory], *, config: Config, seed: int, folder: Path) -> Made:
    """The user language model: fine-tuned on the users' side of the logs.

    Only the linear layers are trained, because only they ship: where embeddings were trained too, the whole model left
    after most poor drafts and the one with the shipped adapter seldom did.
    """
    rows = [flipped(log.task, log.turns) for log in logs if not log.error]
    return _fine_tuned(start, config, config.user_lm, rows, "user", seed=seed, folder=folder, linear_only=True)


def healed(
    start: Start, role_plays: Sequence[Trajectory], teacher: RolePlay, *, config: Config, seed: int, folder: Path
) -> Made:
    """A model that lost its upper layers, fine-tuned to role-play as the whole one does (self-distillation)."""
    rows = [[teacher.told(log.task, seed), *log.turns] for log in role_plays if not log.error]
    return _fine_tuned(start, config, config.healing, rows, "user", seed=seed, folder=folder, linear_only=True)


def _fine_tuned(
    start: Start, config: Config, how: SFTConfig, rows: Sequence[Sequence[Turn]], role: Role, *, seed: int,
    folder: Path, linear_only: bool,
) -> Made:  # fmt: skip
    """A fine-tune on what `role` said, of all weights or of the linear layers; its low-rank part is what ships."""
    recipe = _sft_recipe(config, how, linear_only=linear_only, seed=seed)
    base, tokenizer = start
    plain = copy.deepcopy(base)  # stays where it is, when the trainer moves `base` to its GPU
    tuned = train_sft(rows, role=role, base=base, tokenizer=tokenizer, recipe=recipe, folder=folder)
    adapter = extract_adapter(tuned, plain, r=how.lora_r)
    record = {"recipe": asdict(recipe), "extracted_rank": how.lora_r, "n_dialogues": len(rows)}
    return adapter.to(dtype_of(config.dtype)), record


def _sft_recipe(config: Config, how: SFTConfig, *, linear_only: bool, seed: int) -> SFTRecipe:
    """How `how` is done; no dialogue of the profile is cut, and where they may be long each is read alone."""
    recipe = SFTRecipe(
        how.learning_rate, how.batch_size, num_train_epochs=how.num_train_epochs, linear_only=linear_only, seed=seed,
        gradient_checkpointing=config.train.gradient_checkpointing,
    )  # fmt: skip
    longest = row_tokens(config)
    if longest <= recipe.max_length:
        return recipe
    return replace(recipe, max_length=longest, per_device_train_batch_size=1)


def assistant(
    config: Config, user: UserSimulator, *, initial: LocalModel, tasks: Sequence[Task], seed: int,
    folder: Path, steps: int | None = None,
) -> Made:  # fmt: skip
    """An assistant trained by GRPO against one simulator, on top of the initial one."""
    t = config.train
    recipe = GRPORecipe(
        max_steps=steps or t.steps, n_groups=t.n_groups, num_generations=t.group_size,
        learning_rate=t.learning_rate, lora_r=t.lora_r, lora_layers=t.lora_layers, save_steps=t.save_steps,
        max_turns=config.max_turns, max_tokens=config.assistant_max_tokens, temperature=config.temperature_train,
        micro_batch=t.micro_batch, engine=t.engine, vllm_gpu_memory_utilization=t.vllm_gpu_memory_utilization,
        vllm_max_model_length=row_tokens(config) if t.engine == "vllm" else None,
        gradient_checkpointing=t.gradient_checkpointing, seed=seed,
    )  # fmt: skip
    adapter = train_assistant(tasks, user=user, initial=initial, reward=Reward(), recipe=recipe, folder=folder)
    record = {"trained_against": user.name, "recipe": asdict(recipe), "n_tasks": len(tasks)}
    return adapter.to(dtype_of(config.dtype)), record | {"seconds": total_seconds(folder / "curves.parquet")}
