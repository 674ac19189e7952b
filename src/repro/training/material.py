"""Which dialogues do models learn from?

Logs of reference users for user language models, and role-plays of the whole model for those whose layers are cut. They
are held with the initial assistant, once, and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from filelock import FileLock

from ..data.tasks import make_tasks
from ..models.local import LocalModel
from ..rollouts.dialogue import rollout
from ..rollouts.store import TrajectoryStore
from ..seeds import derive
from ..simulators.base import UserSimulator
from ..simulators.reference import ReferenceUsers
from ..simulators.roleplay import RolePlay
from ..types import Task, Trajectory
from . import checkpoints, identity

if TYPE_CHECKING:
    from .lab import Lab


def logs(lab: Lab) -> list[Trajectory]:
    """Train users and the initial assistant as it speaks in training: what a user language model learns from."""
    tasks = make_tasks(lab.config.user_lm.n_dialogues, split="train", seed=lab.seed + 1)
    return _dialogues(lab, "logs", ReferenceUsers(), tasks)


def role_plays(lab: Lab) -> tuple[list[Trajectory], RolePlay]:
    """The whole model as role-player, from which a cut one learns to speak again; no reference user is in it."""
    tasks = make_tasks(lab.config.healing.n_dialogues, split="train", seed=derive(lab.seed, "healing"))
    user = RolePlay(LocalModel.from_pretrained(lab.config.model, dtype=lab.config.dtype))
    return _dialogues(lab, "role_plays", lab.brief(user), tasks), user


def _dialogues(lab: Lab, what: str, user: UserSimulator, tasks: Sequence[Task]) -> list[Trajectory]:
    """Held with the initial assistant, and kept under a key of settings, seed and its weights, not of code."""
    initial = lab.initial()
    weights = checkpoints.load_record(lab.path("initial"))["sha256"]
    key = f"{derive(lab.seed, weights, *identity.talk(lab.config).values()):016x}"
    store = TrajectoryStore(lab.work / f"{what}-{key}.jsonl")
    with FileLock(store.path.with_suffix(".lock")):  # of several processes one holds them, the others find them held
        return rollout(
            tasks, user=user, assistant=initial, max_turns=lab.config.max_turns,
            sampling=replace(lab.eval_sampling, temperature=lab.config.temperature_train), seed=lab.seed, store=store,
            progress=f"{what.replace('_', ' ')} for training",
        )  # fmt: skip
