"""Is an intent one sentence in form, asked for once, and never the user's own words?"""

from __future__ import annotations

import json

import pytest

from repro.data.corpora import from_rows
from repro.data.intents import (
    BEGINS,
    MOST_CHARACTERS,
    NO_ANSWER,
    SAMPLING,
    UNKNOWN,
    prompt,
    question,
    sentence,
    stated,
    summarised,
)  # fmt: skip
from repro.errors import ReproError
from repro.models import ScriptedModel
from repro.types import Task, Turn


def corpus(n: int = 3, **more):
    rows = [
        {
            "id": f"c{i}",
            "messages": [
                {"role": "user", "content": f"letter {i} please"}, {"role": "assistant", "content": "Dear all,"},
            ],
            **more,
        }
        for i in range(n)
    ]  # fmt: skip
    return from_rows(rows)


class Counting(ScriptedModel):
    """Answers in form but for conversations that mention `refused`; counts what it was asked."""

    def __init__(self, refused: str = "nobody") -> None:
        super().__init__(lambda c: "No." if refused in c[-1].text else f"Sentence: {BEGINS} get letter help.")
        self.n_asked = 0

    def generate(self, contexts, *, sampling, seeds, role="assistant", prefixes=None):
        assert sampling == SAMPLING
        self.n_asked += len(contexts)
        return super().generate(contexts, sampling=sampling, seeds=seeds, role=role, prefixes=prefixes)


def test_it_is_asked_as_published():
    assert (SAMPLING.temperature, SAMPLING.top_p) == (0.7, 0.9)  # arXiv 2605.09808
    assert prompt().count(f"Sentence: {BEGINS}") == 3  # three examples
    task = Task("t", "u", "", human=(Turn("user", "hi"), Turn("assistant", "x" * 5000), Turn("user", "y" * 3000)))
    lines = question(task).split("\n")
    assert [len(line) for line in lines] == [10, 11 + MOST_CHARACTERS, 8 + 3000, 9]


def test_answers_are_kept_and_asked_for_once(tmp_path):
    model = Counting()
    made = summarised(corpus(), model, path=tmp_path / "intents.jsonl")
    assert set(made.column("intent")) == {f"{BEGINS} get letter help."}
    assert model.n_asked == 3
    summarised(corpus(4), model, path=tmp_path / "intents.jsonl")
    assert model.n_asked == 4  # the one that is new


def test_another_model_of_the_same_name_is_asked_anew(tmp_path):
    here, there = Counting(), Counting()
    here.identity, there.identity = "http://here/v1#a/writer", "http://there/v1#b/writer"
    for model in (here, there, here):
        summarised(corpus(), model, path=tmp_path / "intents.jsonl")
    assert (here.n_asked, there.n_asked) == (3, 3)


def test_a_torn_line_costs_one_answer(tmp_path):
    path = tmp_path / "intents.jsonl"
    model = Counting()
    summarised(corpus(), model, path=path)
    path.write_bytes(path.read_bytes()[:-20])
    assert len(summarised(corpus(), model, path=path)) == 3
    assert model.n_asked == 3 + 1
    assert sum(1 for line in path.read_text().splitlines() if line.endswith("}") and json.loads(line)) == 3


def test_who_gives_no_sentence_is_asked_twice_left_out_and_counted(tmp_path):
    model = Counting(refused="letter 1")
    made = summarised(corpus(), model, path=tmp_path / "intents.jsonl")
    assert made.column("id") == ["c0", "c2"]
    assert made.steps[-1].dropped == {NO_ANSWER: 1}
    assert model.n_asked == 3 + 1


def test_a_conversation_that_cannot_be_read_costs_no_other(tmp_path):
    class Short(Counting):
        def generate(self, contexts, **rest):
            if any("letter 2" in c[-1].text for c in contexts):
                raise ValueError("too long")
            return super().generate(contexts, **rest)

    made = summarised(corpus(), Short(), path=tmp_path / "intents.jsonl")
    assert made.column("id") == ["c0", "c1"]


def test_a_mistake_of_the_caller_is_not_a_refusal(tmp_path):
    class Closed(ScriptedModel):
        def generate(self, *_, **__):
            raise ReproError("no key")

    with pytest.raises(ReproError, match="no key"):
        summarised(corpus(), Closed("x"), path=tmp_path / "intents.jsonl")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"Sure!\n{BEGINS} get help with a poem. It is nice.\nBye", f"{BEGINS} get help with a poem."),
        (f'"{BEGINS} plan a trip"', f"{BEGINS} plan a trip."),
        ("They want a poem.", ""),
        (BEGINS, ""),
    ],
)
def test_the_sentence_is_found_in_an_answer(text, found):
    assert sentence(text) == found


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("Letter: Write a letter to a friend.", f"{BEGINS} write a letter to a friend."),
        ("write a poem", f"{BEGINS} write a poem."),
        ("AI policies compared", f"{BEGINS} AI policies compared."),
        (f"{BEGINS} rest.", f"{BEGINS} rest."),
    ],
)
def test_a_corpus_s_own_intents_take_the_papers_form(said, intent):
    assert stated(corpus(1, intent=said)).column("intent") == [intent]


def test_without_one_nothing_is_given_away_and_it_is_counted():
    made = stated(corpus(2))
    assert made.column("intent") == [UNKNOWN] * 2
    assert "2 not stated" in made.steps[-1].name
    assert "letter" not in UNKNOWN
