"""What does a simulator's way of telling do to an assistant's measured skill?

The same tasks, told whole (`full`), in one turn of pieces (`concat`), a piece a turn (`sharded`), by prompted users and
by a user model; the assistant solves what it can (arXiv 2510.06552: GPT-4o 74.6% with a prompted user, 57.4% with
UserLM-8b). Beside language models stands `informed`, a scripted assistant that is right if and only if it has been told
every shard: what it loses, the simulator withheld, and what a model loses beyond that is the model's.

    gain = success with a - success with b,    drop = 1 - success / success when told whole,    paired by task
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.sharded import Family, ShardedTask, sharded_tasks
from ..models.base import ChatModel, Sampling
from ..models.scripted import ScriptedModel
from ..rollouts.dialogue import rollout
from ..rollouts.store import TrajectoryStore
from ..seeds import derive
from ..simulators.base import UserSimulator
from ..types import Estimate, Score, Trajectory, Turn
from .sandbox import Limits, SandboxResult, limits_for, run_sandboxed
from .solving import Solved, code_of, is_answer
from .stats import DIFFERENCE, estimate, minimum_detectable_effect, ratio
from .telling import MEASURES, measures, revealed, reveals, reveals_all

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MEASURES", "Cell", "Limits", "SandboxResult", "Solved", "code_of", "converse", "drops", "gain", "informed",
    "is_answer", "limits_for", "measures", "revealed", "reveals", "run_sandboxed", "sharded_tasks", "success_table",
    "system_turn", "told_table",
]  # fmt: skip

ASKS = "What else should I know?"


@dataclass(frozen=True)
class Cell:
    """What one simulator and one assistant said about tasks of one family, each `n` times, and what came of it."""

    family: Family
    simulator: str
    solver: str
    held: tuple[Trajectory, ...]
    scores: tuple[Score, ...]

    @property
    def by_task(self) -> dict[str, list[float]]:
        """The scores of each task's dialogues."""
        found: dict[str, list[float]] = {}
        for trajectory, score in zip(self.held, self.scores, strict=True):
            found.setdefault(trajectory.task.id, []).append(score.value)
        return found


@cache
def system_turn(family: Family) -> Turn:
    """What the assistant is told before tasks of a family: `maths_system.txt`, `code_system.txt`."""
    return Turn("system", (Path(__file__).parent / f"{family}_system.txt").read_text("utf-8").strip())


def informed(tasks: Sequence[ShardedTask]) -> ScriptedModel:
    """The assistant that answers rightly if it has been told every shard of one of `tasks`, and else asks."""

    def reply(context: Sequence[Turn]) -> str:
        said = "\n".join(turn.text for turn in context if turn.role == "user")
        known = [task for task in tasks if reveals_all(task.shards, said)]
        return max(known, key=lambda task: len(task.shards)).solution if known else ASKS

    return ScriptedModel(reply, name="informed")


def converse(
    tasks: Sequence[ShardedTask], *, user: UserSimulator, assistant: ChatModel, solved: Solved, seed: int,
    n_repeats: int = 1, max_turns: int = 6, sampling: Sampling | None = None, folder: Path | None = None,
) -> Cell:  # fmt: skip
    """Let them talk about every task `n_repeats` times, with another user's chance each time, and score the answers.

    `tasks` are of one family; `folder` keeps the dialogues.
    """
    (family,) = {task.family for task in tasks}
    held: list[Trajectory] = []
    for k in range(n_repeats):
        store = TrajectoryStore(folder / f"{family}-{user.name}-{assistant.name}-{k}.jsonl") if folder else None
        held += rollout(
            [task.task for task in tasks], user=user, assistant=assistant, max_turns=max_turns, sampling=sampling,
            seed=derive(seed, family, k), store=store, system=system_turn(family),
        )  # fmt: skip
    return Cell(family, user.name, assistant.name, tuple(held), tuple(solved(held)))


def success_table(cells: Sequence[Cell]) -> pd.DataFrame:
    """The share of dialogues solved in each cell; tasks are the clusters."""
    import pandas as pd

    rows = []
    for cell in cells:
        found = estimate([s.value for s in cell.scores], [t.task.id for t in cell.held])
        rows.append(_named(cell) | {"measure": "success", **found.row})
    return pd.DataFrame(rows)


def told_table(cells: Sequence[Cell]) -> pd.DataFrame:
    """How the user told it, in each cell: the measures of `telling`."""
    import pandas as pd

    return pd.DataFrame(
        [_named(cell) | {"measure": name, **found.row} for cell in cells for name, found in measures(cell.held).items()]
    )


def _named(cell: Cell) -> dict[str, str]:
    return {"family": cell.family, "simulator": cell.simulator, "solver": cell.solver}


def gain(more: Sequence[Cell], less: Sequence[Cell]) -> tuple[Estimate, float]:
    """Success in the cells `more` less that in `less`, paired by task over all families; and the effect one would see.

    A task counts once, as the mean over its dialogues; one that is unscored on either side is unscored.
    """
    values = [a - b for a, b in _pairs(more, less)]
    found = estimate(values, range(len(values)), within=DIFFERENCE, unit="share of tasks")
    return found, minimum_detectable_effect(values, range(len(values)))


def solved(cells: Sequence[Cell]) -> Estimate:
    """The share of tasks solved over all families, a task counted once: no `gain` of these over others is larger."""
    return estimate([*_means(cells).values()], unit="share of tasks")


def drops(cells: Sequence[Cell], *, whole: str = "full") -> dict[tuple[str, str], Estimate]:
    """By (solver, simulator): how much less is solved than when told whole. NaN where a solver solves nothing then.

    Below 0 where more is solved. A task that is unscored on either side is unscored.
    """
    found = {}
    for solver in dict.fromkeys(cell.solver for cell in cells):
        ours = [cell for cell in cells if cell.solver == solver]
        best = [cell for cell in ours if cell.simulator == whole]
        for simulator in dict.fromkeys(cell.simulator for cell in ours if cell.simulator != whole):
            pairs = _pairs(best, [cell for cell in ours if cell.simulator == simulator])
            lost, of = [a - b for a, b in pairs], [a for a, _ in pairs]
            found[solver, simulator] = ratio(lost, of, range(len(pairs)), within=DIFFERENCE, unit="share lost")
    return found


def _pairs(more: Sequence[Cell], less: Sequence[Cell]) -> list[tuple[float, float]]:
    """The mean score of each task on both sides."""
    first, second = _means(more), _means(less)
    return [(first[task], second[task]) for task in first if task in second]


def _means(cells: Sequence[Cell]) -> Mapping[str, float]:
    return {task: sum(scores) / len(scores) for cell in cells for task, scores in cell.by_task.items()}
