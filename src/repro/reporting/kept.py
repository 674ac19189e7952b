"""What does a person type to have dialogues held, and to take them along as one file that others can read?

repro talks --profile cpu --cluster
repro dialogues work/cpu/talks/*.jsonl --out dialogues.parquet
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.errors import ReproError

if TYPE_CHECKING:
    from repro.rollouts.store import Key
    from repro.types import Trajectory


def add_verbs(verbs: Any) -> None:
    """`repro talks` and `repro dialogues`, for the command line."""
    talks = verbs.add_parser("talks", help="hold the dialogues that notebooks 01 and 04 need, before they need them")
    talks.add_argument("--profile", default="cpu", help="which settings: smoke, quick, cpu or paper (cpu)")
    talks.add_argument("--seed", type=int, default=0, help="that of the notebooks (0)")
    talks.add_argument("--cluster", action="store_true", help="each pair a Ray task, with resources from the profile")
    talks.set_defaults(command=hold)
    verb = verbs.add_parser("dialogues", help="dialogues that were held, as one parquet file of messages")
    verb.add_argument("files", nargs="+", metavar="FILE", help="JSONL that notebooks keep in work/<profile>/talks")
    verb.add_argument("--out", required=True, metavar="FILE", help="the parquet file; repro gap and train-user read it")
    verb.set_defaults(command=run)


def hold(arguments: argparse.Namespace) -> None:
    from repro import cluster
    from repro.config import load_profile
    from repro.training.lab import Lab

    n = cluster.talk(Lab(load_profile(arguments.profile)), seed=arguments.seed, on_ray=arguments.cluster)
    print(f"{n:,} dialogues are held in work/{arguments.profile}/talks")


def run(arguments: argparse.Namespace) -> None:
    from repro.rollouts.parquet import write_dialogues

    if lost := [file for file in arguments.files if not Path(file).is_file()]:
        raise ReproError(f"no file {lost[0]}; give files of work/<profile>/talks")
    if not str(arguments.out).endswith(".parquet"):
        raise ReproError(f"--out is {arguments.out}; give a name that ends in .parquet")
    print(f"{arguments.out}: {write_dialogues(arguments.out, _all(arguments.files)):,} dialogues")


def _all(files: Sequence[str]) -> Iterator[tuple[Key, Trajectory]]:
    from repro.rollouts.store import TrajectoryStore

    for file in files:
        yield from TrajectoryStore(file).stream()
