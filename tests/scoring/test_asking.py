"""Is an answer that was paid for kept, whatever happens after it?"""

from __future__ import annotations

import pytest

from repro.errors import ReproError
from repro.models import Sampling, ScriptedModel
from repro.rollouts.store import read_rows
from repro.scoring.asking import Answer, Asker, Question

SAMPLING = Sampling(max_tokens=8)


def fits(text):
    return Answer(reason="is no yes") if text == "no" else Answer(text)


def questions(*texts, schema="string"):
    return [Question("s", text, {"type": schema}, fits) for text in texts]


def asker(path, say, **how):
    return Asker(ScriptedModel(lambda context: say(context[-1].text), name="m"), path, SAMPLING, **how)


def texts(path):
    return [row["text"] for row in read_rows(path) if row["text"]]


def test_answers_of_a_first_try_are_kept_if_a_later_one_stops_the_run(tmp_path):
    asked = []

    def say(text):
        asked.append(text)
        if asked.count("b") == 2:
            raise ReproError("nobody is there any more")
        return "no" if text == "b" else "yes"

    path = tmp_path / "rows.jsonl"
    with pytest.raises(ReproError, match="nobody is there"):
        asker(path, say).ask(questions("a", "b", "c"))
    assert texts(path) == ["yes", "yes"]
    rows = asker(path, lambda text: asked.append(text) or "yes").ask(questions("a", "b", "c"))
    assert [row["text"] for row in rows] == ["yes"] * 3
    assert asked == ["a", "b", "c", "b", "b"]


def test_answers_to_questions_of_another_form_are_kept_as_well(tmp_path):
    def say(text):
        if text == "b":
            raise KeyboardInterrupt
        return "yes"

    with pytest.raises(KeyboardInterrupt):
        asker(tmp_path / "rows.jsonl", say).ask([*questions("a"), *questions("b", schema="number")])
    assert texts(tmp_path / "rows.jsonl") == ["yes"]


def test_rows_come_in_the_order_of_the_questions_whatever_their_forms(tmp_path):
    mixed = [*questions("a"), *questions("b", schema="number"), *questions("c")]
    rows = asker(tmp_path / "rows.jsonl", str.upper).ask(mixed)
    assert [row["text"] for row in rows] == ["A", "B", "C"] == texts(tmp_path / "rows.jsonl")
