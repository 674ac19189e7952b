"""How are the dialogues of the notebooks held on many machines?

`repro talks`: what notebooks 01 and 04 ask for, each user with each assistant a task of its own, in the files in which
the notebooks look. As for training, all machines share the folder of the checkout; the models have to be there.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ..config import Config, load_profile
from ..errors import ReproError
from ..evaluation.simulated_study import Trained
from ..evaluation.talks import INITIAL, MAIN_ARMS, assistants_of, hold, study_tasks, talk_tasks
from ..training.checkpoints import is_finished
from ..training.lab import Lab
from ..training.names import assistant_name
from .spread import Resources, map

Part = tuple[str, Trained, str, int]  # user, assistant, "study" or "talks", tasks


def talk(lab: Lab, *, seed: int = 0, on_ray: bool = True) -> int:
    """Hold what is missing; how many dialogues are there in the end."""
    c, wanted = lab.config.cluster, parts(lab.config)
    _check(lab, {who for _, who, _, _ in wanted})
    one = partial(_held, profile=lab.config.profile, root=str(lab.root), lab_seed=lab.seed, seed=seed)
    held: list[int] = map(one, wanted, key=list, resources=Resources(c.talk_cpus, c.talk_gpus), on_ray=on_ray)
    return sum(held)


def parts(config: Config) -> list[Part]:
    """Who talks to whom, about what: everybody's study with each assistant, and each user with each assistant."""
    n, sixth = config.n_participants, max(2, config.n_participants // 6)
    trained = assistants_of(config)
    study: list[Part] = [("oracle", who, "study", n) for who in trained]
    many = max(2, n // 3)  # with the initial assistant notebook 01 asks for more than 04
    return [*study, *((user, who, "talks", many if who == INITIAL else sixth) for user in MAIN_ARMS for who in trained)]


def _check(lab: Lab, whose: set[Trained]) -> None:
    """Models are trained before: many tasks would wait for one."""
    needed = ["initial" if seed is None else assistant_name(arm, seed) for arm, seed in sorted(whose, key=str)]
    needed.append("userlm")
    if not lab.config.released and (lost := [name for name in needed if not is_finished(lab.work / name)]):
        raise ReproError(f"{lost[0]} is not trained yet; run repro train --profile {lab.config.profile} first")


def _held(part: Part, *, profile: str, root: str, lab_seed: int, seed: int) -> int:
    user, who, about, n = part
    lab = Lab(load_profile(profile, root=Path(root)), root=Path(root), seed=lab_seed)
    tasks = study_tasks(n, seed=seed) if about == "study" else talk_tasks(n, seed=seed)
    found = hold(lab, [who], tasks=tasks, user=lab.simulator(user), seed=seed, name=user)
    return sum(len(dialogues) for dialogues in found.values())
