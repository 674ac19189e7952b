"""How long is a step of reinforcement learning, and where does the time go?

Our step (whole conversations with the fine-tuned user, then the loss on the assistant's tokens) beside that of TRL's
GRPOTrainer as it comes (one turn in answer to the same users' first messages): the same adapter, optimiser, number of
rows and tokens a turn. Compared are the tokens trained on in a second; ours also draws and reads what users say.

    python benchmarks/rl_step.py --groups 4
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import accelerate
import trl
from limit import n_distinct, rows_read
from side_by_side import arguments, clock, middle, ratio, recorded, spent, take_turns
from talking import attending, models

from repro.data.tasks import make_tasks
from repro.models.decode import Decoder
from repro.models.local import LocalModel
from repro.rollouts.dialogue import system_prompt
from repro.scoring.rules import Reward
from repro.simulators.userlm import UserLM
from repro.training import assistant as ours
from repro.training import trainer
from repro.training.lora import new_adapter
from repro.types import Task, Trajectory

PARTS = ("rollouts", "log-probabilities", "backward")
LORA = {"r": 16, "n_layers": 15}  # as in configs/cpu.yaml


def recipe(n_groups: int, **more: Any) -> ours.GRPORecipe:
    """One step as in configs/cpu.yaml; `more` says what is otherwise."""
    usual = {
        "max_steps": 1, "num_generations": 8, "learning_rate": 5e-4, "lora_r": LORA["r"],
        "lora_layers": LORA["n_layers"], "max_turns": 3, "max_tokens": 80, "micro_batch": 8,
    }  # fmt: skip
    return ours.GRPORecipe(n_groups=n_groups, **usual | more)


class Step:
    """One step from the initial assistant; what it did, and for how long."""

    def __init__(
        self, user: LocalModel, initial: LocalModel, recipe: ours.GRPORecipe, now: Callable[[], float]
    ) -> None:
        self.user, self.initial, self.recipe, self.now = UserLM(user), initial, recipe, now

    def planned(self, turn: int) -> tuple[ours.GRPORecipe, list[Task]]:
        """The recipe and its tasks; to warm up, one group is enough."""
        recipe = self.recipe if turn else replace(self.recipe, n_groups=1)
        return recipe, make_tasks(recipe.n_groups, split="train", seed=turn)

    def watched(self, step: Callable[[Path], object], **places: tuple[Any, str]) -> dict[str, float]:
        seen: Counter[str] = Counter()
        more = {"backward": (accelerate.Accelerator, "backward"), "step": (trl.GRPOTrainer, "training_step")}
        named = {name.replace("_", "-"): place for name, place in places.items()}
        with tempfile.TemporaryDirectory() as folder, spent(self.now, named | more, seen):
            step(Path(folder))
        return {**seen, "other": seen["step"] - sum(seen[part] for part in PARTS)}


class Ours(Step):
    def __call__(self, turn: int) -> dict[str, float]:
        held: list[Trajectory] = []
        recipe, tasks = self.planned(turn)
        count: Counter[str] = Counter()
        talk, read, lose = ours.rollout, Decoder._step, trainer.token_logps

        def rollout(*args: Any, **kwargs: Any) -> list[Trajectory]:
            held.extend(talk(*args, **kwargs))
            return held

        def reads(decoder: Decoder, ids: Any, positions: Any, cache: Any, real: Any) -> Any:
            count["read"] += int(real.sum())
            return read(decoder, ids, positions, cache, real)

        def logps(model: Any, ids: Any, attention: Any, chosen: Any, **kwargs: Any) -> Any:
            count["padded"] += ids.numel()
            count["passed"] += int(attention.sum())
            count["trained"] += int(chosen.sum())
            return lose(model, ids, attention, chosen, **kwargs)

        def step(folder: Path) -> None:
            ours.train_assistant(
                tasks, user=self.user, initial=self.initial, reward=Reward(), recipe=recipe, folder=folder
            )

        self.user.model.decoder.reset()
        with (
            mock.patch.object(ours, "rollout", rollout), mock.patch.object(Decoder, "_step", reads),
            mock.patch.object(trainer, "token_logps", logps),
        ):  # fmt: skip
            did = self.watched(step, rollouts=(ours, "rollout"), log_probabilities=(trainer, "token_logps"))
        rows = rows_read(self.user, self.initial, held)
        trained_on = sum(len(row) + 1 for row in rows[0])  # the loss also takes the last token of a row
        return {**did, **count, "needed": trained_on, "distinct": sum(map(n_distinct, rows))}


class Stock(Step):
    """TRL's trainer as it comes: one turn, in answer to what the same users said first."""

    def __call__(self, turn: int) -> dict[str, float]:
        recipe, tasks = self.planned(turn)
        firsts = self.user.reply(tasks, [[] for _ in tasks], seed=turn)
        n_trained = 0

        def reward(completion_ids: Sequence[list[int]], **_: Any) -> list[float]:
            nonlocal n_trained
            n_trained = sum(map(len, completion_ids))
            return [float(len(set(ids))) for ids in completion_ids]

        def step(folder: Path) -> None:
            import datasets

            args = ours._config(recipe, folder, self.initial)
            args.max_completion_length = recipe.max_tokens
            says = [[{"role": t.role, "content": t.text} for t in (system_prompt(), first)] for first in firsts]
            with attending(self.initial.model, "sdpa"):
                policy = new_adapter(self.initial.model, **LORA, seed=0)
            trl.GRPOTrainer(
                model=policy, args=args, processing_class=self.initial.tokenizer, reward_funcs=[reward],
                train_dataset=datasets.Dataset.from_dict({"prompt": says}),
            ).train()  # fmt: skip

        where = {"rollouts": (trl.GRPOTrainer, "_generate_single_turn")}
        where["log_probabilities"] = (trl.GRPOTrainer, "_get_per_token_logps_and_entropies")
        return {**self.watched(step, **where), "trained": n_trained}


def main() -> int:
    asked = arguments(__doc__, groups=4, micro_batch=8)
    now = clock(asked.busy)
    planned = recipe(asked.groups, micro_batch=asked.micro_batch)
    steps = {"ours": Ours(*models(), planned, now), "trl": Stock(*models(), planned, now)}
    with recorded("rl_step", asked) as (run, kept):
        turns = take_turns(steps, asked.turns, kept, busy=asked.busy)
        rates = {}
        for name in steps:
            seconds, trained = turns.of(name, "step"), turns.of(name, "trained")
            rates[name] = [a / b for a, b in zip(trained, seconds, strict=True)]
            run.number(f"rl_step.{name}.tokens_per_s", middle(rates[name], "tokens/s"))
            for part in (*PARTS, "other"):
                run.number(f"rl_step.{name}.{part}", ratio(turns.of(name, part), seconds, unit="of the step"))
        run.number("rl_step.vs_trl", ratio(rates["ours"], rates["trl"]))
        run.number("rl_step.share_of_rollouts", ratio(turns.of("ours", "rollouts"), turns.of("ours", "step"), unit=""))
        run.number("rl_step.read_again", ratio(turns.of("ours", "passed"), turns.of("ours", "needed")))
        run.number("rl_step.padding", ratio(turns.of("ours", "padded"), turns.of("ours", "passed")))
        run.number("rl_step.rollouts_read_again", ratio(turns.of("ours", "read"), turns.of("ours", "distinct")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
