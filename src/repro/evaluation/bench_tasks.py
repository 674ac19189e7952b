"""Which tasks are assistants judged on?

WildBench v2's from the hub at a commit that is named, from a file in its schema, or, offline and by default, the forty
of our own in `bench_tasks.jsonl`: all twelve tags, some with a history, each point of a checklist with a rule that
`ChecklistVerifier` can check. They are made up; what holds on them need not hold on WildBench.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..data.lines import given_rows
from ..errors import ReproError, one_line
from ..models.hashes import sha256
from ..scoring.judge import Case
from ..types import Turn

OURS = Path(__file__).with_name("bench_tasks.jsonl")
HUB = "allenai/WildBench"  # or "wildbench"; both are followed by @COMMIT


@dataclass(frozen=True)
class BenchTask:
    """One task: a case for judges, its tags (the primary one first), and a rule ("" for none) beside each point."""

    case: Case
    tags: tuple[str, ...]
    rules: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.case.id


def read_tasks(where: str | Path = OURS) -> list[BenchTask]:
    """`where` is a JSONL file in the schema of WildBench v2, or `wildbench@COMMIT` for the hub."""
    rows = given_rows(Path(where), "tasks") if (commit := _commit(where)) is None else _from_hub(commit)
    tasks = [_task(row, place) for place, row in rows]
    if len({task.id for task in tasks}) < len(tasks) or not tasks:
        raise ReproError(f"{where} has {len(tasks)} tasks, {len({t.id for t in tasks})} of different id; give each one")
    return tasks


def source_of(where: str | Path) -> dict[str, str]:
    """What tasks were read from, for the record: a commit on the hub, or a file with its hash."""
    if commit := _commit(where):
        return {"hub": HUB, "revision": commit}
    return {"file": Path(where).name, "sha256": sha256(Path(where))}


def _commit(where: str | Path) -> str | None:
    """The commit that is named for the hub; None for a file. A branch or a tag can move, and is refused."""
    name, _, commit = str(where).partition("@")
    if name not in ("wildbench", HUB):
        return None
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise ReproError(f"'{where}' names no commit; give wildbench@ and the 40 digits that the hub shows for {HUB}")
    return commit


def _from_hub(commit: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    from datasets import load_dataset

    try:
        rows = load_dataset(HUB, "v2", split="test", revision=commit)
    except Exception as error:  # fsspec, pyarrow, the hub and datasets each raise their own
        raise ReproError(
            f"{HUB}@{commit} cannot be read ({one_line(error)}); give a file, or a commit you can reach"
        ) from error
    return ((f"{HUB}@{commit} row {i}", row) for i, row in enumerate(rows))


def _task(row: Mapping[str, Any], place: str) -> BenchTask:
    """A row as a task: the last turn, which has to be the user's, is the query."""
    try:
        said = [Turn(turn["role"], str(turn["content"])) for turn in row["conversation_input"]]
        identity = str(row.get("session_id") or row["id"])
        checklist, rules = tuple(map(str, row["checklist"])), tuple(map(str, row.get("rules") or ()))
        tags = (str(row["primary_tag"]), *map(str, row["secondary_tags"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ReproError(f"{place} is not in the schema of WildBench v2 ({type(error).__name__}: {error})") from None
    if not said or said[-1].role != "user" or (rules and len(rules) != len(checklist)):
        raise ReproError(f"{place} has to end with the user's turn, and to have a rule for each point or none")
    return BenchTask(Case(identity, said[-1].text, tuple(said[:-1]), checklist), tags, rules)
