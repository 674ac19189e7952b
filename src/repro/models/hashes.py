"""Is this file, or this folder, the same as before?

The hash of a large file is remembered for as long as path, size and time of change stay the same, so that it costs a
second once and nothing later.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

_LARGE = 2**20  # bytes; below, reading the file is as fast as looking it up


def cache_path() -> Path:
    """Where derived files live: `$XDG_CACHE_HOME/repro` or `~/.cache/repro`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "repro"


def sha256(path: Path) -> str:
    """The hash of a file; of a large one remembered by (path, size, time of change)."""
    status = path.stat()
    if status.st_size < _LARGE:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    key, state = str(path.resolve()), [status.st_size, status.st_mtime_ns]
    known = _known()
    if known.get(key, [])[:2] != state:
        with path.open("rb") as file:
            known[key] = [*state, hashlib.file_digest(file, "sha256").hexdigest()]
        _remember(known)
    return str(known[key][2])


def _known() -> dict[str, list[object]]:
    try:
        known = json.loads((cache_path() / "hashes.json").read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(known: dict[str, list[object]]) -> None:
    """Written whole; a cache that cannot be written costs time, nothing else."""
    try:
        cache_path().mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=cache_path(), delete=False) as file:
            json.dump({path: state for path, state in known.items() if Path(path).is_file()}, file)
        os.replace(file.name, cache_path() / "hashes.json")
    except OSError:
        pass


def digest(value: object) -> str:
    """The hash of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def contents(parts: Sequence[str | Path]) -> str:
    """What tells apart models that are put together from these parts: what a folder holds, else what it is called."""
    return "+".join(tree(Path(part)) if Path(part).is_dir() else str(part) for part in parts)


def tree(folder: Path, *, pattern: str = "**/*", skip: Sequence[str] = ()) -> str:
    """One hash for the names and contents of all files in a folder that git would keep."""
    files = [p for p in folder.glob(pattern) if p.is_file() and "__pycache__" not in p.parts and p.name not in skip]
    return digest(sorted((p.relative_to(folder).as_posix(), sha256(p)) for p in files if not p.name.startswith(".")))
