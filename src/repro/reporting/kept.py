"""What does a person type to take dialogues along, as one file that others can read?

repro dialogues work/cpu/talks/*.jsonl --out dialogues.parquet
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from repro.errors import ReproError
from repro.rollouts.parquet import write_dialogues
from repro.rollouts.store import Key, TrajectoryStore
from repro.types import Trajectory


def add_verb(verbs: Any) -> None:
    """`repro dialogues`, for the command line."""
    verb = verbs.add_parser("dialogues", help="dialogues that were held, as one parquet file of messages")
    verb.add_argument("files", nargs="+", metavar="FILE", help="JSONL that notebooks keep in work/<profile>/talks")
    verb.add_argument("--out", required=True, metavar="FILE", help="the parquet file; repro gap and train-user read it")
    verb.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    if lost := [file for file in arguments.files if not Path(file).is_file()]:
        raise ReproError(f"no file {lost[0]}; give files of work/<profile>/talks")
    if not str(arguments.out).endswith(".parquet"):
        raise ReproError(f"--out is {arguments.out}; give a name that ends in .parquet")
    print(f"{arguments.out}: {write_dialogues(arguments.out, _all(arguments.files)):,} dialogues")


def _all(files: Sequence[str]) -> Iterator[tuple[Key, Trajectory]]:
    for file in files:
        yield from TrajectoryStore(file).stream()
