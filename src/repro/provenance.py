"""What was this made from, by which code, on which machine?

Nothing here names a host, a person or an absolute path: records are published.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from repro.errors import ReproError

Hashed = Iterable[str | Path] | Mapping[str, str]  # paths, or names with the SHA-256 they already have

SOURCE_PATH = Path(__file__).resolve().parent


def sha256_of(path: str | Path) -> str:
    """Of a file; of a folder, that of its files' names and SHA-256s in order."""
    path = Path(path)
    if path.is_dir():
        return hashlib.sha256(repr(hash_tree(path)).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_tree(path: Path) -> dict[str, str]:
    """SHA-256 of every file below `path`, by relative name."""
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {file.relative_to(path).as_posix(): sha256_of(file) for file in files}


def hashes(things: Hashed) -> dict[str, str]:
    """SHA-256 by a name that means the same on every machine: relative to the repository, or the last two parts."""
    if isinstance(things, Mapping):
        return dict(things)
    try:
        return {public_name(Path(thing)): sha256_of(thing) for thing in things}
    except OSError as error:
        raise ReproError(f"cannot read {error.filename} for the record ({error.strerror}); make it first") from error


def public_name(path: Path) -> str:
    root, path = _git_root() or Path.cwd(), path.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else "/".join(path.parts[-2:])


def git_state() -> dict[str, Any]:
    """The commit of the code and whether it was changed since; results and papers are output, not code."""
    commit = _git("rev-parse", "HEAD")
    status = _git("status", "--porcelain", "--", ":/", ":(top,exclude)results", ":(top,exclude)paper")
    return {"commit": commit or None, "dirty": bool(status) if commit else None}


@cache
def packages() -> dict[str, str]:
    """Every installed package: what a result depends on goes deeper than what we ask for."""
    from importlib.metadata import distributions

    installed = {distribution.name: distribution.version for distribution in distributions()}
    return {"python": platform.python_version(), **dict(sorted(installed.items(), key=lambda item: item[0].lower()))}


def hardware() -> dict[str, Any]:
    """Processor, cores this process may use, memory in GB, and GPUs where torch is already in use."""
    torch = sys.modules.get("torch")
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if torch else []
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": _memory_gb(),
        "gpus": gpus,
    }


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None


@cache
def _git_root() -> Path | None:
    root = _git("rev-parse", "--show-toplevel")
    return Path(root) if root else None


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=SOURCE_PATH, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
