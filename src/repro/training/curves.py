"""What happened at each step of training?

One row a step in a parquet file, rewritten whole after each step: reward and what the assistant does. A resumed
run drops the rows after its checkpoint and writes them again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..data.acts import draft_of, mentions, question_of
from ..types import Score, Trajectory


class Curves:
    """A parquet table with the columns `step` and `seconds` (since the step before), and what is measured."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []
        self._since = time.perf_counter()

    def cut(self, step: int) -> None:
        """Read what is on disk and keep the rows up to `step`."""
        if self.path.is_file():
            import pyarrow.parquet as pq

            self.rows = [row for row in pq.read_table(self.path).to_pylist() if row["step"] <= step]

    def append(self, step: int, row: dict[str, float]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        now = time.perf_counter()
        self.rows.append({"step": step, "seconds": now - self._since, **row})
        self._since = now
        self.path.parent.mkdir(parents=True, exist_ok=True)
        staging = self.path.with_suffix(".part")
        columns = list(dict.fromkeys(key for row in self.rows for key in row))  # a step may lack some: all unscored
        pq.write_table(pa.table({key: [row.get(key) for row in self.rows] for key in columns}), staging)
        os.replace(staging, self.path)


def total_seconds(path: Path) -> int:
    """How long the steps in a file of curves took together, however often the run was stopped in between."""
    import pyarrow.parquet as pq

    seconds: list[float] = pq.read_table(path, columns=["seconds"]).column("seconds").to_pylist()
    return round(sum(seconds))


def behaviour(trajectories: Sequence[Trajectory], scores: Sequence[Score]) -> dict[str, float]:
    """Means over a batch: reward, requirements met, and what both sides did. Unscored dialogues are counted."""
    good = [(t, s) for t, s in zip(trajectories, scores, strict=True) if not s.unscored]
    rows = [measures(t) | {"reward": s.value, "met": s.details.get("requirements_met", s.value)} for t, s in good]
    means = {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]} if rows else {}
    return means | {"n": float(len(trajectories)), "n_unscored": float(len(trajectories) - len(good))}


def measures(trajectory: Trajectory) -> dict[str, float]:
    """What the assistant did and drew out in one dialogue."""
    said = "\n".join(turn.text for turn in trajectory.user_turns)
    spoken = [turn.text for turn in trajectory.assistant_turns] or [""]
    wants = trajectory.task.requirements
    return {
        "asks_first": float(bool(question_of(spoken[0])) and not draft_of(spoken[0])),
        "ends_asking": float(bool(question_of(spoken[-1])) and not draft_of(spoken[-1])),
        "revealed": sum(mentions(r, said) for r in wants) / len(wants) if wants else 0.0,
        "assistant_turns": float(len(trajectory.assistant_turns)),
        "words": sum(turn.n_words for turn in trajectory.assistant_turns) / len(spoken),
        "user_words": float(sum(turn.n_words for turn in trajectory.user_turns)),
        "truncated": sum("truncated" in turn.flags for turn in trajectory.assistant_turns) / len(spoken),
    }
