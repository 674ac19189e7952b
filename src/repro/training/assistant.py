"""How does an assistant learn from talking to a user?

Multi-turn GRPO over whole conversations with TRL: `rollout_func` calls the one conversation loop, every
conversation of a group shares its task and first user turn, one reward a conversation, and the loss falls on the
assistant's own tokens alone (`env_mask`). The paper does not publish its RL settings; these are ours.

All that is experimental in TRL is in this file and in `trainer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ReproError
from ..models.base import ChatModel, Sampling
from ..models.chat import ChatFormat
from ..models.local import LocalModel
from ..rollouts.dialogue import rollout, system_prompt
from ..scoring.base import Scorer
from ..seeds import derive
from ..simulators.base import UserSimulator
from ..types import Task, Trajectory
from . import processes
from .curves import Curves, behaviour
from .engines import Engine, PolicyInVLLM, check_engine, longest_read, sampled_logps, trl_settings
from .lora import Shadow, new_adapter, restore_adapter
from .resume import last_checkpoint
from .trainer import conversation_trainer


@dataclass(frozen=True)
class GRPORecipe:
    """What is trained and how; names as in TRL's GRPOConfig where it has them."""

    max_steps: int
    n_groups: int
    num_generations: int
    learning_rate: float
    lora_r: int
    lora_layers: int  # adapters on the top layers only
    max_turns: int
    max_tokens: int  # per assistant turn
    temperature: float = 1.0
    micro_batch: int = 16
    save_steps: int = 5
    engine: Engine = "transformers"
    vllm_gpu_memory_utilization: float = 0.3  # TRL's default
    vllm_max_model_length: int | None = None  # tokens of a dialogue, at most; None: all that the model can read
    gradient_checkpointing: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_rows % self.micro_batch:
            raise ReproError(f"{self.n_rows} dialogues a step do not divide into micro-batches of {self.micro_batch}")
        n = processes.n_processes()
        if self.n_groups % n or self.n_rows % (self.micro_batch * n):
            each = f"{self.n_groups} groups of {self.num_generations} in micro-batches of {self.micro_batch}"
            raise ReproError(f"{each} do not divide among {n} processes; each holds whole groups")

    @property
    def n_rows(self) -> int:
        """Dialogues a step."""
        return self.n_groups * self.num_generations

    @property
    def sampling(self) -> Sampling:
        """How the assistant speaks while it learns."""
        return Sampling(temperature=self.temperature, max_tokens=self.max_tokens)


def train_assistant(
    tasks: Sequence[Task], *, user: UserSimulator, initial: LocalModel, reward: Scorer, recipe: GRPORecipe,
    folder: str | Path,
) -> Any:  # fmt: skip
    """Train a LoRA adapter on `initial` against `user`; returns the PeftModel.

    Checkpoints and `curves.parquet` go to `folder`; a run that finds them there goes on where it stopped.
    """
    folder = Path(folder)
    if len(tasks) < recipe.n_groups:
        raise ReproError(f"a step takes {recipe.n_groups} groups, one task each; got {len(tasks)} tasks, make more")
    check_engine(recipe.engine)
    policy = new_adapter(initial.model, r=recipe.lora_r, n_layers=recipe.lora_layers, seed=recipe.seed)
    shadow = Shadow(policy, initial) if recipe.engine == "transformers" else None
    curves = Curves(folder / "curves.parquet")
    talk = _Conversations({t.id: t for t in tasks}, user, initial.format, shadow, reward, recipe, curves)
    trainer = conversation_trainer()(
        model=policy, args=_config(recipe, folder, initial), rollout_func=talk,
        processing_class=initial.tokenizer, reward_funcs=[_given_reward], train_dataset=_dataset(tasks, recipe),
    )  # fmt: skip
    trainer.remove_callback(_printer())
    last, step = last_checkpoint(folder)
    curves.cut(step)
    if last and step >= recipe.max_steps:
        restore_adapter(policy, last)
    else:
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    return policy


