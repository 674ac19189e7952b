"""Is the fine-tuned user asked as it was trained, and may it leave when it should?"""

from __future__ import annotations

from repro.models import LocalModel, ScriptedModel
from repro.models.tiny import tiny_model
from repro.simulators.userlm import SAMPLING, UserLM, flipped, system_turn
from repro.types import Requirement, Task, Turn

TASK = Task("t", "u", "You are a user.", (Requirement("date", "date", "4 May", "the date"),))
OTHER = Task("o", "u", "You are another user.")
OPENED = [Turn("user", "hi"), Turn("assistant", "Dear all, come.")]


class Recorder(ScriptedModel):
    def __init__(self) -> None:
        super().__init__(lambda context: f"{len(context)} {context[0].text[-5:]}")
        self.asked: list[tuple[int, bool, str]] = []

    def generate(self, contexts, *, sampling, seeds, role="assistant", prefixes=None):
        self.asked.append((len(contexts), sampling.may_end, role))
        return super().generate(contexts, sampling=sampling, seeds=seeds, role=role, prefixes=prefixes)


def test_in_use_it_reads_what_it_read_in_training():
    row = flipped(TASK, OPENED)
    assert row == [system_turn(TASK), *OPENED]
    assert row[0].text == "You are a user.\nthe date: 4 May"


def test_nobody_may_leave_in_their_first_turn_and_order_is_kept():
    model = Recorder()
    turns = UserLM(model).reply([TASK, OTHER, TASK], [OPENED, [], []], seed=0)
    assert sorted(model.asked) == [(1, True, "user"), (2, False, "user")]
    assert [turn.text for turn in turns] == ["3 4 May", "1 user.", "1 4 May"]


def test_it_is_sampled_as_published():
    assert (SAMPLING.temperature, SAMPLING.top_p) == (1.0, 0.8)  # arXiv 2510.06552
    assert SAMPLING.suppress_first


def test_with_real_tokens_the_end_mark_ends_and_is_not_seen():
    model = LocalModel(*tiny_model(), name="tiny")
    tasks = [Task(f"t{i}", "u", "You are a user.") for i in range(24)]
    user = UserLM(model)
    firsts = user.reply(tasks, [[] for _ in tasks], seed=1)
    assert not any(turn.ends for turn in firsts)
    assert all(turn.text for turn in firsts)
    later = user.reply(tasks, [[turn, Turn("assistant", "ok")] for turn in firsts], seed=1)
    assert not any("<|" in turn.text for turn in [*firsts, *later])
    again = user.reply(tasks, [[turn, Turn("assistant", "ok")] for turn in firsts], seed=1)
    assert [turn.text for turn in again] == [turn.text for turn in later]
