from __future__ import annotations

import pytest

from repro.errors import ReproError
from repro.reporting.dialogues import SideBySide
from repro.types import Requirement, Task, Trajectory, Turn

PLACE, PEOPLE = Requirement("place", "place", "Elm Hall", "venue"), Requirement("n", "count", "12", "how many <come>")
WANTS = (PLACE, PEOPLE)
TASK = Task("t0", "eval-0000", "You are a user ... writing an invitation.", WANTS)
DRAFT = "Dear all, please come to Elm Hall for our small party, we would love to see you there."


def talk(*texts: str, task: Task = TASK, error: str | None = None) -> Trajectory:
    turns = tuple(Turn("assistant" if i % 2 else "user", text, ends=not text) for i, text in enumerate(texts))
    return Trajectory(task, turns, "oracle", "initial", 0, "error" if error else "user_ended", error)


def test_each_assistant_has_a_card_with_what_its_text_met():
    shown = SideBySide({"initial": talk("an invitation pls", "Where is it?", ""), "userlm": talk("hi", DRAFT, "")})
    first, second, third = shown.rows[:3]
    assert (first["arm"], first["role"], first["text"]) == ("initial", "user", "an invitation pls")
    assert (second["role"], third["role"], third["text"]) == ("assistant", "user", "(leaves)")
    assert {(row["arm"], row["met"]) for row in shown.rows} == {("initial", 0), ("userlm", 1)}
    wanted = [(want["value"], want["initial"], want["userlm"]) for want in shown.wants]
    assert wanted == [("Elm Hall", False, True), ("12", False, False)]


def test_what_was_said_is_shown_as_text_and_not_run_as_html():
    page = SideBySide({"initial": talk("<script>alert(1)</script>", DRAFT, "")})._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "how many &lt;come&gt;" in page


def test_a_failed_dialogue_is_shown_with_its_reason():
    page = SideBySide({"initial": talk("hi", error="ValueError: no <room>")})._repr_html_()
    assert "failed: ValueError: no &lt;room&gt;" in page
    assert "0 of 2 requirements met" in page


def test_dialogues_about_two_tasks_are_not_set_side_by_side():
    other = Task("t1", "eval-0001", "You are a user", WANTS)
    with pytest.raises(ReproError, match="2 dialogues that are not about one task"):
        SideBySide({"initial": talk("hi"), "userlm": talk("hi", task=other)})
    with pytest.raises(ReproError, match="0 dialogues"):
        SideBySide({})
