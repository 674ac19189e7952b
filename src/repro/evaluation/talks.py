"""What did each simulated user say to each assistant?

Several notebooks ask this of the same users and assistants, so each dialogue is held once and kept, in
`work/<profile>/talks/`, in a file whose name has a key of all that changes its words. More tasks add to what is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from ..config import Config
from ..data.tasks import make_tasks
from ..models.base import ChatModel
from ..models.hashes import digest, tree
from ..rollouts.dialogue import rollout
from ..rollouts.store import TrajectoryStore
from ..seeds import derive
from ..simulators.base import UserSimulator
from ..training import checkpoints, names
from ..training.lab import Lab
from ..types import Task, Trajectory
from .simulated_study import Trained

_CODE = ("data", "models", "rollouts", "simulators")  # what can change a word of a dialogue
_PACKAGE = Path(__file__).parents[1]
INITIAL: Trained = ("initial", None)
MAIN_ARMS = ("roleplay_raw", "roleplay", "userlm", "exhaustive", "oracle")  # others have their own notebooks
K = TypeVar("K")


def assistants_of(config: Config, arms: Sequence[str] = MAIN_ARMS) -> list[Trained]:
    """The initial one, and one for each training seed of these arms."""
    return [INITIAL, *((arm, seed) for arm in arms for seed in range(config.arms.get(arm, 0)))]


def talk_tasks(n: int, *, seed: int) -> list[Task]:
    """The held-out tasks that all simulators talk about; the first ones do not depend on n."""
    return make_tasks(n, split="eval", seed=derive(seed, "talks"))


def study_tasks(n: int, *, seed: int) -> list[Task]:
    """The held-out tasks of the participants of a study, one each; the first ones do not depend on n."""
    return make_tasks(n, split="eval", seed=derive(seed, "study"))


def talks(
    lab: Lab, users: Mapping[str, UserSimulator], *, seed: int, n: int = 0, tasks: Sequence[Task] | None = None,
    made_of: Mapping[str, str] | None = None,
) -> dict[str, list[Trajectory]]:  # fmt: skip
    """Dialogues of each user with the initial assistant, about the first `n` of `talk_tasks` or about `tasks`.

    `made_of` tells apart what a name does not: users of somebody else's, or tasks that carry something of their own.
    """
    tasks, made_of = tasks or talk_tasks(n, seed=seed), made_of or {}
    wanted = {name: _Wanted(user, name, made_of.get(name, ""), INITIAL) for name, user in users.items()}
    return _held(lab, wanted, tasks=tasks, seed=seed)


def hold(
    lab: Lab, trained: Sequence[Trained], *, tasks: Sequence[Task], user: UserSimulator, seed: int, name: str = "",
    made_of: str = "", own: Mapping[Trained, tuple[ChatModel, str]] | None = None,
) -> dict[Trained, list[Trajectory]]:  # fmt: skip
    """The dialogues of one user with every assistant; each batch is on disk before the next begins.

    An assistant is loaded only if one of its dialogues is missing. `name` is the user's, if it goes by another one;
    `own` holds assistants that the lab does not know: the model, and the hash of its weights.
    """
    own = own or {}
    wanted = {who: _Wanted(user, name or user.name, made_of, who, *own.get(who, (None, ""))) for who in trained}
    return _held(lab, wanted, tasks=tasks, seed=seed)


@dataclass(frozen=True)
class _Wanted:
    """Whose dialogues with whom; `model` and `weights` only of an assistant that the lab does not know."""

    user: UserSimulator
    name: str
    made_of: str
    who: Trained
    model: ChatModel | None = None
    weights: str = ""


def _held(lab: Lab, wanted: Mapping[K, _Wanted], *, tasks: Sequence[Task], seed: int) -> dict[K, list[Trajectory]]:
    folder = lab.root / "work" / lab.config.profile / "talks"
    paths = {}
    for key, one in wanted.items():
        made = [one.made_of, one.weights or _weights(lab, one.who), seed]
        paths[key] = folder / f"{_file(one.name, one.who)}-{_key(lab, one.name, made)[:12]}.jsonl"
    held = {}
    for key in _one_at_a_time(paths):
        store, one = TrajectoryStore(paths[key]), wanted[key]
        done = store.read()
        missing = any((task.id, 0) not in done for task in tasks)
        held[key] = rollout(
            tasks, user=one.user, assistant=(one.model or lab.assistant(*one.who)) if missing else _Silent(),
            max_turns=lab.config.max_turns, sampling=lab.eval_sampling, seed=seed, store=store,
            progress=f"{one.name} and {_called(one.who)}" if missing else None,
        )  # fmt: skip
    return {key: held[key] for key in wanted}


def _one_at_a_time(paths: Mapping[K, Path]) -> Iterator[K]:
    """Each key with its file to itself. Notebooks that run side by side do not hold the same dialogues: what another
    one is at comes last, and is found held."""
    left = dict(paths)
    while left:
        n_before = len(left)
        for key, path in [*left.items()]:
            path.parent.mkdir(parents=True, exist_ok=True)
            patience = -1 if len(left) == n_before and key == [*left][-1] else 0  # all are taken: wait for the last
            try:
                with FileLock(path.with_suffix(".lock"), timeout=patience):
                    del left[key]
                    yield key
            except Timeout:
                continue


class _Silent:
    """Stands in for an assistant all of whose dialogues are already held."""

    name = "held"

    def generate(self, contexts: Any, **_: Any) -> Any:
        raise AssertionError("every dialogue was held")

    def logps(self, contexts: Any, turns: Any) -> Any:
        raise AssertionError("every dialogue was held")


def _weights(lab: Lab, who: Trained) -> list[str]:
    """The hashes of the adapters that make an assistant, which is trained first if the profile trains."""
    adapters = names.adapters_of(lab.adapter(*who).name)
    return [checkpoints.load_record(lab.path(adapter))["sha256"] for adapter in adapters]


def _key(lab: Lab, name: str, more: object) -> str:
    trained = names.adapters_of(names.model_of(name)) if names.model_of(name) else ()
    speaks = [checkpoints.load_record(lab.path(adapter))["sha256"] for adapter in trained]
    how = {**asdict(lab.eval_sampling), "max_turns": lab.config.max_turns, "user": lab.config.user_max_tokens}
    base, code = [lab.config.model, lab.config.dtype], [tree(_PACKAGE / part) for part in _CODE]
    return digest({"how": how, "base": base, "speaks": speaks, "code": code, "more": more})


def _called(who: Trained) -> str:
    arm, seed = who
    return arm if seed is None else f"{arm}-s{seed}"


def _file(name: str, who: Trained) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", f"{name}-and-{_called(who)}")
