"""Where on disk is a model with its adapters merged in, for programs that only read folders?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from .hashes import cache_path, contents, digest
from .local import LocalModel
from .made import made_once
from .unpack import smollm2_folder


def merged_folder(name: str, adapters: Sequence[str | Path] = (), *, dtype: str = "bfloat16") -> str:
    """A checkpoint of `name` ("smollm2", a folder or a hub id) with `adapters` merged in, in order.

    Made once, in the user's cache, whole or not at all; without adapters it is where the model lies already.
    """
    place = str(smollm2_folder()) if name == "smollm2" else name
    if not adapters and not (Path(name) / "adapter_config.json").is_file():
        return place
    parts = [place, *adapters]
    key = digest([dtype, contents(parts)])[:16]
    folder = cache_path() / f"merged-{key}"

    def merge(staging: Path) -> None:
        model = LocalModel.from_pretrained(name, adapters=adapters, dtype=dtype, device="cpu")
        model.model.save_pretrained(staging)
        model.tokenizer.save_pretrained(staging)
        (staging / "merged.json").write_text(json.dumps([str(part) for part in parts]) + "\n")

    return str(made_once(folder, "merged.json", merge))
