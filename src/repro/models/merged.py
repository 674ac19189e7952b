"""Where on disk is a model with its adapters merged in, for programs that only read folders?"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .hashes import cache_path, digest, tree
from .local import LocalModel
from .unpack import smollm2_folder


def merged_folder(name: str, adapters: Sequence[str | Path] = (), *, dtype: str = "bfloat16") -> str:
    """A checkpoint of `name` ("smollm2", a folder or a hub id) with `adapters` merged in, in order.

    Made once, in the user's cache, whole or not at all; without adapters it is where the model lies already.
    """
    from filelock import FileLock

    place = str(smollm2_folder()) if name == "smollm2" else name
    if not adapters and not (Path(name) / "adapter_config.json").is_file():
        return place
    parts = [place, *adapters]
    key = digest([dtype, *(tree(Path(part)) if Path(part).is_dir() else str(part) for part in parts)])[:16]
    folder = cache_path() / f"merged-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "merged.json").is_file():
            shutil.rmtree(folder, ignore_errors=True)
            staging = Path(tempfile.mkdtemp(dir=folder.parent))
            try:
                model = LocalModel.from_pretrained(name, adapters=adapters, dtype=dtype, device="cpu")
                model.model.save_pretrained(staging)
                model.tokenizer.save_pretrained(staging)
                (staging / "merged.json").write_text(json.dumps([str(part) for part in parts]) + "\n")
                staging.rename(folder)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    return str(folder)
