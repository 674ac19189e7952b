"""What is still to be trained, and who trains it?

The models of a profile form a queue: the warm-up, the user language model, then assistants, first seeds first.
Any number of processes work through it side by side, each taking the next model that nobody holds; all of it can be
stopped at any point and goes on from the last checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import ReproError
from ..workers import shares, start
from . import processes
from .checkpoints import is_finished, release
from .identity import check_parents, is_made_from, made_from
from .lab import Lab
from .names import in_order, parents_of

RELEASED = "cpu"  # the profile whose models are shipped


def work_through(lab: Lab, wanted: Sequence[str]) -> None:
    """Train every wanted model that is neither finished nor in another process's hands."""
    for name in asked_for(lab, wanted):
        made = lab.make(name)
        if processes.is_first():
            print(f"{name}: {made}", flush=True)


def asked_for(lab: Lab, wanted: Sequence[str]) -> list[str]:
    """The wanted models of a profile, all of them if none is named."""
    known = in_order(lab.config.arms)
    if unknown := [name for name in wanted if name not in known]:
        raise ReproError(f"no model '{unknown[0]}' in profile {lab.config.profile}; have {', '.join(known)}")
    return [*(wanted or known)]


def side_by_side(n_jobs: int, arguments: Sequence[str]) -> None:
    """The same command in `n_jobs` processes, each with its own share of the cores."""
    workers = [start(["train", *arguments], on) for on in shares(n_jobs)]
    codes = [worker.wait() for worker in workers]
    if any(codes):
        raise ReproError("a training process failed, see above; the same command goes on from the last checkpoint")


def adopt_released(lab: Lab) -> list[str]:
    """Take the released adapters that were made just as the profile says, so that only what is missing is trained."""
    taken = []
    for name in in_order(lab.config.arms):
        released, parents = lab.root / "checkpoints" / name, {p: lab.work / p for p in parents_of(name)}
        if is_finished(lab.work / name) or not is_finished(released) or not all(map(is_finished, parents.values())):
            continue
        if is_made_from(released, made_from(name, lab.config, seed=lab.seed, parents=parents)):
            release(released, lab.work / name)
            taken.append(name)
    return taken


def release_finished(lab: Lab) -> list[str]:
    """Copy the finished adapters, all that results stand on, to `checkpoints/`."""
    if lab.config.profile != RELEASED:
        raise ReproError(f"what is released is trained at profile {RELEASED}, not {lab.config.profile}")
    done = [name for name in in_order(lab.config.arms) if is_finished(lab.work / name)]
    for name in done:
        check_parents(lab.work / name, {parent: lab.work / parent for parent in parents_of(name)})
    for name in done:
        release(lab.work / name, lab.root / "checkpoints" / name)
    return done
