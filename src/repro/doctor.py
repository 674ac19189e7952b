"""What can this machine run, and what is missing?

A line for each thing a run needs, then a line for each profile. Nothing heavy is imported: a GPU is asked for through
its driver, a package through its metadata.
"""

from __future__ import annotations

import math
import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from repro.budget.needs import Needs, needs
from repro.config import PROFILES, load_profile, repo_root
from repro.errors import ReproError
from repro.models.weights import WHEELS, Wheel, verified_path

PACKAGES = ("torch", "transformers", "trl", "peft", "papermill", "typst")
MEMORY_GB = {"smoke": 2.0, "quick": 4.0, "cpu": 6.0}  # paper: what its settings say
DISK_GB = {"smoke": 0.1, "quick": 1.0, "cpu": 3.0}


def report() -> int:
    """Print what there is; exit code 0 if the default profile can run."""
    for line in found():
        print(line)
    lacking = {profile: missing(profile) for profile in PROFILES}
    for profile, reasons in lacking.items():
        print(f"no   profile {profile}: {'; '.join(reasons)}" if reasons else f"yes  profile {profile}")
    able = [profile for profile, reasons in lacking.items() if not reasons]
    print(f"this machine can run {', '.join(able) or 'no profile'} ({cores()} processes side by side); {others()}")
    return 1 if lacking["quick"] else 0


def check_weights() -> int:
    """Raise unless the packaged weights are there and are the published ones."""
    for wheel in WHEELS:
        verified_path(wheel)
        print(f"{wheel.package} {wheel.version}: weights are the published ones")
    return 0


def found() -> list[str]:
    """What this machine has, a line each."""
    return [
        f"python        {platform.python_version()} ({platform.system()} {platform.machine()})",
        f"cores         {cores()}",
        f"memory        {memory_gb():.0f} GB",
        f"disk          {disk_gb():.0f} GB free",
        f"GPU           {gpu() or 'none'}",
        *(f"{name:<13} {_version(name) or 'not installed'}" for name in PACKAGES),
        *(f"weights       {wheel.package}: {wrong_weights(wheel) or 'as published'}" for wheel in WHEELS),
    ]


def missing(profile: str) -> list[str]:
    """What `profile` needs and this machine does not have."""
    absent = [name for name in PACKAGES if _version(name) is None]
    reasons = [f"not installed: {', '.join(absent)} (make setup)"] if absent else []
    if profile == "paper":
        return [*reasons, *_for_gpus(profile)]
    if memory_gb() < MEMORY_GB[profile]:
        reasons.append(f"less than {MEMORY_GB[profile]:.0f} GB of memory")
    if disk_gb() < DISK_GB[profile]:
        reasons.append(f"less than {DISK_GB[profile]:g} GB of free disk")
    if profile in ("quick", "cpu"):
        reasons += [text for wheel in WHEELS if (text := wrong_weights(wheel))]
    return reasons


def _for_gpus(profile: str) -> list[str]:
    """What a profile for GPUs needs and does not find, from its settings."""
    try:
        config = load_profile(profile)
        reasons = too_little(needs(config))
    except ReproError as error:
        return [str(error)]
    if config.train.engine == "transformers" or _version("vllm"):
        return reasons
    return [*reasons, "no vllm (docs/scale.md has the environment of its own that it takes)"]


def too_little(needed: Needs) -> list[str]:
    """A sentence for each thing of which this machine has less: what is needed, and what was found."""
    host, disk = memory_gb() * 1e9 / 2**30, disk_gb() * 1e9 / 2**30
    reasons = _too_few_gpus(needed)
    if host < needed.host_gib:
        reasons.append(f"memory: {needed.host_gib:,.0f} GiB are needed, {host:,.0f} found")
    if disk < needed.disk_gib:
        reasons.append(f"disk: {needed.disk_gib:,.0f} GiB at most are needed, {disk:,.0f} are free")
    return reasons


def _too_few_gpus(needed: Needs) -> list[str]:
    if not (found := gpus_gib()):
        each = f"{needed.gpu_gib:,.0f} GiB and room for activations"
        return [f"no NVIDIA GPU: {needed.n_gpus} are needed, each with {each}"]
    n, least = len(found), found[: needed.n_gpus][-1]
    reasons = [f"GPUs: {needed.n_gpus} are needed, {n} found"] if n < needed.n_gpus else []
    if not least >= needed.gpu_gib:  # what the driver does not say is NaN
        has = "how much there is the driver does not say" if math.isnan(least) else f"{least:,.0f} found"
        reasons.append(f"GPU memory: {needed.gpu_gib:,.0f} GiB and room for activations are needed on each, {has}")
    return reasons


def others() -> str:
    """Whether work can go to other machines from here."""
    if not _version("ray"):
        return "no other machines: --cluster takes Ray (pip install 'repro[cluster]')"
    where = os.environ.get("RAY_ADDRESS")
    return f"other machines: --cluster sends work to {where}" if where else "--cluster uses Ray here: no RAY_ADDRESS"


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def memory_gb() -> float:
    import psutil

    return float(psutil.virtual_memory().total) / 1e9


def disk_gb() -> float:
    try:
        here = repo_root()
    except ReproError:
        here = Path.cwd()
    return shutil.disk_usage(here).free / 1e9


def gpu() -> str:
    """The names of the GPUs, "" if there is none."""
    if not shutil.which("nvidia-smi"):
        return ""
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return "; ".join(done.stdout.strip().splitlines()) if done.returncode == 0 else ""


def gpus_gib() -> list[float]:
    """The memory of each GPU, largest first; NaN, last of all, where the driver does not say."""
    sizes = [re.search(r"([\d.]+) MiB$", line) for line in gpu().split("; ") if line]
    return sorted((float(size[1]) / 1024 if size else math.nan for size in sizes), key=lambda x: -x if x == x else 0.0)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def wrong_weights(wheel: Wheel) -> str:
    """What is wrong with packaged weights, "" if nothing is."""
    try:
        verified_path(wheel)
    except ReproError as error:
        return str(error)
    return ""
