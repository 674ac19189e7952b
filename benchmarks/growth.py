"""Does twice as much take twice as long, and no more memory?

Each path is sent through with growing n, in a process of its own; printed are the slopes of log time and log memory
over log n. 1 is in proportion, 0 is not at all. Rollouts and fine-tuning are those of a tiny model: what is asked is
whether the work around the model grows faster than the work of the model. Memory is what the process had of its own,
without files that were mapped into it, less what it had before.

    python benchmarks/growth.py
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from memory import own_memory, watched_memory
from side_by_side import middle, recorded

from study import voted


def rollouts(n: int) -> None:
    from repro.data.tasks import make_tasks
    from repro.models.base import Sampling
    from repro.models.local import LocalModel
    from repro.rollouts.dialogue import rollout
    from repro.simulators.userlm import UserLM

    talks = [LocalModel.from_pretrained("tiny", dtype="float32") for _ in range(2)]
    tasks, sampling = make_tasks(n, split="eval", seed=0), Sampling(max_tokens=20)
    rollout(tasks, user=UserLM(talks[0]), assistant=talks[1], max_turns=2, sampling=sampling, seed=0)


def sft(n: int) -> None:
    import sft as benchmark

    with tempfile.TemporaryDirectory() as folder:
        benchmark.train(benchmark.rows(n, 0, "tiny"), "tiny", Path(folder))


def gap(n: int) -> None:
    import gap as benchmark

    from repro.evaluation.gap import quantize

    quantize(benchmark.sides(n), k=200)


def data_path(n: int) -> None:
    from corpus import sent_through

    sent_through(n)


SIZES: dict[Callable[[int], None], list[int]] = {
    rollouts: [64, 128, 256, 512], sft: [128, 256, 512, 1024], gap: [10_000, 20_000, 40_000],
    data_path: [2_000, 4_000, 8_000, 16_000],
}  # fmt: skip
PEOPLE = [5, 10, 20]


def measured(path: Callable[[int], None], n: int) -> dict[str, float]:
    """In this process: seconds it ran, and GiB at most."""
    path(min(SIZES[path]) // 2)
    start, before = time.process_time(), own_memory()
    with watched_memory() as peak:
        path(n)
    return {"seconds": time.process_time() - start, "memory": max(peak[0] - before, 2**-10)}


def in_a_process(name: str, n: int) -> dict[str, float]:
    done = subprocess.run([sys.executable, __file__, "--path", name, "--n", str(n)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} with {n} failed: {done.stderr[-800:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def slope(sizes: list[int], values: list[float]) -> float:
    """Of log values over log sizes, by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--path", choices=[path.__name__ for path in SIZES], help="only this, in this process")
    parser.add_argument("--n", type=int)
    parser.add_argument("--share", type=float, default=1.0, help="of the sizes that are usual (1)")
    asked = parser.parse_args()
    if asked.path:
        print(json.dumps(measured(globals()[asked.path], asked.n)))
        return 0
    with recorded("growth", asked) as (run, _):
        rows = []
        for path, usual in SIZES.items():
            name, sizes = path.__name__, [int(asked.share * n) for n in usual]
            found = [in_a_process(name, n) for n in sizes]
            rows += [{"path": name, "n": n, **one} for n, one in zip(sizes, found, strict=True)]
            for key, short in {"seconds": "time", "memory": "memory"}.items():
                run.number(f"growth.{name}.{short}", middle([slope(sizes, [one[key] for one in found])]))
        people = [max(2, int(asked.share * n)) for n in PEOPLE]
        seconds = [voted(n)["clicking"] for n in people]
        rows += [{"path": "study", "n": n, "seconds": s, "memory": None} for n, s in zip(people, seconds, strict=True)]
        run.number("growth.study.time", middle([slope(people, seconds)]))
        run.table("growth", rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
