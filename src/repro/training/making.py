"""How is a missing model made: once, by one process, and resumably?"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import checkpoints, identity, material, names, processes, recipes
from .recipes import Made

if TYPE_CHECKING:
    from .lab import Lab


def make(lab: Lab, name: str) -> str:
    """Train `name` unless it is finished or another process holds it; says which."""
    was_there = checkpoints.is_finished(lab.work / name)
    try:
        ensure(lab, name, wait=False)
    except _Held:
        return "another process trains it"
    return "finished before" if was_there else "trained"


def ensure(lab: Lab, name: str, *, wait: bool = True) -> None:
    """Make `name` and what it needs if they are missing and this profile trains; one process at a time makes it."""
    if lab.config.released:
        lab.path(name)
        return
    for parent in names.parents_of(name):
        ensure(lab, parent)
    lab.work.mkdir(parents=True, exist_ok=True)
    with processes.lock(lab.work / f".{name}.lock", wait_for_it=wait) as ours:
        if not ours:
            raise _Held
        _make(lab, name)


def _make(lab: Lab, name: str) -> None:
    """Train `name` and file it, unless it is there; the caller holds its lock. Of several processes the first files."""
    folder, training = lab.work / name, lab.work / f"{name}.training"
    parents = {parent: lab.work / parent for parent in names.parents_of(name)}
    made_from = identity.made_from(name, lab.config, seed=lab.seed, parents=parents)
    if checkpoints.is_finished(folder):
        identity.check(folder, made_from, checkpoints.load_record(folder).get("made_from", {}))
        return
    identity.check_begun(training, made_from)
    started = time.time()
    model, record = _maker(lab, name)(training)
    if not processes.is_first():
        return
    record = {"seconds": round(time.time() - started), **record, "made_from": made_from}
    checkpoints.save(
        model, folder, extra=list(training.glob("curves.parquet")), name=name, profile=lab.config.profile,
        base=lab.config.model, n_layers=names.depth_of(name), on=names.adapters_of(name)[:-1], **record,
    )  # fmt: skip
    shutil.rmtree(training)


def _maker(lab: Lab, name: str) -> Callable[[Path], Made]:
    if names.is_assistant(name):
        arm, seed = names.arm_and_seed(name)
        return lambda folder: lab.train(lab.simulator(arm), seed, folder)
    how: dict[str, Any] = {"config": lab.config, "seed": lab.seed}
    if name == "initial":
        return lambda folder: recipes.initial(lab.below(name), folder=folder, **how)
    if names.kind_of(name) == "userlm":
        return lambda folder: recipes.userlm(lab.below(name), material.logs(lab), folder=folder, **how)
    return lambda folder: recipes.healed(lab.below(name), *material.role_plays(lab), folder=folder, **how)


class _Held(Exception):
    """Another process is making it."""
