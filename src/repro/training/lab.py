"""Which models does a profile need, and where do they come from?

In this order: the initial assistant (a warm-up), the logs of reference users with it, the user language model (learned
from the logs), cut models where an arm asks for them, then one assistant per simulator and seed; `names` says what
each is called. A profile that trains makes what is missing in `work/`, resumably; one that does not takes the released
adapters. Nothing but the simulator differs between arms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..config import Config, repo_root
from ..data.tasks import make_tasks
from ..errors import ReproError
from ..models.base import Sampling
from ..models.local import LocalModel
from ..seeds import derive
from ..simulators.base import UserSimulator
from ..simulators.registry import ON_A_MODEL, SIMULATORS
from ..simulators.roleplay import RolePlay
from ..simulators.userlm import UserLM
from ..types import Task
from . import checkpoints, identity, making, names, recipes
from .recipes import Start


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

    def model(self, name: str, *, device: str | None = None) -> LocalModel:
        """The model called `name`, made if it is missing and this profile trains; on the GPU, if there is one."""
        making.ensure(self, name)
        return self._load(names.adapters_of(name), names.depth_of(name), self.config.dtype, device)

    def initial(self) -> LocalModel:
        """The assistant before RL: the floor of every comparison."""
        return self.model("initial")

    def simulator(self, name: str) -> UserSimulator:
        """The simulator an arm is trained against; `roleplay_depth10` is one that speaks with ten layers."""
        if not _is_known(name):
            raise ReproError(f"no simulator '{name}'; have {', '.join(sorted(SIMULATORS))}")
        if trained := names.model_of(name):
            user: Any = ON_A_MODEL[names.kind_of(name)](self.model(trained))
            return self.brief(replace(user, name=name))
        return self.brief(SIMULATORS[name](self.config.model, self.config.dtype))

    def brief(self, user: UserSimulator) -> UserSimulator:
        """The user with turns as long as the profile allows, where a language model speaks."""
        if isinstance(user, UserLM | RolePlay):
            return replace(user, sampling=replace(user.sampling, max_tokens=self.config.user_max_tokens))
        return user

    def assistant(self, arm: str, seed: int | None = None) -> LocalModel:
        """The assistant trained against `arm` with `seed`; "initial" is trained against nobody."""
        return self.model(self.adapter(arm, seed).name)

    def make(self, name: str) -> str:
        """Train `name` unless it is finished or another process holds it; says which."""
        return making.make(self, name)

    def adapter(self, arm: str, seed: int | None = None) -> Path:
        """The folder of that assistant's adapter, made if it is missing and this profile trains."""
        name = arm if arm == "initial" else names.assistant_name(arm, seed or 0)
        making.ensure(self, name)
        return self.path(name)

    def tasks_to_learn(self, n: int) -> list[Task]:
        """What assistants learn on: the same for every arm, and none of the warm-up's or the logs'."""
        return make_tasks(n, split="train", seed=derive(self.seed, "learn"))

    @property
    def eval_sampling(self) -> Sampling:
        c = self.config
        return Sampling(temperature=c.temperature_eval, min_p=c.min_p, max_tokens=c.assistant_max_tokens)

    def train(self, user: UserSimulator, seed: int, folder: Path, *, steps: int | None = None) -> Any:
        """GRPO against one simulator; the recipe is the profile's and the same for every arm."""
        tasks = self.tasks_to_learn(max(steps or 0, self.config.train.steps) * self.config.train.n_groups)
        copied = self.config.train.engine != "transformers"  # to the trainer and to vLLM; nobody speaks with it here
        initial = self.model("initial", device="cpu" if copied else None)
        return recipes.assistant(self.config, user, initial=initial, tasks=tasks, seed=seed, folder=folder, steps=steps)

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

    def below(self, name: str) -> Start:
        """What `name` is a fine-tune of, in float32 on the CPU."""
        model = self._load(names.adapters_of(name)[:-1], names.depth_of(name), "float32", "cpu")
        return model.model, model.tokenizer

    def _load(self, adapters: Sequence[str], n_layers: int | None, dtype: str, device: str | None = None) -> LocalModel:
        folders = [self.path(adapter) for adapter in adapters]
        return LocalModel.from_pretrained(
            self.config.model, adapters=folders, n_layers=n_layers, dtype=dtype, device=device
        )


def _is_known(simulator: str) -> bool:
    """Any of ours; with a depth to its name, one that speaks with a model."""
    kind = names.kind_of(simulator)
    return kind in (SIMULATORS if kind == simulator else ON_A_MODEL)