@dataclass
class _Conversations:
    """TRL's `rollout_func`: prompts are task ids, each repeated once per generation.

    Each of several processes is given tasks of its own, in whole groups; the curves are of all, written by the first.
    """

    tasks: Mapping[str, Task]
    user: UserSimulator
    format: ChatFormat
    shadow: Shadow | None  # of an assistant that speaks in this process; otherwise TRL's vLLM does
    reward: Scorer
    recipe: GRPORecipe
    curves: Curves

    def __call__(self, prompts: list[str], trainer: Any) -> dict[str, Any]:
        step, n = trainer.state.global_step, self.recipe.num_generations
        tasks = [self.tasks[prompt] for prompt in prompts[::n]]
        trajectories = rollout(
            tasks, user=self.user, assistant=self._speaker(trainer), max_turns=self.recipe.max_turns, n_samples=n,
            sampling=self.recipe.sampling, seed=derive(self.recipe.seed, "step", step),
        )  # fmt: skip
        scores = self.reward(trajectories)
        held = processes.of_all(list(zip(trajectories, scores, strict=True)))
        if processes.is_first():
            self.curves.append(step + 1, behaviour([t for t, _ in held], [s for _, s in held]))
        rows = [self._row(trajectory) for trajectory in trajectories]
        keys = ("prompt_ids", "completion_ids", "env_mask", "logprobs")
        columns: dict[str, Any] = {key: [row[i] for row in rows] for i, key in enumerate(keys)}
        return columns | {"given": [None if s.unscored else s.value for s in scores]}

    def _speaker(self, trainer: Any) -> ChatModel:
        if self.shadow:
            return self.shadow.synced()
        return PolicyInVLLM(trainer.vllm_generation, self.format)  # TRL has brought its weights up to date

    def _row(self, trajectory: Trajectory) -> tuple[list[int], list[int], list[int], list[float]]:
        """Prompt ids (up to the assistant's first token), then of each token of the rest: id, mask, log-probability.

        The mask is 1 on what the assistant sampled, and log-probabilities are 0 elsewhere.
        """
        chat = self.format
        ids, mask = chat.labelled([system_prompt(), *trajectory.task.history, *trajectory.turns], "assistant")
        if not ids:  # the dialogue failed before the assistant spoke: nothing to learn from, masked out whole
            ids, mask = [*chat.ids([system_prompt()], "user"), chat.end_of_turn], [0]
            return ids[:-1], ids[-1:], mask, [0.0]
        start = mask.index(1)
        return ids[:start], ids[start:], mask[start:], sampled_logps(mask[start:], trajectory.assistant_turns)


def _given_reward(prompts: list[Any], given: list[float | None], **_: Any) -> list[float | None]:
    """The reward was computed with the conversation; None (unscored) gives no advantage."""
    return given


def _config(recipe: GRPORecipe, folder: Path, initial: LocalModel) -> Any:
    import torch
    from trl import GRPOConfig

    longest = longest_read(recipe.vllm_max_model_length, initial.model)
    return GRPOConfig(
        output_dir=str(folder), max_steps=recipe.max_steps, learning_rate=recipe.learning_rate,
        per_device_train_batch_size=recipe.micro_batch,
        gradient_accumulation_steps=recipe.n_rows // (recipe.micro_batch * processes.n_processes()),  # one step a batch
        num_generations=recipe.num_generations, temperature=recipe.temperature, max_completion_length=10_000,
        loss_type="dapo", scale_rewards="group", beta=0.0, epsilon=0.2,  # TRL's defaults, said aloud
        lr_scheduler_type="constant", weight_decay=0.0, max_grad_norm=1.0, bf16=initial.dtype == "bfloat16",
        use_cpu=not torch.cuda.is_available(), gradient_checkpointing=recipe.gradient_checkpointing,
        seed=recipe.seed, data_seed=recipe.seed,
        save_strategy="steps", save_steps=recipe.save_steps, save_total_limit=2, logging_steps=1, report_to="none",
        dataloader_pin_memory=False, shuffle_dataset=False, disable_tqdm=False,
        **trl_settings(recipe.engine, initial.format, recipe.sampling, recipe.vllm_gpu_memory_utilization, longest),
    )  # fmt: skip


def _dataset(tasks: Sequence[Task], recipe: GRPORecipe) -> Any:
    """Task ids in the order in which they are used: the same for every arm with the same seed."""
    from datasets import Dataset

    ordered = sorted(tasks, key=lambda task: derive(recipe.seed, "order", task.id))
    return Dataset.from_dict({"prompt": [task.id for task in ordered]})


def _printer() -> Any:
    from transformers import PrinterCallback

    return PrinterCallback
