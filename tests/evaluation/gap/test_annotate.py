"""Does a model's answer become a description, and is one that does not fit asked for again, counted and kept?"""

from __future__ import annotations

import json

import pytest

from repro.errors import ReproError
from repro.evaluation.gap import LLMFacets, behavioral_gap
from repro.evaluation.gap.annotate import question
from repro.evaluation.gap.answers import FIELDS, read_answer, schema_of
from repro.evaluation.gap.conversations import Conversation
from repro.evaluation.gap.facets import FACETS
from repro.models import ScriptedModel
from repro.types import Turn

TALK = (
    Turn("user", "need a note about {n} cats"),
    Turn("assistant", "For whom? " + "x" * 3000),
    Turn("user", "my aunt"),
)


def talk(name: str) -> Conversation:
    return Conversation(name, name, TALK)


def right(facet: str, n_turns: int = 2) -> str:
    if facet in FIELDS:
        return json.dumps(dict.fromkeys(FIELDS[facet], "a little"))
    label = "statement" if facet == "damsl" else "INFORM"
    return json.dumps({"turns": [[label]] * n_turns})


def facet_of(asked: str) -> str:
    """Which facet a question is about: the one with its first line."""
    return next(f for f in FACETS if question(talk("t"), f).splitlines()[0] == asked.splitlines()[0])


class Model(ScriptedModel):
    """Answers as it should, but where `wrong` says otherwise; counts what it is asked."""

    def __init__(self, wrong=lambda facet, n_asked: "") -> None:
        self.n_asked = 0

        def say(context):
            self.n_asked += 1
            facet = facet_of(context[-1].text)
            return wrong(facet, self.n_asked) or right(facet)

        super().__init__(say, name="annotator")


def test_every_facet_is_described_once_and_kept(tmp_path):
    model = Model()
    facets = LLMFacets(model, tmp_path / "notes.jsonl")
    both = facets.annotate([talk("a"), talk("b")])
    assert both[0] == both[1]
    assert both[0] is not None
    assert set(both[0]) == set(FACETS)
    assert both[0]["context"] == "given: a little\ntiming: a little"
    assert both[0]["sgd"] == "first: INFORM; then: INFORM"
    assert model.n_asked == len(FACETS)  # the two conversations are the same, word for word
    assert LLMFacets(model, tmp_path / "notes.jsonl").annotate([talk("a")], ["style"]) == [{"style": both[0]["style"]}]
    assert model.n_asked == len(FACETS)


def test_the_model_sees_what_the_facet_is_about():
    own, both = question(talk("t"), "requests"), question(talk("t"), "damsl")
    assert "- need a note about {n} cats" in own  # the words of a person are no placeholders
    assert "For whom" not in own
    assert "Assistant: For whom?" in both
    assert "x" * 2100 not in both
    assert "declarative-question" in both
    assert "2 turns" in both


def test_an_answer_that_does_not_fit_is_asked_for_again(tmp_path):
    model = Model(lambda facet, n: "I would say casual." if n == 1 else "")
    (said,) = LLMFacets(model, tmp_path / "notes.jsonl").annotate([talk("a")], ["style"])
    assert said is not None
    (row,) = (json.loads(line) for line in (tmp_path / "notes.jsonl").read_text().splitlines())
    assert (row["tries"], row["facet"], row["repaired"]) == (2, "style", False)


def test_what_never_fits_is_unscored_and_asked_for_in_the_next_run(tmp_path):
    bad = LLMFacets(Model(lambda facet, n: right(facet, 3)), tmp_path / "notes.jsonl", n_tries=2)
    assert bad.annotate([talk("a")], ["sgd"]) == [None]
    (row,) = (json.loads(line) for line in (tmp_path / "notes.jsonl").read_text().splitlines())
    assert (row["text"], row["tries"], row["reason"]) == ("", 2, "labels for 3 turns of 2")
    good = LLMFacets(Model(), tmp_path / "notes.jsonl", n_tries=2)
    assert good.annotate([talk("a")], ["sgd"]) != [None]


def test_one_conversation_that_the_model_cannot_take_costs_nobody_else_theirs(tmp_path):
    def choke(context):
        if "aunt" in context[-1].text:
            raise RuntimeError("too long")
        return right("requests")

    other = Conversation("b", "b", (Turn("user", "write a poem"),))
    found = LLMFacets(ScriptedModel(choke), tmp_path / "n.jsonl").annotate([talk("a"), other], ["requests"])
    assert found[0] is None
    assert found[1] is not None
    assert "RuntimeError: too long" in (tmp_path / "n.jsonl").read_text()


@pytest.mark.parametrize(
    ("said", "repaired", "reason"),
    [
        (right("context"), False, ""),
        ("```json\n" + right("context") + "\n```", True, ""),
        (right("context")[:-1], True, ""),
        ("none of that", True, "answer: "),
        ('{"given": "why"}', False, "timing: Field required"),
        ('{"given": "", "timing": "late"}', False, "given: String should have at least 1 character"),
        ('{"given": "why", "timing": "late", "more": "x"}', False, "more: Extra inputs are not permitted"),
    ],
)
def test_only_an_answer_of_the_schema_counts(said, repaired, reason):
    found = read_answer(said, "context", n_turns=2)
    assert found.repaired == repaired
    assert found.reason.startswith(reason)
    assert bool(found.text) == (not reason)


def test_labels_are_those_of_the_tag_set():
    assert not read_answer('{"turns": [["gossip"], []]}', "damsl", n_turns=2).text
    assert "uninterpretable" in json.dumps(schema_of("damsl"))
    assert schema_of("style")["additionalProperties"] is False


def test_a_gap_can_be_read_from_a_model_s_descriptions(tmp_path):
    model = Model(lambda facet, n: "?" if n % 5 == 0 else "")
    facets = LLMFacets(model, tmp_path / "notes.jsonl", n_tries=1)
    people = [Conversation(f"u{i}", f"u{i}", (*TALK[:2], Turn("user", f"my {i}"))) for i in range(12)]
    found = behavioral_gap(people, people[:6], annotator=facets, representation="style", k=2, n_permutations=19)
    assert found.divergences.n_real + found.n_unscored >= 6
    with pytest.raises(ReproError, match="no facet 'mood'; have requests"):
        facets.annotate(people, ["mood"])
