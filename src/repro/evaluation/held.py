"""What did the study's participants and the assistants say to each other?

Several notebooks ask reference users about the same assistants, so each assistant's dialogues are held once and kept in
`work/<profile>/study/` under a key of all that changes them. More participants add to what is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from ..data.tasks import make_tasks
from ..models.hashes import digest, tree
from ..scoring.base import Scorer
from ..seeds import derive
from ..simulators.reference import ReferenceUsers
from ..training import checkpoints
from ..training.lab import Lab
from ..types import Task, Trajectory
from .preference import Utility, Vote, votes_from
from .simulated_study import Trained, hold

_CODE = ("data", "models", "rollouts", "simulators")  # what can change a word of a dialogue
_PACKAGE = Path(__file__).parents[1]


def study_tasks(n: int, *, seed: int) -> list[Task]:
    """One task for each participant; the first ones do not depend on n."""
    return make_tasks(n, split="eval", seed=derive(seed, "study"))


def held_study(
    lab: Lab, trained: Sequence[Trained], tasks: Sequence[Task], *, seed: int
) -> dict[Trained, list[Trajectory]]:
    """Every participant's dialogue with every assistant, of `study_tasks`; those that are kept are not held again."""
    held: dict[Trained, list[Trajectory]] = {}
    for one in trained:
        folder = lab.root / "work" / lab.config.profile / "study" / _key(lab, one, seed)[:12]
        held |= hold(
            tasks, [one], open_assistant=lab.assistant, user=ReferenceUsers(), max_turns=lab.config.max_turns,
            sampling=lab.eval_sampling, seed=seed, folder=folder,
        )  # fmt: skip
    return held


def scorer_votes(scorer: Scorer, held: Mapping[Trained, Sequence[Trajectory]], *, margin: float = 0.0) -> list[Vote]:
    """The votes that a scorer casts, as a judge would, on the comparisons that participants can make."""
    worth = [
        Utility(scorer.name, trajectory.task.id, arm, training_seed, score.value)
        for (arm, training_seed), trajectories in held.items()
        for trajectory, score in zip(trajectories, scorer(trajectories), strict=True)
    ]
    return votes_from(worth, margin=margin)


def _key(lab: Lab, one: Trained, seed: int) -> str:
    adapters = dict.fromkeys(["initial", lab.adapter(*one).name])
    weights = {name: checkpoints.load_record(lab.path(name))["sha256"] for name in adapters}
    code = [tree(_PACKAGE / part) for part in _CODE]
    how = {**asdict(lab.eval_sampling), "max_turns": lab.config.max_turns}
    base = [lab.config.model, lab.config.dtype]
    return digest({"how": how, "base": base, "weights": weights, "code": code, "seed": seed})


def answer_words(held: Mapping[Trained, Sequence[Trajectory]]) -> dict[tuple[str, str], int]:
    """How much each assistant wrote on each task, in words: by (task, arm)."""
    return {
        (trajectory.task.id, arm): sum(turn.n_words for turn in trajectory.assistant_turns)
        for (arm, _), trajectories in held.items()
        for trajectory in trajectories
    }
