"""Is each dialogue of a mixture held by one simulator, as often as its weight says?"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from repro.data.tasks import make_tasks
from repro.errors import ReproError
from repro.simulators import Mixture
from repro.types import Turn

TASKS = make_tasks(400, split="train", seed=0)


@dataclass
class Says:
    name: str
    n_asked: list[int] = field(default_factory=list)

    def reply(self, tasks, dialogues, *, seed):
        self.n_asked.append(len(tasks))
        return [Turn("user", f"{self.name} {task.id}") for task in tasks]


def test_each_task_gets_its_own_reply_and_each_simulator_is_asked_once():
    a, b = Says("a"), Says("b")
    turns = Mixture(((a, 0.5), (b, 0.5))).reply(TASKS, [[] for _ in TASKS], seed=0)
    assert [turn.text.split()[1] for turn in turns] == [task.id for task in TASKS]
    assert len(a.n_asked) == len(b.n_asked) == 1
    assert a.n_asked[0] + b.n_asked[0] == 400


def test_weights_are_relative_and_kept():
    mixture = Mixture(((Says("a"), 3), (Says("b"), 1)))
    n_first = sum(mixture.speaker(task, 0) == 0 for task in TASKS)
    assert 265 <= n_first <= 335  # 300 expected; four standard deviations are 35


def test_a_dialogue_keeps_its_speaker_in_any_batch_and_another_seed_draws_again():
    mixture = Mixture(((Says("a"), 1), (Says("b"), 1)))
    first = mixture.reply(TASKS, [[] for _ in TASKS], seed=1)
    later = mixture.reply(TASKS[::-1], [[Turn("user", "x"), Turn("assistant", "y")] for _ in TASKS], seed=1)[::-1]
    assert [t.text for t in first] == [t.text for t in later]
    assert [t.text for t in first] != [t.text for t in mixture.reply(TASKS, [[] for _ in TASKS], seed=2)]


def test_one_that_nobody_is_drawn_for_is_not_asked():
    never = Says("never")
    Mixture(((Says("a"), 1.0), (never, 1e-12))).reply(TASKS[:5], [[]] * 5, seed=0)
    assert never.n_asked == []


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_is_no_weight_is_an_error(weight):
    with pytest.raises(ReproError, match="weights above 0"):
        Mixture(((Says("a"), weight),))
    with pytest.raises(ReproError, match="weights above 0"):
        Mixture(())


def test_a_part_that_returns_too_few_turns_is_named():
    class Short(Says):
        def reply(self, tasks, dialogues, *, seed):
            return []

    with pytest.raises(ReproError, match="asked short for 400 turns, got 0"):
        Mixture(((Short("short"), 1),)).reply(TASKS, [[] for _ in TASKS], seed=0)
