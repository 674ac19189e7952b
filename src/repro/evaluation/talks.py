"""What did each simulator say to the initial assistant?

Several notebooks ask this of the same simulators, so dialogues are held once, about the same held-out tasks, and kept
in `work/<profile>/talks/` under a key of all that changes them. More tasks add to what is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ..data.tasks import make_tasks
from ..models.hashes import digest, tree
from ..rollouts.dialogue import rollout
from ..rollouts.store import TrajectoryStore
from ..seeds import derive
from ..simulators.base import UserSimulator
from ..training import checkpoints, names
from ..training.lab import Lab
from ..types import Task, Trajectory

_CODE = ("data", "models", "rollouts", "simulators")  # what can change a word of a dialogue
_PACKAGE = Path(__file__).parents[1]


def talk_tasks(n: int, *, seed: int) -> list[Task]:
    """The held-out tasks that all simulators talk about; the first ones do not depend on n."""
    return make_tasks(n, split="eval", seed=derive(seed, "talks"))


def talks(
    lab: Lab, users: Mapping[str, UserSimulator], *, seed: int, n: int = 0, tasks: Sequence[Task] | None = None,
    made_of: Mapping[str, str] | None = None,
) -> dict[str, list[Trajectory]]:  # fmt: skip
    """Dialogues of each user with the initial assistant, about the first `n` of `talk_tasks` or about `tasks`.

    `made_of` tells apart what a name does not: users of somebody else's, or tasks that carry something of their own.
    """
    tasks, initial = tasks or talk_tasks(n, seed=seed), lab.initial()
    spoken = {}
    for name, user in users.items():
        key = _key(lab, name, seed, (made_of or {}).get(name, ""))
        file = f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', name)}-{key[:12]}.jsonl"
        store = TrajectoryStore(lab.root / "work" / lab.config.profile / "talks" / file)
        spoken[name] = rollout(
            tasks, user=user, assistant=initial, max_turns=lab.config.max_turns, sampling=lab.eval_sampling, seed=seed,
            store=store, progress=name,
        )  # fmt: skip
    return spoken


def _key(lab: Lab, name: str, seed: int, made_of: str) -> str:
    trained = [] if made_of or not names.model_of(name) else names.adapters_of(names.model_of(name))
    weights = {one: checkpoints.load_record(lab.path(one))["sha256"] for one in ("initial", *trained)}
    code = [tree(_PACKAGE / part) for part in _CODE]
    how = {**asdict(lab.eval_sampling), "max_turns": lab.config.max_turns, "user": lab.config.user_max_tokens}
    base = [lab.config.model, lab.config.dtype]
    return digest({"how": how, "base": base, "weights": weights, "code": code, "made_of": made_of, "seed": seed})
