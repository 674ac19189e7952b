"""Do reference users talk like a mixed crowd, and does asking them pay?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from statistics import mean, median

import pytest

from repro.data import acts
from repro.data.population import traits_of
from repro.data.requirements import met
from repro.data.tasks import make_tasks
from repro.simulators.reference import MAX_WORDS, ReferenceUsers
from repro.simulators.wording import request_of
from repro.training.warmup import document, stated_by_user
from repro.types import Requirement, Task, Turn

EVAL = make_tasks(500, split="eval", seed=11)
USERS = ReferenceUsers()
FIRST = [turn.text for turn in USERS.reply(EVAL, [[]] * len(EVAL), seed=5)]


def masked(task: Task, text: str) -> str:
    """A first turn with the words of the request and of the values masked: its template."""
    known = " ".join([request_of(task), *(f"{r.value} {r.label}" for r in task.requirements)]).lower()
    hidden = set(re.sub(r"[^\w ]", "", known).split())
    words = ["_" if re.sub(r"\W", "", word) in hidden else word for word in text.lower().split()]
    return re.sub(r"(_ )+", "_ ", " ".join(words) + " ").strip()


def test_first_turns_share_few_words() -> None:
    sets = [set(text.lower().split()) for text in FIRST]
    assert mean(1 - len(a & b) / len(a | b) for a, b in combinations(sets, 2)) >= 0.8


def test_no_template_is_more_than_two_percent_of_first_turns() -> None:
    top, count = Counter(map(masked, EVAL, FIRST)).most_common(1)[0]
    assert count <= 0.02 * len(FIRST), top


def test_first_turns_are_short_and_mostly_lower_case() -> None:
    lengths = [len(text.split()) for text in FIRST]
    assert 7 <= median(lengths) <= 12
    assert max(lengths) <= MAX_WORDS
    assert 0.55 <= mean(text == text.lower() for text in FIRST) <= 0.8


def test_a_fifth_of_the_requirements_is_said_at_first_and_many_users_say_none() -> None:
    shares = [mean(acts.mentions(r, text) for r in task.requirements) for task, text in zip(EVAL, FIRST, strict=True)]
    assert 0.15 <= mean(shares) <= 0.25
    assert mean(share == 0 for share in shares) >= 0.35
    assert mean(share >= 0.5 for share in shares) >= 0.08


Assistant = Callable[[Task, list[Turn], int], str]


def asks(task: Task, turns: list[Turn], n: int) -> str:
    """Names up to three things that the task wants and the user has not said."""
    open_ones = [r for r in task.requirements if r not in stated_by_user(task, turns)]
    labels = ", ".join(acts.second_person(r.label) for r in open_ones[:3])
    return f"Could you tell me {labels}?" if labels else "Anything else I should know?"


def copies(task: Task, turns: list[Turn], n: int) -> str:
    return document(task, stated_by_user(task, turns), seed=0)


def coverage(assistant: Assistant, tasks: list[Task], turns: int = 3) -> float:
    """The mean share of requirements met in the last document; 0 if none was written."""
    total = 0.0
    for task in tasks:
        dialogue: list[Turn] = []
        last = ""
        for n in range(turns):
            dialogue += USERS.reply([task], [dialogue], seed=1)
            if dialogue[-1].ends:
                break
            dialogue.append(Turn("assistant", assistant(task, dialogue, n)))
            last = acts.draft_of(dialogue[-1].text) or last
        total += mean(met(task, last)) if last else 0.0
    return total / len(tasks)


def test_asking_once_pays_and_only_asking_does_not() -> None:
    never = coverage(copies, EVAL)
    once = coverage(lambda task, turns, n: (copies if n else asks)(task, turns, n), EVAL)
    always = coverage(asks, EVAL)
    print(f"never asks {never:.3f}, asks once {once:.3f}, always asks {always:.3f}")
    assert 0.25 <= never <= 0.36
    assert 0.62 <= once <= 0.77
    assert always == 0


def task_with(user_id: str, *requirements: Requirement) -> Task:
    intent = "You are a user chatting with an assistant language model to get help writing a sale ad."
    return Task(f"sale_listing/train/{user_id}", user_id, intent, requirements, "market", "sale_listing")


PRICE = Requirement("price", "amount", "$45", "the asking price")
PHONE = Requirement("phone", "phone", "555-0182", "the phone number")
DRAFT = "Sale ad\nTake a look at this. The price is $45. Please call 555-0182 if you would like to have it."


@pytest.fixture
def willing() -> str:
    """A user who answers what is asked and never brushes off."""
    users = (f"train-{k:04d}" for k in range(999))
    return next(
        u for u in users if traits_of(u).answers > 0.9 and traits_of(u).brushes_off == traits_of(u).volunteers == 0
    )


def replies(task: Task, heard: str, first: str = "sale ad", n: int = 60) -> list[Turn]:
    dialogue = [Turn("user", first), Turn("assistant", heard)]
    return [USERS.reply([task], [dialogue], seed=seed)[0] for seed in range(n)]


def test_a_draft_that_meets_everything_ends_the_dialogue(willing: str) -> None:
    assert all(turn.ends for turn in replies(task_with(willing, PRICE, PHONE), DRAFT))


def test_a_willing_user_answers_what_is_asked_and_says_doesnt_matter_to_the_rest(willing: str) -> None:
    task = task_with(willing, PRICE, PHONE)
    asked = replies(task, "What is the asking price?")
    assert mean("45" in turn.text for turn in asked) > 0.85
    assert not any("45" in turn.text for turn in replies(task_with(willing, PRICE), "What colour is it?"))


def test_naming_things_gets_more_answers_than_an_open_question() -> None:
    def revealed(question: str) -> float:
        tasks = [task_with(f"eval-{k:04d}", PRICE, PHONE) for k in range(400)]
        dialogue = [Turn("user", "sale ad"), Turn("assistant", question)]
        turns = USERS.reply(tasks, [dialogue] * len(tasks), seed=3)
        return mean(acts.mentions(r, t.text) for t in turns for r in (PRICE, PHONE))

    assert revealed("What is the asking price and the phone number?") > revealed("Any details I should know?") + 0.1


def test_being_asked_what_was_said_makes_some_leave(willing: str) -> None:
    turns = replies(task_with(willing, PRICE, PHONE), "What is the asking price?", first="sale ad, price is $45")
    assert 0.2 <= mean(turn.ends for turn in turns) <= 0.6


def test_about_half_leave_after_a_poor_draft_and_few_mend_it() -> None:
    poor = "Sale ad\nTake a look at this. It may be just what you need. Please get in touch with me soon."
    tasks = [task_with(f"eval-{k:04d}", PRICE, PHONE) for k in range(600)]
    dialogue = [Turn("user", "sale ad"), Turn("assistant", poor)]
    turns = USERS.reply(tasks, [dialogue] * len(tasks), seed=3)
    assert 0.42 <= mean(turn.ends for turn in turns) <= 0.62
    assert 0.05 <= mean(acts.mentions(PRICE, t.text) or acts.mentions(PHONE, t.text) for t in turns) <= 0.25


def test_a_changed_mind_is_a_wrong_value_first_and_the_right_one_later() -> None:
    tasks = [task for task in make_tasks(3000, split="eval", seed=2) if traits_of(task.user_id).changes_mind]
    corrected = 0
    for task in tasks:
        dialogue = USERS.reply([task], [[]], seed=1)
        before = stated_by_user(task, dialogue)
        if all(r in task.requirements for r in before):
            continue
        turns = [*dialogue, Turn("assistant", document(task, before, seed=0))]
        after = USERS.reply([task], [turns], seed=1)[0]
        corrected += all(r in task.requirements for r in stated_by_user(task, [*turns, after]))
    assert corrected >= 3


def test_the_reply_does_not_depend_on_the_batch() -> None:
    alone = [USERS.reply([task], [[]], seed=5)[0].text for task in EVAL[:50]]
    backwards = [turn.text for turn in USERS.reply(EVAL[:50][::-1], [[]] * 50, seed=5)][::-1]
    assert alone == backwards == FIRST[:50]
    assert alone != [turn.text for turn in USERS.reply(EVAL[:50], [[]] * 50, seed=6)]


def test_no_tasks_give_no_turns() -> None:
    assert USERS.reply([], [], seed=0) == []
