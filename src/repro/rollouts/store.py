"""Where are dialogues kept, so that none is held twice?

One JSON line per dialogue, appended and flushed to disk batch by batch. A line torn by a crash is dropped on
reading, and its dialogue held again. What the lines depend on (models, sampling, seed) belongs in the file's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..data.lines import append_rows as append_rows  # callers find them here too
from ..data.lines import read_rows as read_rows
from ..types import Requirement, Task, Trajectory, Turn

Key = tuple[str, int]  # task id, sample


class TrajectoryStore:
    """An append-only JSONL file of trajectories, without their token ids."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def read(self) -> dict[Key, Trajectory]:
        """The dialogues by (task id, sample), without those that failed: they are held again. No file, no dialogues."""
        return dict(self.stream())

    def stream(self) -> Iterator[tuple[Key, Trajectory]]:
        """The same one by one, in the order in which they were held."""
        for row in read_rows(self.path):
            trajectory = _whole(row)
            if trajectory and not trajectory.error:
                yield (row["task"]["id"], row["sample"]), trajectory

    def append(self, trajectories: Mapping[Key, Trajectory]) -> None:
        """Add dialogues and wait until they are on disk."""
        append_rows(self.path, [to_row(t) | {"sample": key[1]} for key, t in trajectories.items()])


def _whole(row: Mapping[str, Any]) -> Trajectory | None:
    try:
        return from_row(row) if "sample" in row else None
    except (KeyError, TypeError, ValueError):
        return None  # written by another version


def to_row(trajectory: Trajectory) -> dict[str, Any]:
    """A plain dictionary: what `from_row` reads back, token ids and log-probabilities left out."""
    row = asdict(trajectory)
    for turn in row["turns"]:
        del turn["token_ids"], turn["logps"]
    return row


def from_row(row: Mapping[str, Any]) -> Trajectory:
    """The trajectory that `to_row` wrote."""
    raw = dict(row["task"])
    raw["requirements"] = tuple(Requirement(**r) for r in raw["requirements"])
    raw["history"] = _turns(raw["history"])
    raw["human"] = None if raw["human"] is None else _turns(raw["human"])
    return Trajectory(
        Task(**raw), _turns(row["turns"]), row["user"], row["assistant"], row["seed"], row["stop"], row["error"]
    )


def _turns(rows: list[dict[str, Any]]) -> tuple[Turn, ...]:
    return tuple(Turn(**{**row, "flags": tuple(row["flags"]), **_tuples(row)}) for row in rows)


def _tuples(row: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {k: tuple(row[k]) for k in ("token_ids", "logps") if row.get(k) is not None}
