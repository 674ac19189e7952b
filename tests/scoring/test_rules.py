"""Is a dialogue worth what the formula says?"""

from __future__ import annotations

import pytest

from repro.scoring import RequirementsMet, Reward, document_of
from repro.types import Requirement, Task, Trajectory, Turn

DATE = Requirement("date", "date", "4 May", "the date")
TIME = Requirement("time", "time", "6 pm", "the start")
PLACE = Requirement("place", "place", "Harbour Hall", "the place")
NAME = Requirement("sender", "name", "Ada Lee", "my name")
TASK = Task("t", "u", "get a note", (DATE, TIME, PLACE, NAME))

# 21 words; date, time and place are in it, the name is not
DRAFT = "Dear all, please come to our party at Harbour Hall on 4 May at 6 pm. We look forward to it."
LONG = DRAFT + " Bring a friend." * 20  # 21 + 60 = 81 words


def talk(*turns, error=None, task=TASK):
    """Strings are said by user and assistant in turns."""
    roles = ("user", "assistant") * len(turns)
    said = tuple(t if isinstance(t, Turn) else Turn(r, t) for r, t in zip(roles, turns, strict=False))
    return Trajectory(task, said, "users", "echo", 0, "error" if error else "max_turns", error)


def reward(*turns, **rest):
    return Reward()([talk(*turns, **rest)])[0]


def test_reward_is_the_share_met_less_small_costs():
    assert len(DRAFT.split()) == 21
    assert len(LONG.split()) == 81
    # met 3 of 4 = .75; one user turn costs nothing; 21 words are free
    assert reward("write a note", DRAFT).value == pytest.approx(0.75)
    # two more user turns: .75 - 2 * .02
    assert reward("write", "When?", "4 May", "And where?", "here", DRAFT).value == pytest.approx(0.71)
    # 21 words above 60: .75 - 21 * .002
    assert reward("write", LONG).value == pytest.approx(0.708)
    # cut off: .75 - .1
    assert reward("write", Turn("assistant", DRAFT, flags=("truncated",))).value == pytest.approx(0.65)
    # all of it: .75 - .02 - .042 - .1
    assert reward("write", "When?", "now", Turn("assistant", LONG, flags=("truncated",))).value == pytest.approx(0.588)


def test_details_say_what_was_met_and_what_it_cost():
    score = reward("write", LONG)
    assert score.details == {
        "met": [True, True, True, False],
        "words": 81,
        "truncated": False,
        "requirements_met": 0.75,
    }


@pytest.mark.parametrize("farewell", ["", "thanks"])
def test_leaving_is_no_effort_in_silence_or_with_a_word(farewell):
    assert reward("write", DRAFT, Turn("user", farewell, ends=True)).value == pytest.approx(0.75)
    assert reward("write", DRAFT, Turn("user", "thanks"), DRAFT).value == pytest.approx(0.73)


def test_without_a_draft_nothing_is_met():
    for turns in (["write", "When is it?"], ["write"], ["write", ""]):
        (score,) = RequirementsMet()([talk(*turns)])
        assert score.value == 0
        assert score.details["met"] == [False] * 4
    assert reward("write", "When is it?", "4 May", "And where?").value == pytest.approx(-0.02)  # the user's effort


def test_the_document_is_the_last_draft_without_the_questions_after_it():
    two = talk(
        "write", "An earlier draft " * 6, "no", f"{DRAFT} Who should sign it?", "Ada Lee", "Is there anything else?"
    )
    assert document_of(two) == Turn("assistant", DRAFT)
    assert RequirementsMet()([two])[0].value == 0.75  # what the user says is not in the document


def test_a_cut_off_question_is_not_charged_to_the_draft_before_it():
    cut = Turn("assistant", "Is there anything else?", flags=("truncated",))
    assert reward("write", DRAFT, "hm", cut).value == pytest.approx(0.73)


def test_a_failed_dialogue_is_unscored_with_its_reason():
    for scorer in (RequirementsMet(), Reward()):
        (score,) = scorer([talk("write", DRAFT, error="RuntimeError: lost")])
        assert score.unscored
        assert "RuntimeError: lost" in score.reason


def test_a_task_without_requirements_is_unscored():
    (score,) = Reward()([talk("write", DRAFT, task=Task("bare", "u", "talk"))])
    assert score.unscored
    assert "bare has no requirements" in score.reason


def test_one_score_a_dialogue_in_order():
    scores = Reward()([talk("write", DRAFT), talk("write", "no"), talk("write", DRAFT, error="x")])
    assert [s.value for s in scores[:2]] == [0.75, 0.0]
    assert scores[2].unscored
    assert Reward()([]) == []
