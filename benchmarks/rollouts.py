"""How fast do language models talk to each other, against other ways to let them?

Against transformers' own `generate`, called once a turn for the batch, or for one conversation at a time as loops do
that hold conversations in turn; against a server (named by REPRO_BENCH_SERVER; not measured without, nor with --busy);
and against what the processor can do (limit.py). Conversations differ, so that tokens a second are compared.

    python benchmarks/rollouts.py --conversations 64
"""

from __future__ import annotations

import sys

import torch
from limit import multiplied, needed
from side_by_side import arguments, middle, ratio, recorded, take_turns
from talking import MAX_TURNS, Talks, models, plain, served

from repro.data.tasks import make_tasks


def main() -> int:
    asked = arguments(__doc__, conversations=64, alone=1)
    tasks = make_tasks(asked.conversations, split="eval", seed=0)
    user, assistant = models()
    theirs = plain(user), plain(assistant)
    ours = Talks(user, assistant, tasks, len(tasks))
    talks = {
        "ours": lambda turn: {**ours(turn), "GFLOP": needed(ours)},
        "generate": Talks(*theirs, tasks, len(tasks)), "one_by_one": Talks(*theirs, tasks[: asked.alone], 1),
        **({} if asked.busy else served(tasks)),
    }  # fmt: skip
    matrices = {"bf16": multiplied(torch.bfloat16), "fp32": multiplied(torch.float32)}
    with recorded("rollouts", asked, max_turns=MAX_TURNS) as (run, kept):
        turns = take_turns({**talks, **matrices}, asked.turns, kept, busy=asked.busy)
        tokens = {name: turns.rate(name, "tokens") for name in talks}
        for name, rates in tokens.items():
            run.number(f"rollouts.{name}.tokens_per_s", middle(rates, "tokens/s"))
            held = turns.rate(name, "conversations")
            run.number(f"rollouts.{name}.conversations_per_s", middle(held, "conversations/s"))
            if name != "ours":
                run.number(f"rollouts.vs_{name}", ratio(tokens["ours"], rates))
        for name in matrices:
            run.number(f"limit.{name}", middle(turns.rate(name, "GFLOP"), "GFLOP/s"))
        limits = turns.rate("bf16", "GFLOP")
        run.number("rollouts.share_of_limit", ratio(turns.rate("ours", "GFLOP"), limits, unit=""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
