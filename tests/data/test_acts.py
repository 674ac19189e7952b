"""Is what the assistant did read from its text as a person would read it?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repro.data import acts
from repro.types import Requirement, Task

PRICE = Requirement("price", "amount", "$45", "the asking price")
WHERE = Requirement("meeting_point", "place", "old jetty", "where the tables stand")
MINE = Requirement("sender", "name", "Priya", "my name")
TASK = Task("t", "u", "", (PRICE, WHERE, MINE))
LETTER = "Dear all,\nWe have a chair for sale. The price is $45. Please call 555-0182 soon.\nKind regards."  # 16 words


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("What is the price?", "What is the price?"),
        ("Sure! Who is it for? And when?", "Who is it for? And when?"),
        (f"{LETTER} Would you like any changes?", "Would you like any changes?"),
        ("Can you come? We will have cake.", ""),
        (LETTER, ""),
        ("Happy to help. Please tell me the date and the place.", "Please tell me the date and the place."),
        (f"{LETTER} Let me know if you can come.", ""),  # said to the reader of the letter
        ("", ""),
        ("   \n ", ""),
    ],
)
def test_the_question_is_what_trails(text: str, question: str) -> None:
    assert acts.question_of(text) == question


@pytest.mark.parametrize(
    ("text", "draft"),
    [
        (LETTER, LETTER),
        (f"{LETTER}\nShould I change anything?", LETTER),
        ("Sure, here it is.", ""),
        ("one two three four five six seven eight nine ten eleven", ""),  # 11 words
        (
            "one two three four five six seven eight nine ten eleven twelve",
            "one two three four five six seven eight nine ten eleven twelve",
        ),
        ("I'd be happy to help you write a message to all your friends. What is the price?", ""),
        ("", ""),
    ],
)
def test_a_draft_is_what_is_left_if_it_is_long_enough(text: str, draft: str) -> None:
    assert acts.draft_of(text) == draft


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("How much is it?", ["price"]),
        ("What is the asking price and where do you meet?", ["price", "meeting_point"]),
        ("Could you tell me where the tables stand?", ["meeting_point"]),
        ("What is your name?", ["sender"]),
        ("What colour is it?", []),
        ("What details should I include?", []),
        (f"{LETTER}", []),  # it names the price but asks nothing
    ],
)
def test_asked_keys_are_those_the_question_names(text: str, keys: list[str]) -> None:
    assert acts.asked_keys(text, TASK) == keys


def test_an_open_question_is_generic_and_one_that_names_things_is_not() -> None:
    assert acts.is_generic_question("Sure. What details should I include?")
    assert acts.is_generic_question("What is the date? Anything else?")
    assert not acts.is_generic_question("What is the date?")
    assert not acts.is_generic_question("Is the moon made of cheese?")
    assert not acts.is_generic_question(LETTER)


@pytest.mark.parametrize(
    ("kind", "value", "said", "not_said"),
    [
        ("max_words", "40", "keep it under 40 words", "we need 40 chairs"),
        ("no_exclamation", "no exclamation marks", "skip the exclamation marks", "make it exciting"),
        ("greeting", "Hi all", "start with hi all", "hi, i need an ad"),
        ("sign_off", "Warm regards", "close with warm regards", "be warm"),
        ("avoid_word", "party", "dont use the word party", "an invitation to a party"),
        ("amount", "$45", "i want $45", "i want $450"),
    ],
)
def test_a_user_states_a_rule_by_saying_it_and_not_by_keeping_it(
    kind: str, value: str, said: str, not_said: str
) -> None:
    requirement = Requirement(kind, kind, value, "it")
    assert acts.mentions(requirement, said)
    assert not acts.mentions(requirement, not_said)


def test_labels_in_the_first_person_are_asked_in_the_second() -> None:
    assert acts.second_person("how long I will be away") == "how long you will be away"
    assert acts.second_person("what I am applying for") == "what you are applying for"
    assert acts.second_person("my number") == "your number"
    assert acts.second_person("where we meet") == "where you meet"


@given(st.text(alphabet="ab .?!\n,", max_size=80))
def test_question_and_draft_never_share_a_word_and_never_add_one(text: str) -> None:
    question, draft = acts.question_of(text), acts.draft_of(text)
    assert len(draft.split()) + len(question.split()) <= len(
        text.replace("?", "? ").replace("!", "! ").replace(".", ". ").split()
    )
    assert text.strip().startswith(draft)
