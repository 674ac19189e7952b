"""Does the exhaustive user say everything, and stop when nothing is missing?"""

from __future__ import annotations

from repro.data.acts import mentions
from repro.data.tasks import make_tasks
from repro.simulators.exhaustive import Exhaustive
from repro.training.warmup import document
from repro.types import Requirement, Task, Turn

USER = Exhaustive()
TASKS = make_tasks(120, split="eval", seed=3)
PRICE = Requirement("price", "amount", "$45", "the asking price")
PHONE = Requirement("phone", "phone", "555-0182", "the phone number")
TASK = Task(
    "t", "u", "You are a user chatting with an assistant language model to get help writing a sale ad.", (PRICE, PHONE)
)
POOR = "Sale ad. Take a look at this chair. The price is $45. Please get in touch with me soon."


def test_turn_one_states_every_requirement() -> None:
    for task, turn in zip(TASKS, USER.reply(TASKS, [[]] * len(TASKS), seed=0), strict=True):
        assert all(mentions(r, turn.text) for r in task.requirements), (task.requirements, turn.text)
        assert not turn.ends


def test_a_question_is_answered_by_restating_what_it_is_about() -> None:
    turn = USER.reply([TASK], [[Turn("user", "x"), Turn("assistant", "What is the phone number?")]], seed=0)[0]
    assert mentions(PHONE, turn.text)
    assert not mentions(PRICE, turn.text)
    turn = USER.reply([TASK], [[Turn("user", "x"), Turn("assistant", "What should it say?")]], seed=0)[0]
    assert mentions(PHONE, turn.text)
    assert mentions(PRICE, turn.text)


def test_a_complete_draft_ends_it() -> None:
    for task in TASKS:
        draft = document(task, task.requirements, seed=0)
        assert USER.reply([task], [[Turn("user", "x"), Turn("assistant", draft)]], seed=0)[0].ends, (
            task.requirements,
            draft,
        )


def test_what_a_draft_lacks_is_said_twice_and_then_the_user_goes() -> None:
    dialogue: list[Turn] = [Turn("user", "x")]
    for _ in range(2):
        dialogue.append(Turn("assistant", POOR))
        dialogue += USER.reply([TASK], [dialogue], seed=0)
        assert mentions(PHONE, dialogue[-1].text)
        assert not mentions(PRICE, dialogue[-1].text)
    last = USER.reply([TASK], [[*dialogue, Turn("assistant", POOR)]], seed=0)[0]
    assert last.ends
    assert last.text == ""


def test_the_reply_does_not_depend_on_the_batch() -> None:
    together = [turn.text for turn in USER.reply(TASKS, [[]] * len(TASKS), seed=0)]
    assert together == [USER.reply([task], [[]], seed=0)[0].text for task in TASKS]
