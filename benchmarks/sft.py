"""How many tokens a second does fine-tuning read, beside TRL's SFTTrainer as it comes?

The same rows (reference users and a scripted assistant, the loss on the users' tokens), weights in float32 under
bfloat16, and batches; counted are forward and backward passes. Ours applies the output layer to the tokens trained on
alone, and attends as `repro.models.attention` says.

    python benchmarks/sft.py --rows 32
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import trl
from side_by_side import arguments, clock, middle, ratio, recorded, spent, take_turns

from repro.data.flip import flipped
from repro.models.chat import ChatFormat
from repro.models.local import load_tokenizer, load_weights
from repro.training import sft
from repro.training.warmup import warmup_dialogues

BATCH_SIZE = 8  # as user language models in configs/cpu.yaml
Rows = list[dict[str, list[int]]]


def rows(n: int, seed: int, model: str = "smollm2") -> Rows:
    talks = [flipped(d.task, d.turns) for d in warmup_dialogues(n, seed=seed)]
    return sft.rows(talks, role="user", chat=ChatFormat(load_tokenizer(model)))


def train(data: Rows, model: str, folder: Path) -> None:
    weights, tokenizer = load_weights(model, dtype="float32")
    recipe = sft.SFTRecipe(learning_rate=2e-4, batch_size=BATCH_SIZE)
    sft.train_rows(data, model=weights, tokenizer=tokenizer, recipe=recipe, folder=folder)


def train_plainly(data: Rows, model: str, folder: Path) -> None:
    from datasets import Dataset

    weights, tokenizer = load_weights(model, dtype="float32")
    weights.set_attn_implementation("sdpa")
    args = sft._config(sft.SFTRecipe(learning_rate=2e-4, batch_size=BATCH_SIZE), folder)
    trl.SFTTrainer(
        model=weights, args=args, train_dataset=Dataset.from_list(data), processing_class=tokenizer
    ).train()  # fmt: skip


def timed(
    how: Callable[[Rows, str, Path], None], n: int, now: Callable[[], float]
) -> Callable[[int], dict[str, float]]:
    """One pass over n rows; the tokens in them, and the seconds of its steps."""

    def work(turn: int) -> dict[str, float]:
        data, seen = rows(n, turn), Counter[str]()
        with tempfile.TemporaryDirectory() as folder, spent(now, {"steps": (trl.SFTTrainer, "training_step")}, seen):
            how(data, "smollm2", Path(folder))
        return {"tokens": sum(len(row["input_ids"]) for row in data), **seen}

    return work


def main() -> int:
    asked = arguments(__doc__, rows=2 * BATCH_SIZE)
    now = clock(asked.busy)
    contestants = {name: timed(how, asked.rows, now) for name, how in {"ours": train, "trl": train_plainly}.items()}
    with recorded("sft", asked) as (run, kept):
        turns = take_turns(contestants, asked.turns, kept, busy=asked.busy)
        speed = {
            name: [a / b for a, b in zip(turns.of(name, "tokens"), turns.of(name, "steps"), strict=True)]
            for name in contestants
        }
        for name, rates in speed.items():
            run.number(f"sft.{name}.tokens_per_s", middle(rates, "tokens/s"))
        run.number("sft.vs_trl", ratio(speed["ours"], speed["trl"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
