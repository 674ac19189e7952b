"""Which tasks are assistants judged on?

WildBench v2's from the hub at a commit that is named, from a file in its schema, or, offline and by default, the forty
of our own in `bench_tasks.jsonl`: all twelve tags, some with a history, each point of a checklist with a rule that
`ChecklistVerifier` can check. They are made up; what holds on them need not hold on WildBench.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ReproError
from ..scoring.judge import Case
from ..types import Turn

OURS = Path(__file__).with_name("bench_tasks.jsonl")
HUB = "wildbench@"  # followed by the commit of allenai/WildBench on the hub


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
    rows = _from_hub(str(where)) if str(where).startswith(HUB) else _from_file(Path(where))
    tasks = [_task(row, place) for place, row in rows]
    if len({task.id for task in tasks}) < len(tasks) or not tasks:
        raise ReproError(f"{where} has {len(tasks)} tasks, {len({t.id for t in tasks})} of different id; give each one")
    return tasks


def _from_file(path: Path) -> Iterable[tuple[str, Mapping[str, Any]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ReproError(f"cannot read tasks from {path} ({error}); give a JSONL file or {HUB}COMMIT") from None
    for i, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield f"{path} line {i}", json.loads(line)
            except ValueError:
                raise ReproError(f"{path} line {i} is not JSON; give one task a line") from None


def _from_hub(where: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    commit = where.removeprefix(HUB)
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise ReproError(f"'{where}' names no commit; give the 40 digits that the hub shows for allenai/WildBench")
    from datasets import load_dataset

    rows = load_dataset("allenai/WildBench", "v2", split="test", revision=commit)
    return ((f"{where} row {i}", row) for i, row in enumerate(rows))


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
