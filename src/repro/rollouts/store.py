"""Where are dialogues kept, so that none is held twice?

One JSON line per dialogue, appended and flushed to disk batch by batch. A line torn by a crash is dropped on
reading, and its dialogue held again. What the lines depend on (models, sampling, seed) belongs in the file's name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..types import Requirement, Task, Trajectory, Turn

Key = tuple[str, int]  # task id, sample


class TrajectoryStore:
    """An append-only JSONL file of trajectories, without their token ids."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def read(self) -> dict[Key, Trajectory]:
        """The dialogues by (task id, sample), without those that failed: they are held again. No file, no dialogues."""
        if not self.path.is_file():
            return {}
        out: dict[Key, Trajectory] = {}
        for line in self.path.read_bytes().split(b"\n"):  # a line may be torn within a letter
            try:
                row = json.loads(line)
                trajectory = from_row(row)
            except (ValueError, KeyError):
                continue  # a torn line
            if not trajectory.error:
                out[row["task"]["id"], row["sample"]] = trajectory
        return out

    def append(self, trajectories: Mapping[Key, Trajectory]) -> None:
        """Add dialogues and wait until they are on disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(to_row(t) | {"sample": key[1]}, ensure_ascii=False) for key, t in trajectories.items()]
        torn = self._is_torn()
        with self.path.open("a", encoding="utf-8", errors="surrogatepass") as file:
            file.write(("\n" if torn else "") + "".join(line + "\n" for line in lines))
            file.flush()
            os.fsync(file.fileno())

    def _is_torn(self) -> bool:
        if not self.path.is_file() or not self.path.stat().st_size:
            return False
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read() != b"\n"


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
