"""How long do a hundred thousand conversations take from file to training rows, and how much memory?

Writes synthetic rows in WildChat's schema to parquet, then sends them through the very path that a corpus from the hub
takes: load and filter, deduplicate, split by user, look for near-duplicates across the split, flip. A bar shows how far
each pass is. Memory is what the process had of its own at most; files mapped into it are read as they are needed, and
the kernel takes their pages back when it wants them.

    python benchmarks/corpus.py --rows 100000
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from memory import watched_memory
from side_by_side import clock, middle, parsed, recorded

from repro.data import deduplicate, flip, load_corpus, split_by_user
from repro.data.intents import stated
from repro.data.splits import leaks
from repro.models import user_tokenizer
from repro.seeds import rng

T = TypeVar("T")
LANGUAGES = ("English", "English", "English", "French", "Chinese")
COUNTRIES = tuple(f"country {i}" for i in range(60))
WORDS = tuple(f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "r", "s", "t", "l", "nd", "rk"))
PART = 2000  # rows made at a time
FLYER = "as a prompt generator for a generative program you will write prompts of"


def synthetic(n: int) -> Iterator[dict[str, object]]:
    """Rows of one to four exchanges: user turns of 10 to 60 words, answers of 50 to 300; one in 200 opens alike."""
    draw = rng(0, "answers")
    answers = [" ".join(WORDS[k] for k in draw.integers(0, len(WORDS), size)) for size in draw.integers(50, 300, 500)]
    for i in range(n):
        draw = rng(0, "row", i)
        said = []
        for k in range(int(draw.integers(1, 5))):
            opening = f"{FLYER} " if k == 0 and i % 200 == 0 else ""
            words = draw.integers(0, len(WORDS), int(draw.integers(10, 60)))
            said += [("user", opening + " ".join(WORDS[w] for w in words))]
            said += [("assistant", answers[int(draw.integers(0, len(answers)))])]
        user = int(draw.integers(0, max(1, n // 4)))
        yield {
            "conversation_hash": f"{i:032x}", "conversation": [{"role": r, "content": t} for r, t in said],
            "language": LANGUAGES[i % len(LANGUAGES)], "toxic": i % 50 == 0, "hashed_ip": f"{user:016x}f00d",
            "country": COUNTRIES[user % len(COUNTRIES)], "turn": len(said) // 2,
        }  # fmt: skip


class Stages:
    """Times each stage by name, and says so at once."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.rates: dict[str, float] = {}
        self.peak = 0.0

    def timed(self, name: str, n: int, do: Callable[[], T]) -> T:
        start = self.now()
        with watched_memory() as most:
            out = do()
        self.rates[name] = n / (self.now() - start)
        self.peak = max(self.peak, most[0])
        print(f"{name:<12} {self.rates[name]:8,.0f} rows/s, at most {most[0]:.2f} GiB of its own", flush=True)
        return out


def sent_through(n: int, *, num_proc: int = 1, tokenizer: str = "smollm2", busy: bool = False) -> Stages:
    """n rows from a file to training rows; `all` of its rates is that of everything but writing the file."""
    import datasets

    stages = Stages(clock(busy))
    with tempfile.TemporaryDirectory() as folder:
        datasets.config.HF_DATASETS_CACHE = Path(folder) / "cache"
        path = Path(folder) / "rows.parquet"
        made = datasets.Dataset.from_generator(synthetic, gen_kwargs={"n": n}, writer_batch_size=PART)
        stages.timed("write", n, lambda: made.to_parquet(str(path)))

        def everything() -> None:
            corpus = stages.timed("load", n, lambda: load_corpus(path, num_proc=num_proc))
            kept = stages.timed("deduplicate", len(corpus), lambda: deduplicate(corpus))
            parts = stages.timed("split", len(kept), lambda: split_by_user(kept))
            near = stages.timed("compare", len(kept), lambda: leaks(parts["train"], parts["test"]))
            train = stages.timed("intents", len(parts["train"]), lambda: stated(parts["train"]))
            chat = user_tokenizer(tokenizer)
            rows = stages.timed("flip", len(train), lambda: flip(train, tokenizer=chat, num_proc=num_proc))
            print(*train.steps, f"{n:,} rows -> {len(rows):,} training rows, {len(near):,} near pairs", sep="\n")

        stages.timed("all", n, everything)
    return stages


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--num-proc", type=int, default=1)
    parser.add_argument("--tokenizer", default="smollm2")
    asked = parsed(parser)
    with recorded("data_path", asked) as (run, _):
        stages = sent_through(asked.rows, num_proc=asked.num_proc, tokenizer=asked.tokenizer, busy=asked.busy)
        for name, rate in stages.rates.items():
            run.number(f"data_path.{name}.rows_per_s", middle([rate], "rows/s"))
        run.number("data_path.own_memory", middle([stages.peak], "GiB"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
