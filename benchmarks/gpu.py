"""How fast is one GPU? Rollouts and steps of reinforcement learning, with transformers and with vLLM.

Rollouts take turns, as in rollouts.py. Steps of one run are turns of their own: the first warms up. `apart` is how far
the log-probabilities of an engine lie from the trainer's, a token: what the importance weights have to make good.

    python benchmarks/gpu.py --conversations 256     # where docs/scale.md's environment with vLLM is
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

from rl_step import recipe
from side_by_side import arguments, middle, ratio, recorded, take_turns
from talking import MAX_TURNS, Talks, in_process, models, plain

from repro.data.tasks import make_tasks
from repro.models.local import LocalModel
from repro.reporting import Run
from repro.scoring.rules import Reward
from repro.simulators.userlm import UserLM
from repro.training import assistant as ours
from repro.training.engines import Engine
from repro.types import Estimate, Task

ENGINES: tuple[Engine, ...] = ("transformers", "vllm") if find_spec("vllm") else ("transformers",)


class Steps:
    """One run of a few steps with one engine; seconds, seconds of rollouts and tokens trained on of each step."""

    def __init__(self, user: LocalModel, initial: LocalModel, engine: Engine, n_steps: int, n_groups: int) -> None:
        n = n_steps + 2  # the first and the last are not counted
        planned = recipe(n_groups, max_steps=n, save_steps=n, engine=engine, vllm_max_model_length=2048)
        self.spans: list[tuple[float, float]] = []
        self.n_tokens: list[float] = []
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(ours, "rollout", self._watched(ours.rollout)):
            ours.train_assistant(
                make_tasks(n_groups, split="train", seed=0), user=UserLM(user), initial=initial, reward=Reward(),
                recipe=planned, folder=folder,
            )  # fmt: skip
            states = json.loads(next(Path(folder).glob("checkpoint-*/trainer_state.json")).read_text("utf-8"))
        self.log: list[dict[str, Any]] = states["log_history"]

    def _watched(self, rollout: Any) -> Any:
        def around(tasks: Sequence[Task], **kwargs: Any) -> Any:
            start = time.perf_counter()
            held = rollout(tasks, **kwargs)
            self.spans.append((start, time.perf_counter()))
            self.n_tokens.append(sum(len(t.token_ids or ()) for d in held for t in d.assistant_turns))
            return held

        return around

    def numbers(self) -> dict[str, Estimate]:
        """A step lasts from one rollout to the next; the first and the last are not counted."""
        seconds = [b[0] - a[0] for a, b in pairwise(self.spans)][1:]
        spoken = [b - a for a, b in self.spans][1:-1]
        rates = [n / s for n, s in zip(self.n_tokens[1:-1], seconds, strict=True)]
        found = {"seconds": middle(seconds, "s a step"), "tokens_per_s": middle(rates, "tokens/s")}
        found["rollouts"] = ratio(spoken, seconds, unit="of the step")
        key = "sampling/sampling_logp_difference/mean"
        if apart := [float(row[key]) for row in self.log if key in row]:
            found["apart"] = middle(apart, "nats")
        return found


def rollouts(run: Run, kept: Path, n_turns: int, n_conversations: int) -> None:
    user, assistant = models()
    tasks = make_tasks(n_conversations, split="eval", seed=0)
    talks = {
        "transformers": Talks(user, assistant, tasks, len(tasks)),
        "generate": Talks(plain(user), plain(assistant), tasks, len(tasks)),
        **({"vllm": in_process(tasks)} if "vllm" in ENGINES else {}),
    }
    turns = take_turns(talks, n_turns, kept)
    rates = {name: turns.rate(name, "tokens") for name in talks}
    for name, values in rates.items():
        run.number(f"gpu.rollouts.{name}.tokens_per_s", middle(values, "tokens/s"))
        if name != "transformers":
            run.number(f"gpu.rollouts.{name}_vs_transformers", ratio(values, rates["transformers"]))


def main() -> int:
    import torch

    asked = arguments(__doc__, conversations=256, steps=5, groups=8)
    if not torch.cuda.is_available():
        sys.exit("benchmarks/gpu.py needs a GPU, and torch finds none; see docs/scale.md")
    with recorded("gpu", asked, max_turns=MAX_TURNS) as (run, kept):
        rollouts(run, kept, asked.turns, asked.conversations)
        for engine in ENGINES:
            for key, one in Steps(*models(), engine, asked.steps, asked.groups).numbers().items():
                run.number(f"gpu.rl_step.{engine}.{key}", one)
    return 0


if __name__ == "__main__":
    sys.exit(main())
