"""Does the detector tell what can be told, and nothing where there is nothing to tell?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from repro.data.tasks import make_tasks
from repro.errors import ReproError
from repro.evaluation.intrinsic import detected, naturalness
from repro.models import ScriptedModel
from repro.rollouts.dialogue import rollout
from repro.simulators import Exhaustive, ReferenceUsers
from repro.types import Task, Trajectory, Turn

N = 60


@pytest.fixture(scope="module")
def spoken():
    assistant, tasks = ScriptedModel(["Any details I should know?"] * 9), make_tasks(N, split="eval", seed=0)
    users = {"users": ReferenceUsers(), "again": ReferenceUsers(), "script": Exhaustive()}
    return {
        name: rollout(tasks, user=user, assistant=assistant, max_turns=2, seed=int(name == "again"))
        for name, user in users.items()
    }


def test_users_pass_for_users(spoken):
    found = detected(spoken["again"], spoken["users"])
    assert found.auc.low < 0.5 < found.auc.high + 0.05  # cross-validation errs to the lower side
    assert abs(found.share.value - 0.5) < 0.15
    assert found.auc.n_clusters == N


def test_a_script_in_tidy_prose_does_not(spoken):
    found = detected(spoken["script"], spoken["users"])
    assert found.auc.low > 0.85  # all draws may agree: Wilson's 30 of 30 pairs of users is 0.89
    assert naturalness(spoken["script"], spoken["users"]).high < 0.2


def test_failed_dialogues_are_counted_and_several_tasks_of_a_user_are_drawn_together(spoken):
    lost = [replace(t, error="Timeout") for t in spoken["script"][:3]]
    same = [replace(t, task=replace(t.task, user_id=f"u{i % 10}")) for i, t in enumerate(spoken["script"][3:])]
    found = detected([*lost, *same], [*spoken["users"], lost[0]], detector=lambda texts: [0.0] * len(texts))
    assert (found.share.n_unscored, found.auc.n_unscored) == (3, 4)
    assert found.share.n_clusters == 10
    assert found.auc.value == 0.5


def test_another_detector_can_be_asked(spoken):
    seen = []

    def short(texts):
        seen.extend(texts)
        return [float(len(text.split()) < 12) for text in texts]

    found = detected(spoken["script"], spoken["users"], detector=short)
    words = [len(turn.text.split()) for t in spoken["script"] for turn in t.user_turns if turn.text]
    assert found.share.value == pytest.approx(sum(n < 12 for n in words) / len(words))
    assert len(seen) == found.auc.n


def test_a_side_that_said_nothing_and_answers_that_are_missing_are_mistakes(spoken):
    silent = Trajectory(Task("t", "u", "i", ()), (Turn("user", "", ends=True),), "u", "a", 0, "user_ended")
    with pytest.raises(ReproError, match="one of them said nothing"):
        naturalness([silent], spoken["users"])
    with pytest.raises(ReproError, match=r"was given \d+ texts and answered about 0"):
        naturalness(spoken["script"], spoken["users"], detector=lambda texts: [])
