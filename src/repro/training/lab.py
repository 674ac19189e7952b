"""Which models does a profile need, and where do they come from?

In this order: the initial assistant (a warm-up), the logs of reference users with it, the user language model (learned
from the logs), cut models where an arm asks for them, then one assistant per simulator and seed; `names` says what
each is called. A profile that trains makes what is missing in `work/`, resumably; one that does not takes the released
adapters. Nothing but the simulator differs between arms.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..config import Config, repo_root
from ..data.tasks import make_tasks
from ..errors import ReproError
from ..models.base import Sampling
from ..models.local import LocalModel
from ..rollouts.dialogue import rollout
from ..rollouts.store import TrajectoryStore
from ..seeds import derive
from ..simulators.base import UserSimulator
from ..simulators.reference import ReferenceUsers
from ..simulators.registry import ON_A_MODEL, SIMULATORS
from ..simulators.roleplay import RolePlay
from ..simulators.userlm import UserLM
from ..types import Task, Trajectory
from . import checkpoints, identity, names, recipes
from .recipes import Made, Start


class Lab:
    """The models of one profile, made on demand and kept."""

    def __init__(self, config: Config, *, root: Path | None = None, seed: int = 0) -> None:
        self.config, self.seed = config, seed
        self.root = root or repo_root()
        self.work = self.root / "work" / config.profile / "models"
        if unknown := [arm for arm in config.arms if not _is_known(arm)]:
            have = ", ".join(sorted(SIMULATORS))
            raise ReproError(f"profile {config.profile} has an arm against '{unknown[0]}'; simulators are {have}")

    # where things are

    def path(self, name: str) -> Path:
        """The folder of a finished adapter, made if this profile trains; otherwise the released one."""
        if not self.config.released:
            return self.work / name
        released = self.root / "checkpoints"
        identity.check_parents(released / name, {parent: released / parent for parent in names.parents_of(name)})
        return released / name

    # the models

    def model(self, name: str) -> LocalModel:
        """The model called `name`, made if it is missing and this profile trains."""
        self._ensure(name)
        return self._load(names.adapters_of(name), names.depth_of(name), self.config.dtype)

    def initial(self) -> LocalModel:
        """The assistant before RL: the floor of every comparison."""
        return self.model("initial")

    def simulator(self, name: str) -> UserSimulator:
        """The simulator an arm is trained against; `roleplay_depth10` is one that speaks with ten layers."""
        if not _is_known(name):
            raise ReproError(f"no simulator '{name}'; have {', '.join(sorted(SIMULATORS))}")
        if trained := names.model_of(name):
            user: Any = ON_A_MODEL[names.kind_of(name)](self.model(trained))
            return self._brief(replace(user, name=name))
        return self._brief(SIMULATORS[name](self.config.model, self.config.dtype))

    def _brief(self, user: UserSimulator) -> UserSimulator:
        """The user with turns as long as the profile allows, where a language model speaks."""
        if isinstance(user, UserLM | RolePlay):
            return replace(user, sampling=replace(user.sampling, max_tokens=self.config.user_max_tokens))
        return user

    def assistant(self, arm: str, seed: int | None = None) -> LocalModel:
        """The assistant trained against `arm` with `seed`; "initial" is trained against nobody."""
        return self.model(self.adapter(arm, seed).name)

    def adapter(self, arm: str, seed: int | None = None) -> Path:
        """The folder of that assistant's adapter, made if it is missing and this profile trains."""
        name = arm if arm == "initial" else names.assistant_name(arm, seed or 0)
        self._ensure(name)
        return self.path(name)

    def tasks_to_learn(self, n: int) -> list[Task]:
        """What assistants learn on: the same for every arm, and none of the warm-up's or the logs'."""
        return make_tasks(n, split="train", seed=derive(self.seed, "learn"))

    def logs(self) -> list[Trajectory]:
        """Train users and the initial assistant as it speaks in training: what a user language model learns from."""
        tasks = make_tasks(self.config.user_lm.n_dialogues, split="train", seed=self.seed + 1)
        return self._dialogues("logs", ReferenceUsers(), tasks)

    def role_plays(self) -> tuple[list[Trajectory], RolePlay]:
        """The whole model as role-player, from which a cut one learns to speak again; no reference user is in it."""
        tasks = make_tasks(self.config.healing.n_dialogues, split="train", seed=derive(self.seed, "healing"))
        user = RolePlay(LocalModel.from_pretrained(self.config.model, dtype=self.config.dtype))
        return self._dialogues("role_plays", self._brief(user), tasks), user

    def _dialogues(self, what: str, user: UserSimulator, tasks: Sequence[Task]) -> list[Trajectory]:
        """Held with the initial assistant, and kept under a key of settings, seed and its weights, not of code."""
        initial = self.initial()
        weights = checkpoints.load_record(self.path("initial"))["sha256"]
        key = f"{derive(self.seed, weights, *identity.talk(self.config).values()):016x}"
        return rollout(
            tasks, user=user, assistant=initial, max_turns=self.config.max_turns,
            sampling=replace(self.eval_sampling, temperature=self.config.temperature_train), seed=self.seed,
            store=TrajectoryStore(self.work / f"{what}-{key}.jsonl"), progress=f"{what.replace('_', ' ')} for training",
        )  # fmt: skip

    @property
    def eval_sampling(self) -> Sampling:
        c = self.config
        return Sampling(temperature=c.temperature_eval, min_p=c.min_p, max_tokens=c.assistant_max_tokens)

    def train(self, user: UserSimulator, seed: int, folder: Path, *, steps: int | None = None) -> Any:
        """GRPO against one simulator; the recipe is the profile's and the same for every arm."""
        tasks = self.tasks_to_learn(max(steps or 0, self.config.train.steps) * self.config.train.n_groups)
        return recipes.assistant(
            self.config, user, initial=self.initial(), tasks=tasks, seed=seed, folder=folder, steps=steps
        )

    def train_own(self, user: UserSimulator, folder: Path, *, steps: int, seed: int = 0) -> LocalModel:
        """The assistant trained against a simulator that has no name here; `folder` keeps it, and its checkpoints."""
        kept = folder / "adapter"
        if not checkpoints.is_finished(kept):
            model, record = self.train(user, seed, folder / "training", steps=steps)
            extra = list((folder / "training").glob("curves.parquet"))
            name, profile, base = names.assistant_name(user.name, seed), self.config.profile, self.config.model
            checkpoints.save(model, kept, extra=extra, name=name, profile=profile, base=base, on=["initial"], **record)
        adapters = [self.path("initial"), kept]
        return LocalModel.from_pretrained(self.config.model, adapters=adapters, dtype=self.config.dtype)

    def make(self, name: str) -> str:
        """Train `name` unless it is finished or another process holds it; says which."""
        was_there = checkpoints.is_finished(self.work / name)
        try:
            self._ensure(name, wait=False)
        except _Held:
            return "another process trains it"
        return "finished before" if was_there else "trained"

    def _ensure(self, name: str, *, wait: bool = True) -> None:
        """Make `name` and what it needs if they are missing and this profile trains; one process at a time makes it."""
        if self.config.released:
            self.path(name)
            return
        for parent in names.parents_of(name):
            self._ensure(parent)
        from filelock import FileLock, Timeout

        self.work.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.work / f".{name}.lock", timeout=-1 if wait else 0):
                self._make(name)
        except Timeout:
            raise _Held from None

    def _make(self, name: str) -> None:
        """Train `name` and file it, unless it is there; the caller holds its lock."""
        folder, training = self.work / name, self.work / f"{name}.training"
        parents = {parent: self.work / parent for parent in names.parents_of(name)}
        made_from = identity.made_from(name, self.config, seed=self.seed, parents=parents)
        if checkpoints.is_finished(folder):
            identity.check(folder, made_from, checkpoints.load_record(folder).get("made_from", {}))
            return
        identity.check_begun(training, made_from)
        started = time.time()
        model, record = self._maker(name)(training)
        record = {"seconds": round(time.time() - started), **record, "made_from": made_from}
        checkpoints.save(
            model, folder, extra=list(training.glob("curves.parquet")), name=name, profile=self.config.profile,
            base=self.config.model, n_layers=names.depth_of(name), on=names.adapters_of(name)[:-1], **record,
        )  # fmt: skip
        shutil.rmtree(training)

    def _maker(self, name: str) -> Callable[[Path], Made]:
        if names.is_assistant(name):
            arm, seed = names.arm_and_seed(name)
            return lambda folder: self.train(self.simulator(arm), seed, folder)
        how: dict[str, Any] = {"config": self.config, "seed": self.seed}
        if name == "initial":
            return lambda folder: recipes.initial(self._below(name), folder=folder, **how)
        if names.kind_of(name) == "userlm":
            return lambda folder: recipes.userlm(self._below(name), self.logs(), folder=folder, **how)
        return lambda folder: recipes.healed(self._below(name), *self.role_plays(), folder=folder, **how)

    def _below(self, name: str) -> Start:
        """What `name` is a fine-tune of, in float32."""
        model = self._load(names.adapters_of(name)[:-1], names.depth_of(name), "float32")
        return model.model, model.tokenizer

    def _load(self, adapters: Sequence[str], n_layers: int | None, dtype: str) -> LocalModel:
        folders = [self.path(adapter) for adapter in adapters]
        return LocalModel.from_pretrained(self.config.model, adapters=folders, n_layers=n_layers, dtype=dtype)


def _is_known(simulator: str) -> bool:
    """Any of ours; with a depth to its name, one that speaks with a model."""
    kind = names.kind_of(simulator)
    return kind in (SIMULATORS if kind == simulator else ON_A_MODEL)


class _Held(Exception):
    """Another process is making it."""
