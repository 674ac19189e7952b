"""What is a finished adapter, and how is it released?

A folder with a LoRA adapter, a model card and `checkpoint.json`, which says how it was made, from what and by which
commit. The json is written last: where it stands, the adapter is whole. `checkpoints/` in the repository holds the
released ones.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ReproError
from ..provenance import git_state, packages, sha256_of

WEIGHTS = "adapter_model.safetensors"
HUB_IDS = {"smollm2": "HuggingFaceTB/SmolLM2-135M-Instruct"}
_PACKAGES = ("python", "torch", "transformers", "trl", "peft")


def is_finished(folder: Path) -> bool:
    return (folder / "checkpoint.json").is_file()


def save(model: Any, folder: Path, *, extra: Sequence[Path] = (), **record: Any) -> Path:
    """Write a PeftModel's adapter, `extra` files and the record to `folder`, whole; an old one is replaced."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    model.save_pretrained(staging)
    base = HUB_IDS.get(record.get("base", ""), record.get("base", ""))
    name_base(staging / "adapter_config.json", base)
    (staging / "README.md").write_text(card(base, record))  # in place of PEFT's form
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


EARLY = {
    "engine": "transformers", "vllm_gpu_memory_utilization": 0.3, "vllm_max_model_length": None,
    "gradient_checkpointing": False,
}  # fmt: skip


def recipe_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an assistant's training without its seed. `EARLY` ones do not state what had no choice."""
    return EARLY | {key: value for key, value in record["recipe"].items() if key != "seed"}


def load_record(folder: Path) -> dict[str, Any]:
    """The record of a finished adapter, after its weights were found to be those that were saved."""
    if not is_finished(folder):
        raise ReproError(f"no finished adapter in {folder}; restore it from git, or train it with: repro train")
    try:
        record: dict[str, Any] = json.loads((folder / "checkpoint.json").read_text("utf-8"))
    except ValueError:
        raise ReproError(f"{folder}/checkpoint.json is not JSON; restore the folder, or remove it") from None
    if not (folder / WEIGHTS).is_file() or sha256_of(folder / WEIGHTS) != record.get("sha256"):
        raise ReproError(f"the weights in {folder} are not those that were saved; restore the folder or train it again")
    return record


def release(source: Path, target: Path) -> Path:
    """Copy a finished adapter to where released ones live, replacing the last release."""
    load_record(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    for name in ("adapter_config.json", WEIGHTS, "curves.parquet", "README.md", "checkpoint.json"):
        if (source / name).is_file():
            shutil.copy2(source / name, staging / name)
    _replace(staging, target)
    return target


def _replace(staging: Path, folder: Path) -> None:
    staging.chmod(0o755)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(staging, folder)


def card(base: str, record: Mapping[str, Any]) -> str:
    """A model card: what it is, and how to load it, since most adapters sit on another one."""
    against = f", trained by talking to the user `{record['trained_against']}`" if "trained_against" in record else ""
    load = ", ".join(f'"checkpoints/{name}"' for name in (*record.get("on", ()), record["name"]))
    cut = f", n_layers={record['n_layers']}" if record.get("n_layers") else ""
    return f"""---
base_model: {base}
library_name: peft
license: apache-2.0
---
# {record["name"]}

A LoRA adapter{against}; how it was made is in `checkpoint.json`. The base is `{base}` as a four-bit GGUF file holds it,
read back to bfloat16. Adapters are merged in this order:

```python
from repro.models import LocalModel

adapters = [{load}]
model = LocalModel.from_pretrained("{record.get("base", "")}", adapters=adapters{cut})
```

Made to study simulated users; it writes short texts badly and knows nothing. Put it before people only in a study or
a demonstration in which they are told what it is.
"""


def name_base(config: Path, base: str) -> None:
    """PEFT records the folder the base was loaded from, a path of this machine; what it is called is of use."""
    values = json.loads(config.read_text())
    values["base_model_name_or_path"] = base
    config.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n")
