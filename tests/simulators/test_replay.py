"""Does a replayed user read from the log, in order, and then leave?"""

from __future__ import annotations

import pytest

from repro.errors import ReproError
from repro.models import ScriptedModel
from repro.rollouts import rollout
from repro.simulators import Replay
from repro.types import Task, Turn

HUMAN = (Turn("user", "first"), Turn("assistant", "old answer"), Turn("user", "second"))


def test_it_says_the_logged_turns_in_order_and_leaves_in_silence():
    (one,) = rollout([Task("t", "u", "x", human=HUMAN)], user=Replay(), assistant=ScriptedModel("new"), max_turns=5)
    assert [turn.text for turn in one.turns] == ["first", "new", "second", "new", ""]
    assert one.stop == "user_ended"


def test_without_a_log_it_says_what_is_missing():
    with pytest.raises(ReproError, match=r"task t has no logged dialogue to replay; set Task\.human"):
        Replay().reply([Task("t", "u", "x")], [[]], seed=0)
