"""What is a finished adapter, and how is it released?

A folder with a LoRA adapter and `checkpoint.json`, which says how it was made, from what and by which commit. The
json is written last: where it stands, the adapter is whole. `checkpoints/` in the repository holds the released ones.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import ReproError
from ..provenance import git_state, packages, sha256_of

WEIGHTS = "adapter_model.safetensors"
_PACKAGES = ("python", "torch", "transformers", "trl", "peft")


def is_finished(folder: Path) -> bool:
    return (folder / "checkpoint.json").is_file()


def save(model: Any, folder: Path, *, extra: Sequence[Path] = (), **record: Any) -> Path:
    """Write a PeftModel's adapter, `extra` files and the record to `folder`, whole; an old one is replaced."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    model.save_pretrained(staging)
    (staging / "README.md").unlink(missing_ok=True)  # PEFT's form, unfilled: checkpoint.json says it
    _plain_base(staging / "adapter_config.json")
    for path in extra:
        shutil.copy2(path, staging / path.name)
    versions = packages()
    record |= {
        "commit": git_state(), "packages": {k: versions[k] for k in _PACKAGES if k in versions},
        "sha256": sha256_of(staging / WEIGHTS), "megabytes": round((staging / WEIGHTS).stat().st_size / 1e6, 1),
    }  # fmt: skip
    (staging / "checkpoint.json").write_text(json.dumps(record, indent=2) + "\n")
    _replace(staging, folder)
    return folder


def load_record(folder: Path) -> dict[str, Any]:
    """The record of a finished adapter, after its weights were found to be those that were saved."""
    if not is_finished(folder):
        raise ReproError(f"no finished adapter in {folder}; train it with: repro train")
    record: dict[str, Any] = json.loads((folder / "checkpoint.json").read_text())
    if not (folder / WEIGHTS).is_file() or sha256_of(folder / WEIGHTS) != record["sha256"]:
        raise ReproError(f"the weights in {folder} are not those that were saved; restore the folder or train it again")
    return record


def release(source: Path, target: Path) -> Path:
    """Copy a finished adapter to where released ones live, replacing the last release."""
    load_record(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    for name in ("adapter_config.json", WEIGHTS, "curves.parquet", "checkpoint.json"):
        if (source / name).is_file():
            shutil.copy2(source / name, staging / name)
    _replace(staging, target)
    return target


def _replace(staging: Path, folder: Path) -> None:
    staging.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(staging, folder)


def _plain_base(config: Path) -> None:
    """PEFT records the folder the base was loaded from: a path of this machine. The record names the base."""
    values = json.loads(config.read_text())
    values["base_model_name_or_path"] = "HuggingFaceTB/SmolLM2-135M-Instruct"
    config.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")
