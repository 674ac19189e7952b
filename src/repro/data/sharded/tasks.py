"""Which instruction does a user reveal piece by piece?

A sharded task is an instruction split into pieces: the first says what is asked overall, each of the others adds a
fact or a rule (Laban et al. 2025, arXiv 2505.06120; arXiv 2510.06552 measures user models with them). Ours are word
problems (`maths.yaml`) and small functions (`code.yaml`), written for this package, the easy ones first. To simulators
a shard is a requirement of the task, hidden from the assistant; the answer and the tests are known to neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

from ...errors import ReproError
from ...types import Requirement, Task

Family = Literal["maths", "code"]
INTENT = "You are a user chatting with an assistant language model to get help with {about}."
KIND = "shard"


@dataclass(frozen=True)
class ShardedTask:
    """An instruction in pieces, whole, and with what decides whether an answer is right."""

    id: str
    family: Family
    about: str  # "rolls in a bakery": what the intent says, and no more
    shards: tuple[str, ...]  # what is asked first
    full: str
    answer: str = ""  # of a word problem
    solve: str = ""  # how the answer is computed from the numbers in the shards
    steps: int = 0  # of a word problem
    reference: str = ""  # a program that is right
    wrong: str = ""  # one that is not
    tests: str = ""  # statements that raise where a program is wrong
    entry: str = ""  # the function they call

    @property
    def task(self) -> Task:
        """What a simulator is told: the intent, and every shard as a requirement."""
        labels = ["the question", *(f"detail {i}" for i in range(1, len(self.shards)))]
        wants = [
            Requirement(f"shard{i}", KIND, text, label)
            for i, (text, label) in enumerate(zip(self.shards, labels, strict=True))
        ]
        return Task(self.id, f"user of {self.id}", INTENT.format(about=self.about), tuple(wants), domain=self.family)

    @property
    def solution(self) -> str:
        """What an assistant would say that is right."""
        return f"The answer is {self.answer}." if self.family == "maths" else f"```python\n{self.reference}\n```"


def sharded_tasks(family: Family) -> list[ShardedTask]:
    """All of ours of one family, in the order of their file: the easy ones first."""
    if family not in get_args(Family):
        raise ReproError(f"no sharded tasks of family {family!r}; have {', '.join(get_args(Family))}")
    return list(_load(family))


def pick(tasks: Sequence[ShardedTask], n: int) -> list[ShardedTask]:
    """`n` tasks spread evenly over the list, the first among them; all of them where there are no more."""
    if n < 1:
        raise ReproError(f"asked for {n} sharded tasks; give 1 or more")
    n = min(n, len(tasks))
    return [tasks[i * len(tasks) // n] for i in range(n)]


@cache
def _load(family: Family) -> tuple[ShardedTask, ...]:
    import yaml

    text = resources.files("repro.data.sharded").joinpath(f"{family}.yaml").read_text("utf-8")
    return tuple(_task(family, entry) for entry in yaml.safe_load(text))


def _task(family: Family, entry: Mapping[str, Any]) -> ShardedTask:
    known = {**entry, "id": f"{family}/{entry['id']}", "shards": tuple(entry["shards"])}
    known |= {key: str(entry[key]) for key in ("answer", "solve") if key in entry}
    return ShardedTask(family=family, entry=str(entry["id"]) if family == "code" else "", **known)
