"""How is a folder of the cache made once, by one process, whole or not at all?"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def made_once(folder: Path, mark: str, make: Callable[[Path], object]) -> Path:
    """`folder`, which `make` fills the first time; it is there if its file `mark` is."""
    from filelock import FileLock

    if (folder / mark).is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / mark).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            staging = Path(tempfile.mkdtemp(dir=folder.parent))
            try:
                make(staging)
                staging.rename(folder)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    return folder
