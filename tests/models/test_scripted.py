"""Does a script say its lines?"""

from __future__ import annotations

import pytest

from repro.errors import ReproError
from repro.models import Sampling, ScriptedModel
from repro.types import Turn

SYSTEM = Turn("system", "Be brief.")
SAMPLING = Sampling()


def say(model, *contexts, role="assistant"):
    return model.generate(contexts, sampling=SAMPLING, seeds=[0] * len(contexts), role=role)


def test_the_kth_turn_of_a_role_is_line_k_and_the_last_line_stays():
    model = ScriptedModel(["one", "two"])
    user = Turn("user", "?")
    contexts = [[SYSTEM, user], [SYSTEM, user, Turn("assistant", "one"), user]]
    contexts.append([*contexts[1], Turn("assistant", "two"), user])
    assert [turn.text for turn in say(model, *contexts)] == ["one", "two", "two"]


def test_lines_do_not_depend_on_the_batch():
    model = ScriptedModel(["one", "two"])
    later = [SYSTEM, Turn("user", "?"), Turn("assistant", "one"), Turn("user", "?")]
    assert say(model, later, later[:2]) == [say(model, later)[0], say(model, later[:2])[0]]


def test_a_function_reads_the_context():
    model = ScriptedModel(lambda context: context[-1].text.upper())
    assert say(model, [SYSTEM, Turn("user", "hi")]) == [Turn("assistant", "HI")]


def test_either_side_is_played_and_a_whole_turn_may_be_given():
    model = ScriptedModel(["hi", Turn("assistant", "bye", ends=True)])
    assert say(model, [SYSTEM], role="user") == [Turn("user", "hi")]
    dialogue = [SYSTEM, Turn("user", "hi"), Turn("assistant", "hello")]
    assert say(model, dialogue, role="user") == [Turn("user", "bye", ends=True)]


def test_a_turn_begins_with_the_words_put_into_its_mouth():
    contexts = [[SYSTEM, Turn("user", "?")]] * 3
    turns = ScriptedModel("one two").generate(contexts, sampling=SAMPLING, seeds=[0] * 3, prefixes=["", "one ", "and "])
    assert [turn.text for turn in turns] == ["one two", "one two", "and one two"]


def test_a_single_string_is_a_script_of_one_line():
    assert say(ScriptedModel("hello"), [SYSTEM])[0].text == "hello"


def test_a_script_without_lines_is_refused():
    with pytest.raises(ReproError, match="at least one line"):
        ScriptedModel([])


def test_a_script_has_no_log_probabilities():
    with pytest.raises(ReproError, match="no log-probabilities"):
        ScriptedModel("hello").logps([[SYSTEM]], [Turn("assistant", "hello")])
