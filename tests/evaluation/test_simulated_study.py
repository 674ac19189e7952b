"""Are users asked fairly, and do they choose by what they were written to want?"""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import pytest

from repro.data.population import traits_of
from repro.evaluation.simulated_study import MEASURES, behaviour_table, user_table, utilities, utility
from repro.models.base import Sampling
from repro.seeds import derive
from repro.simulators import ReferenceUsers
from repro.types import Requirement, Task, Trajectory, Turn

DRAFT = "Dear all, please come to our party at Harbour Hall on 4 May at 6 pm. We look forward to it."
DATE, NAME = Requirement("date", "date", "4 May", "the date"), Requirement("sender", "name", "Ada Lee", "my name")
HOW = {"user": ReferenceUsers(), "max_turns": 2, "sampling": Sampling(), "seed": 0}


def talk(*texts: str, user_id: str = "eval-0001", error: str | None = None, task_id: str = "t") -> Trajectory:
    task = Task(task_id, user_id, "get a note", (DATE, NAME))
    turns = tuple(Turn("assistant" if i % 2 else "user", text, ends=not text) for i, text in enumerate(texts))
    return Trajectory(task, turns, "users", "echo", 0, "error" if error else "user_ended", error)


@pytest.mark.parametrize(("n_arms", "n_users"), [(2, 4), (3, 6), (6, 12), (8, 32)])
def test_each_assistant_is_met_at_each_place_and_before_each_other_equally_often(n_arms, n_users):
    dialogues = [talk("hi", DRAFT, user_id=f"eval-{i:04d}") for i in range(n_users)]
    worth = utilities({(f"arm{k}", 0): dialogues for k in range(n_arms)})
    places = Counter((u.arm, u.place) for u in worth)
    assert set(places.values()) == {n_users // n_arms}
    assert len(places) == n_arms**2
    met = {(u.participant, u.arm): u.place for u in worth}
    users = {u.participant for u in worth}
    for a, b in combinations([f"arm{k}" for k in range(n_arms)], 2):
        assert sum(met[user, a] < met[user, b] for user in users) == n_users / 2


def test_utility_is_the_weighted_share_met_less_the_users_own_impatience():
    weights = [1 + derive(0, "weight", "eval-0001", key) % 3 for key in ("date", "sender")]
    patience = traits_of("eval-0001").patience
    # the date is met, the name is not; three user turns are two more than one, and a silent leave is none
    expected = weights[0] / sum(weights) - 2 * 0.08 / patience
    assert utility(talk("hi", "When?", "4 May", "What time?", "6 pm", DRAFT, "")).value == pytest.approx(expected)


def test_a_failed_dialogue_is_unscored_everywhere():
    failed, fine = talk("hi", error="RuntimeError: no"), talk("hi", DRAFT, task_id="t2")
    assert utility(failed).unscored
    table = behaviour_table({("initial", None): [failed, fine]})
    assert set(table.measure) == set(MEASURES)
    assert set(zip(table.n, table.n_unscored, strict=True)) == {(1, 1)}
    assert {*user_table({"oracle": [failed, fine]}).n_unscored} == {1}


def test_the_seeds_of_an_arm_widen_its_intervals():
    def held(*texts: str) -> list[Trajectory]:
        return [talk("hi", *texts, user_id=f"eval-{i:04d}") for i in range(20)]

    both = {("userlm", 0): held(f"{DRAFT} Ada Lee"), ("userlm", 1): held("Where is it?")}
    table = behaviour_table(both).set_index("measure")
    # every user is the same, the two seeds are not: met is 1 with one and 0 with the other
    assert (table.value["met"], table.low["met"], table.high["met"], table.n["met"]) == (0.5, 0.0, 1.0, 40)


def test_counts_that_are_the_same_everywhere_have_no_interval_and_shares_do():
    alike = [talk("4 may", DRAFT, "", user_id=f"eval-{i:04d}", task_id=f"t{i}") for i in range(20)]
    does = behaviour_table({("initial", None): alike}).set_index("measure")
    assert (does.value["assistant_turns"], does.value["truncated"]) == (1, 0)
    assert math.isnan(does.high["assistant_turns"])
    assert does.high["truncated"] == pytest.approx(0.161, abs=1e-3)  # Wilson, 0 of 20
    said = user_table({"oracle": alike}).set_index("measure")
    assert math.isnan(said.low["first_turn_words"])
    assert said.low["ends"] == pytest.approx(0.839, abs=1e-3)


def test_every_simulator_is_measured_by_one_detector_and_a_silent_leave_is_no_turn():
    strayed = talk("How can I help you today?", DRAFT, "thanks, how can I help you", "Yes.", "")
    table = user_table({"userlm": [strayed], "oracle": [talk("4 may", DRAFT, "", task_id="t2")]})
    found = table.set_index(["simulator", "measure"]).value
    assert found["userlm", "out_of_role"] == 1  # two turns, both sound like an assistant's
    assert found["oracle", "out_of_role"] == 0
    assert found["oracle", "words_per_turn"] == 2  # "4 may", and nothing when leaving
    assert found["oracle", "revealed_first"] == 0.5  # the date of two wishes
    assert found["userlm", "ends"] == 1
