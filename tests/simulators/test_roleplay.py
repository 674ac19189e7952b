"""Does a prompted user keep to its role, and is it noticed when it does not?"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from repro.models import Sampling, ScriptedModel
from repro.seeds import derive
from repro.simulators.roleplay import (
    END,
    MAX_WORDS,
    RolePlay,
    agenda,
    ends,
    examples,
    out_of_role,
    persona_of,
    personas,
    system_turn,
)
from repro.types import Requirement, Task, Turn

WISHES = (Requirement("date", "date", "4 May", "the date"), Requirement("place", "place", "Hill Park", "where we meet"))
TASK = Task(
    "t", "u", "You are a user chatting with an assistant language model to get help writing an invitation.", WISHES
)
OPENED = [Turn("user", "I need an invitation"), Turn("assistant", "Dear all, come.")]


class Recorder(ScriptedModel):
    """A script that keeps what it was asked."""

    def __init__(self, replies) -> None:
        super().__init__(replies)
        self.asked: list[dict[str, object]] = []

    def generate(self, contexts, *, sampling: Sampling, seeds, role="assistant", prefixes=None):
        self.asked.append(
            {"contexts": contexts, "sampling": sampling, "seeds": seeds, "role": role, "n": len(contexts)}
        )
        return super().generate(contexts, sampling=sampling, seeds=seeds, role=role, prefixes=prefixes)


def test_it_is_told_the_intent_and_every_wish_and_speaks_as_the_user():
    model = Recorder("something short")
    RolePlay(model, helped=False).reply([TASK], [OPENED], seed=0)
    (asked,) = model.asked
    assert asked["role"] == "user"
    system, *rest = asked["contexts"][0]
    assert system == system_turn(TASK)
    assert all(text in system.text for text in (TASK.intent, "the date: 4 May", "where we meet: Hill Park", END))
    assert rest == OPENED
    assert not asked["sampling"].may_end  # it has no end token: it takes leave in words


def test_the_agenda_goes_from_the_request_over_the_wishes_to_thanks():
    said = [OPENED[0], OPENED[1], Turn("user", "x"), OPENED[1], Turn("user", "y"), OPENED[1]]
    begun = [agenda(TASK, said[:n]) for n in (0, 2, 4, 6)]
    assert begun == ["I need an invitation", "The date:", "Where we meet:", "Thanks,"]


def test_helped_turns_begin_with_the_agenda_and_are_one_line():
    model = ScriptedModel("The date: 4 May\nand much more")
    (turn,) = RolePlay(model).reply([TASK], [OPENED], seed=0)
    assert turn.text == "The date: 4 May"
    (raw,) = RolePlay(model, helped=False).reply([TASK], [OPENED], seed=0)
    assert raw.text == "The date: 4 May\nand much more"


FALLEN = [
    "", "How can I help you today?", "I hope this email finds you well", "Dear all", "[Your Name]",
    "word " * (MAX_WORDS + 1), "Dear all, come.",
]  # fmt: skip


@pytest.mark.parametrize("text", FALLEN)
def test_what_no_user_would_say_is_out_of_role(text):
    assert out_of_role(text, OPENED)


@pytest.mark.parametrize("text", ["The date: 4 May", "can you make it shorter?", "no, the place is Hill Park"])
def test_what_users_say_is_not(text):
    assert not out_of_role(text, OPENED)


def test_a_turn_out_of_role_is_drawn_again_and_both_are_noted():
    slips = iter(["How can I help you?", "4 May, please"])
    model = ScriptedModel(lambda context: next(slips))
    (turn,) = RolePlay(model, n_tries=3).reply([TASK], [OPENED], seed=0)
    assert "4 May, please" in turn.text
    assert turn.flags == ("resampled",)


def test_only_the_turns_out_of_role_are_drawn_again_with_other_seeds():
    model = Recorder(lambda context: "As an AI" if "slip" in context[1].text else "at 5 pm")
    dialogues = [[Turn("user", "slip"), OPENED[1]], OPENED]
    RolePlay(model, n_tries=3).reply([TASK, TASK], dialogues, seed=0)
    assert [asked["n"] for asked in model.asked] == [2, 1, 1]
    assert len({asked["seeds"][0] for asked in model.asked}) == 3


def test_who_stays_out_of_role_is_flagged_and_unhelped_is_drawn_once():
    model = Recorder("As an AI language model, I can help")
    (helped,) = RolePlay(model, n_tries=2).reply([TASK], [OPENED], seed=0)
    assert helped.flags == ("resampled", "out_of_role")
    (raw,) = RolePlay(model, helped=False, n_tries=2).reply([TASK], [OPENED], seed=0)
    assert raw.flags == ("out_of_role",)
    assert len(model.asked) == 3


@pytest.mark.parametrize("text", ["Thanks, that is all.", "thank you so much", "ok goodbye"])
def test_a_farewell_ends_a_dialogue_but_never_the_first_turn(text):
    assert ends(text)
    model = ScriptedModel(text)
    assert RolePlay(model, helped=False).reply([TASK], [OPENED], seed=0)[0].ends
    assert not RolePlay(model, helped=False).reply([TASK], [[]], seed=0)[0].ends


@pytest.mark.parametrize("text", ["Thanks, but could you change the date to 4 May?", "The date: 4 May", "buy bread"])
def test_a_wish_does_not_end_it(text):
    assert not ends(text)


def test_there_are_many_personas_and_no_two_are_alike():
    bank = personas()
    assert len(bank) >= 200
    assert len(set(bank)) == len(bank)
    ages = [int(age) for one in bank for age in re.findall(r"\b\d\d\b", one)[:1]]
    assert min(ages) < 18 < 75 < max(ages)


def test_a_persona_is_told_once_and_kept_for_the_dialogue():
    model = Recorder("hm")
    user = RolePlay(model, persona=True)
    user.reply([TASK], [[]], seed=0)
    user.reply([TASK], [OPENED], seed=0)
    first, later = (asked["contexts"][0][0].text for asked in model.asked)
    assert first == later
    assert f"You are {persona_of(TASK, 0)}. You need the text" in first
    drawn = {persona_of(replace(TASK, id=f"t{i}"), 0) for i in range(60)}
    assert len(drawn) > 45
    assert persona_of(replace(TASK, persona="a judge"), 0) == "a judge"


def test_a_style_is_told_to_all_and_examples_are_drawn_once_a_dialogue():
    model = Recorder("hm")
    user = RolePlay(model, style=True, n_examples=4)
    user.reply([TASK], [[]], seed=0)
    user.reply([TASK], [OPENED], seed=0)
    first, later = (asked["contexts"][0][0].text for asked in model.asked)
    assert first == later
    assert "Type as people do in a chat" in first
    shown = examples(derive(0, TASK.id, "examples"), 4)
    assert len(set(shown)) == 4
    assert f"Others write like this: {' / '.join(shown)} / When you have it" in first
    assert len({examples(seed, 4)[0] for seed in range(60)}) > 20


def test_examples_are_words_of_train_users_and_of_no_task_of_the_study():
    from repro.data.acts import mentions
    from repro.data.tasks import make_tasks

    said = "\n".join(examples(0, 80))
    wanted = [r for task in make_tasks(300, split="eval", seed=1) for r in task.requirements]
    named = {r.value: r for r in wanted if r.kind in ("name", "place")}
    assert len(named) > 50
    assert not [value for value, r in named.items() if mentions(r, said)]


def test_without_a_persona_nobody_is_told_who_they_are():
    model = Recorder("hm")
    RolePlay(model).reply([TASK], [[]], seed=0)
    assert model.asked[0]["contexts"][0][0] == system_turn(TASK)
    assert "{" not in system_turn(TASK).text
