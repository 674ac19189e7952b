"""How are rows kept, so that a crash costs at most the last one, and how are rows read that somebody gives us?

One JSON object a line, appended and flushed to disk. Of our own files a line torn by a crash is dropped on reading; in
a file that is given to us, a line that cannot be read is an error.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import ReproError


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects in a JSONL file, without lines that a crash has torn. No file, no rows."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        for line in file:  # as bytes: one may be torn within a letter
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row


def given_rows(path: Path, what: str) -> list[tuple[str, dict[str, Any]]]:
    """The objects in a JSONL file of `what`, each with the place where it stands: the file and the line's number.

    Empty lines are passed over. A file that cannot be read, or a line that is no object, raises and says which.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except OSError as error:
        raise ReproError(f"cannot read {path} ({error.strerror}); give a JSONL file of {what}") from error
    except UnicodeDecodeError as error:
        raise ReproError(f"{path} is not UTF-8 (byte {error.start}); convert it first") from error
    return [_given(line, f"{path}, line {i}") for i, line in enumerate(lines, 1) if line.strip()]


def _given(line: str, place: str) -> tuple[str, dict[str, Any]]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ReproError(f"{place} is not JSON ({error}); give one object a line") from error
    if not isinstance(row, dict):
        raise ReproError(f"{place} holds no object; give one object a line")
    return place, row


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
