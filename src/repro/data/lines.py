"""How are rows kept, so that a crash costs at most the last one?

One JSON object a line, appended and flushed to disk. A line torn by a crash is dropped on reading.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects in a JSONL file, without lines that a crash has torn. No file, no rows."""
    if not path.is_file():
        return
    for line in path.read_bytes().split(b"\n"):  # a line may be torn within a letter
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


def append_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add lines to a JSONL file, on a line of their own even if the last one is torn, and wait for the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torn = _is_torn(path)
    with path.open("a", encoding="utf-8", errors="surrogatepass") as file:
        file.write(("\n" if torn else "") + "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        file.flush()
        os.fsync(file.fileno())


def _is_torn(path: Path) -> bool:
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"
