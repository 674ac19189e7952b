"""How does a model learn to speak as others did?

Supervised fine-tuning with TRL's SFTTrainer, the loss on one role's tokens only: the user's for a user language
model (flipped rows, arXiv 2605.09808 and 2510.06552), the assistant's for the warm-up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.flip import IGNORED, labelled
from ..errors import ReproError
from ..models.chat import ChatFormat
from ..types import Role, Turn
from . import processes
from .heads import through, token_logps
from .lengths import kept
from .lora import LINEAR
from .resume import last_checkpoint


@dataclass(frozen=True)
class SFTRecipe:
    """What is trained and how; names as in TRL's SFTConfig."""

    learning_rate: float
    batch_size: int  # rows a step, over all processes
    per_device_train_batch_size: int = 8  # at most; fewer where a process has fewer rows of a step
    num_train_epochs: float = 1.0
    max_length: int = 1024  # tokens; longer rows lose their end
    warmup_ratio: float = 0.1  # arXiv 2605.09808
    lr_scheduler_type: str = "cosine"  # arXiv 2605.09808
    linear_only: bool = False  # leave embeddings and norms as they are: what `extract_adapter` cannot carry
    save_steps: int = 50
    seed: int = 0
    min_learning_rate: float = 0.0  # where the cosine ends; above 0 only with it
    gradient_checkpointing: bool = False  # less memory, a third more time
    save_total_limit: int = 1  # checkpoints that are kept


def rows(dialogues: Sequence[Sequence[Turn]], *, role: Role, chat: ChatFormat) -> list[dict[str, list[int]]]:
    """`input_ids` and `labels` (-100 everywhere but on what `role` said); dialogues without `role` are left out."""
    found = [labelled(turns, role=role, chat=chat) for turns in dialogues]
    return [row for row in found if row["input_ids"]]


def train_sft(
    dialogues: Sequence[Sequence[Turn]], *, role: Role, base: Any, tokenizer: Any, recipe: SFTRecipe,
    folder: str | Path,
) -> Any:  # fmt: skip
    """Train `base` (float32) on what `role` said and return it.

    Checkpoints go to `folder`; a run that finds them there goes on from the last one.
    """
    data = rows(dialogues, role=role, chat=ChatFormat(tokenizer))
    if not data:
        raise ReproError(f"no {role} turn in {len(dialogues)} dialogues; there is nothing to train on")
    if recipe.linear_only:
        for name, weight in base.named_parameters():
            weight.requires_grad_(name.split(".")[-2] in LINEAR)
    return train_rows(data, model=base, tokenizer=tokenizer, recipe=recipe, folder=Path(folder)).model


def train_rows(
    data: Any, *, model: Any, tokenizer: Any, recipe: SFTRecipe, folder: Path, resume_from: Path | None = None
) -> Any:
    """Train `model` on rows of `input_ids` and `labels` (a list, or a `datasets.Dataset`); the trainer, done.

    A run that finds checkpoints in `folder` goes on from the last one, or from `resume_from`. Rows that are too long
    lose their end, those with nothing left to learn are left out, and a line says how many.
    """
    from datasets import Dataset

    rows = Dataset.from_list(data) if isinstance(data, list) else data.select_columns(["input_ids", "labels"])
    trainer = _trainer()(
        model=model, args=_config(recipe, folder), train_dataset=rows, processing_class=tokenizer
    )  # fmt: skip
    _say_cut(rows, trainer.train_dataset, recipe.max_length)
    last = resume_from or last_checkpoint(folder)[0]
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    return trainer


def _say_cut(rows: Any, left: Any, max_length: int) -> None:
    """What TRL made of `rows`, if it cut any; raises if nothing is `left`."""
    begun = [labels[:max_length] for labels in rows["labels"] if len(labels) > max_length]
    n_cut, n_lost = sum(any(label != IGNORED for label in labels) for labels in begun), len(rows) - len(left)
    if not len(left):
        raise ReproError(f"none of {len(rows):,} rows has anything to learn in its first {max_length:,} tokens")
    if (n_cut or n_lost) and processes.is_first():
        said = kept(len(left), n_cut=n_cut, n_lost=n_lost)
        print(f"fine-tuning: at most {max_length:,} tokens a row: {said}", flush=True)


def _trainer() -> Any:
    from trl import SFTTrainer

    class RoleTrainer(SFTTrainer):  # type: ignore[misc]
        """TRL's trainer with the output layer applied to the labelled tokens alone."""

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            chosen = inputs["labels"] != -100  # (B, T)
            plain, batch = self.accelerator.unwrap_model(model), (inputs["input_ids"], inputs["attention_mask"], chosen)
            n = self.accelerator.num_processes
            with self.accelerator.autocast():
                logps, _ = token_logps(plain, *batch) if n == 1 else through(model, plain, token_logps, *batch)
            # gradients are averaged over processes; `num_items_in_batch` counts the tokens of all
            loss = -logps.sum() / (len(logps) if num_items_in_batch is None else num_items_in_batch / n)
            return (loss, {}) if return_outputs else loss

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            """Rows of like length make a step whatever the number of processes that share it."""
            from transformers.trainer_pt_utils import LengthGroupedSampler

            data = self.train_dataset if train_dataset is None else train_dataset
            a_step = self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size
            return LengthGroupedSampler(a_step, dataset=data, model_input_name="input_ids")

    return RoleTrainer


def _config(recipe: SFTRecipe, folder: Path) -> Any:
    import torch
    from trl import SFTConfig

    ends_low: Mapping[str, Any] = {"min_lr": recipe.min_learning_rate} if recipe.min_learning_rate else {}
    at_once, n_times = share(recipe)
    return SFTConfig(
        output_dir=str(folder), learning_rate=recipe.learning_rate, num_train_epochs=recipe.num_train_epochs,
        per_device_train_batch_size=at_once, gradient_accumulation_steps=n_times, warmup_steps=recipe.warmup_ratio,
        lr_scheduler_type="cosine_with_min_lr" if ends_low else recipe.lr_scheduler_type,
        lr_scheduler_kwargs=ends_low, max_length=recipe.max_length, seed=recipe.seed,
        data_seed=recipe.seed, train_sampling_strategy="group_by_length",
        bf16=True,  # autocast over full-precision weights
        use_cpu=not torch.cuda.is_available(), gradient_checkpointing=recipe.gradient_checkpointing, weight_decay=0.0,
        report_to="none", save_strategy="steps", save_steps=recipe.save_steps,
        save_total_limit=recipe.save_total_limit, logging_steps=10, dataloader_pin_memory=False,
    )  # fmt: skip


def share(recipe: SFTRecipe) -> tuple[int, int]:
    """Rows that each process reads at once, and how many times a step, so that a step has `batch_size` rows of all."""
    n = processes.n_processes()
    at_once = max(1, min(recipe.per_device_train_batch_size, recipe.batch_size // n))
    if recipe.batch_size % (n * at_once):
        raise ReproError(
            f"a batch of {recipe.batch_size} rows does not divide among {n} processes that read {at_once} at once; "
            f"give a batch_size that is a multiple of {n * at_once}, or another number of processes"
        )
    return at_once, recipe.batch_size // (n * at_once)
