"""How are arms and seeds trained side by side on many machines?

Every model of a profile is a task of its own; those that others stand on come first. A task needs the folder of the
checkout on a disk that all machines share: models are made there, each by one machine, and go on from their last
checkpoint after a stop.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ..config import load_profile
from ..errors import ReproError
from ..training.checkpoints import is_finished
from ..training.lab import Lab
from ..training.names import is_assistant, parents_of
from ..training.queue import asked_for
from .spread import Resources, map


def train(lab: Lab, wanted: Sequence[str] = (), *, on_ray: bool = True) -> dict[str, str]:
    """Every wanted model (none: all of the profile), and what became of it; see `Lab.make`."""
    c, made = lab.config.cluster, dict[str, str]()
    one = partial(_made, profile=lab.config.profile, root=str(lab.root), seed=lab.seed)
    for wave in waves(asked_for(lab, wanted)):
        outcomes = map(one, wave, key=str, resources=Resources(c.train_cpus, c.train_gpus), on_ray=on_ray)
        made |= dict(zip(wave, outcomes, strict=True))
        print("\n".join(f"{name}: {made[name]}" for name in wave), flush=True)
    return made


def waves(names: Sequence[str]) -> list[list[str]]:
    """The models in groups: each stands on those of the groups before it."""
    left, found = [*names], list[list[str]]()
    while left:
        now = [name for name in left if not {*parents_of(name)} & {*left}]
        found.append(now)
        left = [name for name in left if name not in now]
    return found


def _made(name: str, *, profile: str, root: str, seed: int) -> str:
    """Train it here: in this process, or with what starts one for each GPU of this machine."""
    lab = Lab(load_profile(profile, root=Path(root)), root=Path(root), seed=seed)
    if not (command := launched(lab, name)):
        return lab.make(name)
    was_there = is_finished(lab.work / name)
    done = subprocess.run(command, cwd=root, check=False)
    if done.returncode:
        raise ReproError(f"training {name} failed with exit code {done.returncode}; see its output")
    if not is_finished(lab.work / name):
        return "another process trains it"
    return "finished before" if was_there else "trained"


def launched(lab: Lab, name: str) -> list[str]:
    """The command that trains one model with several processes; empty where one does it.

    Raises for a lab of another seed than 0, which the command line does not know.
    """
    c = lab.config.cluster
    if not (file := c.launch_grpo if is_assistant(name) else c.launch_sft):
        return []
    if lab.seed:
        raise ReproError(f"several processes train {name} with seed 0 only, not {lab.seed}; empty cluster.launch_*")
    start = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", f"configs/recipes/{file}"]
    return [*start, "-m", "repro", "train", name, "--profile", lab.config.profile]
