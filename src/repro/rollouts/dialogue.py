"""What happens when user and assistant talk?

The one conversation loop of the package: training, the study and every notebook call it. All dialogues of a
batch take their turns together. The user speaks first; the assistant has at most `max_turns` turns; the user's
end mark and hidden requirements never reach the assistant, and no token of one side is ever given to the other
(text is). A dialogue in which something fails keeps what was said, and the others go on; where all of a batch fail,
something is wrong with more than a dialogue, and that is an error.

Seeds. The user's words depend on (seed, task, what was said), not on the sample: samples of one task share their
first user turn, so that what differs between them is the assistant's doing (common random numbers).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ..errors import ReproError, one_line
from ..models.base import ChatModel, Sampling
from ..seeds import derive
from ..simulators.base import UserSimulator
from ..types import Stop, Task, Trajectory, Turn
from .store import TrajectoryStore

BATCH_SIZE = 64  # dialogues that talk at the same time: the number a local model decodes together


@cache
def system_prompt() -> Turn:
    """The assistant's system turn where texts are written, the same for every arm."""
    return Turn("system", (Path(__file__).parent / "assistant_system.txt").read_text().strip())


@dataclass
class _Dialogue:
    task: Task
    sample: int
    turns: list[Turn] = field(default_factory=list)
    stop: Stop | None = None
    error: str | None = None

    def add(self, turn: Turn | Exception) -> None:
        if isinstance(turn, Exception):
            self.stop, self.error = "error", one_line(turn)
            return
        self.turns.append(turn)
        if turn.role == "user" and turn.ends:
            self.stop = "user_ended"


def rollout(
    tasks: Sequence[Task], *, user: UserSimulator, assistant: ChatModel, max_turns: int = 3, n_samples: int = 1,
    sampling: Sampling | None = None, seed: int = 0, store: TrajectoryStore | None = None, progress: str | None = None,
    system: Turn | None = None,
) -> list[Trajectory]:  # fmt: skip
    """Let `user` and `assistant` talk about each task `n_samples` times; task-major order.

    Dialogues that `store` already holds are not held again. `progress` names a progress bar. `system` is what the
    assistant is told first, by default `system_prompt()`: other kinds of tasks have their own.
    """
    if not tasks:
        raise ReproError("rollout was given no tasks; make some with repro.data.tasks.make_tasks")
    if max_turns < 1 or n_samples < 1:
        raise ReproError(f"max_turns and n_samples must be at least 1; got {max_turns} and {n_samples}")
    if len({task.id for task in tasks}) < len(tasks):
        raise ReproError("rollout was given two tasks with one id; for more dialogues about a task use n_samples")
    pairs = [(task, sample) for task in tasks for sample in range(n_samples)]
    done = store.read() if store else {}
    todo = [(task, sample) for task, sample in pairs if (task.id, sample) not in done]
    with _bar(progress, len(pairs), len(pairs) - len(todo)) as update:
        for i in range(0, len(todo), BATCH_SIZE):
            part = [_Dialogue(task, sample) for task, sample in todo[i : i + BATCH_SIZE]]
            _talk(part, user, assistant, max_turns, sampling or Sampling(), seed, system or system_prompt())
            new = {(d.task.id, d.sample): _trajectory(d, user.name, assistant.name, seed) for d in part}
            done |= new
            if store:
                store.append(new)
            update(len(part))
    return [done[task.id, sample] for task, sample in pairs]


def _talk(
    batch: list[_Dialogue], user: UserSimulator, assistant: ChatModel, max_turns: int, sampling: Sampling, seed: int,
    system: Turn,
) -> None:  # fmt: skip
    """All dialogues of the batch, turn by turn, to their ends."""
    _open(batch, user, seed)
    for k in range(max_turns):
        live = [d for d in batch if d.stop is None]

        def speak(part: Sequence[_Dialogue], k: int = k) -> list[Turn]:
            contexts = [[system, *d.task.history, *d.turns] for d in part]
            seeds = [derive(seed, d.task.id, d.sample, "assistant", k) for d in part]
            return assistant.generate(contexts, sampling=sampling, seeds=seeds)

        _take_turn(live, speak)
        live = [d for d in live if d.stop is None]
        if k < max_turns - 1:
            _take_turn(live, lambda part: user.reply([d.task for d in part], [d.turns for d in part], seed=seed))
    for d in batch:
        d.stop = d.stop or "max_turns"


def _open(batch: list[_Dialogue], user: UserSimulator, seed: int) -> None:
    """The first user turn, asked for once per task and shared by its samples."""
    firsts = {d.task.id: _Dialogue(d.task, 0) for d in batch}
    _take_turn(list(firsts.values()), lambda part: user.reply([d.task for d in part], [[] for _ in part], seed=seed))
    for d in batch:
        first = firsts[d.task.id]
        d.turns, d.stop, d.error = list(first.turns), first.stop, first.error


def _take_turn(live: list[_Dialogue], speak: Callable[[Sequence[_Dialogue]], list[Turn]]) -> None:
    """One turn for every live dialogue; if the batch fails, each alone, so that one bad dialogue stays one."""
    if not live:
        return
    try:
        turns: Sequence[Turn | Exception] = _counted(speak(live), len(live))
    except ReproError:
        raise
    except Exception:
        turns = [_alone(d, speak) for d in live]
    failed = [turn for turn in turns if isinstance(turn, Exception)]
    if len(failed) == len(live) > 1:
        raise ReproError(f"all {len(live)} dialogues of a batch failed, the first with {one_line(failed[0])}")
    for dialogue, turn in zip(live, turns, strict=True):
        dialogue.add(turn)


def _alone(dialogue: _Dialogue, speak: Callable[[Sequence[_Dialogue]], list[Turn]]) -> Turn | Exception:
    try:
        return _counted(speak([dialogue]), 1)[0]
    except ReproError:
        raise
    except Exception as error:
        return error


def _counted(turns: list[Turn], n: int) -> list[Turn]:
    if len(turns) != n:
        raise ReproError(f"asked for {n} turns, got {len(turns)}: reply and generate return one turn per dialogue")
    return turns


def _trajectory(d: _Dialogue, user: str, assistant: str, seed: int) -> Trajectory:
    assert d.stop is not None
    return Trajectory(d.task, tuple(d.turns), user, assistant, seed, d.stop, d.error)


class _bar:
    """A tqdm bar as a context that yields its update, or nothing at all."""

    def __init__(self, title: str | None, total: int, initial: int) -> None:
        self.args = (title, total, initial)

    def __enter__(self) -> Callable[[int], object]:
        title, total, initial = self.args
        if title is None:
            return lambda n: None
        from tqdm import tqdm  # as text: the bars of notebooks are empty in a notebook that was run and filed

        pause = 0.5 if sys.stderr.isatty() else 10.0  # seconds between updates
        self.bar = tqdm(desc=title, total=total, initial=initial, unit="dialogue", mininterval=pause)
        update: Callable[[int], object] = self.bar.update
        return update

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "bar"):
            self.bar.close()
