"""Where does an interrupted training run go on?"""

from __future__ import annotations

import json
import re
from pathlib import Path


def last_checkpoint(folder: Path) -> tuple[Path | None, int]:
    """The newest whole checkpoint in `folder` and its step; (None, 0) if there is none.

    Trainer writes `trainer_state.json` last, so a folder without a readable one was torn by a crash.
    """
    for path in sorted(_checkpoints(folder), key=_step, reverse=True):
        try:
            json.loads((path / "trainer_state.json").read_text())
            return path, _step(path)
        except (OSError, ValueError):
            continue
    return None, 0


def _checkpoints(folder: Path) -> list[Path]:
    return [path for path in folder.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", path.name)]


def _step(path: Path) -> int:
    return int(path.name.rpartition("-")[2])
